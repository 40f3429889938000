"""One answer among others: it is read as it comes, has its own deadlines, and ends alone."""

import asyncio

import pytest
from h2.errors import ErrorCodes

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream.http2.stream import MAX_INTERIM, WINDOW
from rolecall.upstream.transport import TransportError

from ..parts.exchange import PATIENT, Answer, body_of, come_to, outcome, request, whole
from .parts.faults import DATA, raw
from .parts.server import own, serving, silence

HASTY = Timeouts(connect=5, first_byte=0.05, stream=0.05, idle=0.05)


async def test_pieces_are_read_as_they_come(transport):
    async def answer(peer, received):
        await peer.head(received)
        for piece in (b"one", b"two", b"three"):
            await peer.data(received, piece)
            await turn.wait()
            turn.clear()
        await peer.data(received, b"", end=True)

    turn = asyncio.Event()
    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        for piece in (b"one", b"two", b"three"):
            assert await response.read() == piece
            assert not response.ended
            turn.set()
        assert await response.read() == b""
        assert response.ended
        assert await response.read() == b""
        response.close()


async def test_padding_and_trailers_are_nobodys_business(transport):
    async def answer(peer, received):
        await peer.head(received)
        peer.h2.send_data(received.number, b"hel", pad_length=200)
        peer.h2.send_data(received.number, b"", pad_length=200)
        peer.h2.send_data(received.number, b"lo", pad_length=0)
        peer.h2.send_headers(received.number, [(b"x-sum", b"1")], end_stream=True)
        await peer.flush()

    async with serving(answer) as server:
        assert await outcome(transport, request(server.url)) == Answer(200, [], b"hello")


@pytest.mark.parametrize("status", [b"100", b"103"])
async def test_interim_answers_are_passed_over(transport, status):
    async def answer(peer, received):
        for _ in range(MAX_INTERIM):
            await peer.head(received, (b"link", b"</a>"), status=status)
        await own(peer, received)

    async with serving(answer) as server:
        assert await outcome(transport, request(server.url)) == Answer(200, [], b"own / {}")


# -- deadlines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_first_byte_and_stream_are_two_deadlines(transport, stream):
    late = 0.05
    timeouts = Timeouts(
        connect=5, first_byte=5 if stream else late, stream=late if stream else 5, idle=5
    )
    async with serving(silence) as server:
        with pytest.raises(TransportError, match="did not answer within") as caught:
            await transport.send(request(server.url, timeouts=timeouts, stream=stream))
        assert caught.value.reason is Reason.UPSTREAM_TIMEOUT


async def test_interim_answers_are_no_answer(transport):
    async def answer(peer, received):
        for _ in range(MAX_INTERIM):
            await peer.head(received, status=b"103")
            await asyncio.sleep(0.01)

    async with serving(answer) as server:
        got = await outcome(transport, request(server.url, timeouts=HASTY))
        assert got is Reason.UPSTREAM_TIMEOUT


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["head", "piece"])
async def test_a_stall_is_a_timeout_after_what_has_come(transport, piece):
    async def answer(peer, received):
        await peer.head(received)
        await peer.data(received, piece)

    async with serving(answer) as server:
        response = await transport.send(request(server.url, timeouts=HASTY))
        if piece:
            assert await response.read() == piece
        with pytest.raises(TransportError, match="sent nothing for"):
            await response.read()
        response.close()
        assert server.requests[0].ended.is_set() or await server.requests[0].ended.wait()
        assert server.requests[0].code == ErrorCodes.CANCEL


async def test_empty_frames_are_nothing(transport):
    async def answer(peer, received):
        await peer.head(received)
        while True:
            peer.h2.send_data(received.number, b"")
            await peer.flush()
            await asyncio.sleep(0.005)

    async with serving(answer) as server:
        got = await outcome(transport, request(server.url, timeouts=HASTY))
        assert got is Reason.UPSTREAM_TIMEOUT


async def test_a_body_that_dribbles_is_not_idle_and_total_bounds_it(transport):
    async def answer(peer, received):
        await peer.head(received)
        for _ in range(20):
            await peer.data(received, b"y")
            await asyncio.sleep(0.01)
        await peer.data(received, b"", end=True)

    patient = Timeouts(connect=5, first_byte=1, stream=1, idle=0.2)
    bounded = Timeouts(connect=5, first_byte=1, stream=1, idle=0.2, total=0.1)
    async with serving(answer) as server:
        assert await body_of(transport, request(server.url, timeouts=patient)) == b"y" * 20
        with pytest.raises(TransportError, match="took more than"):
            await body_of(transport, request(server.url, timeouts=bounded))


async def test_whoever_does_not_read_does_not_find_the_upstream_slow(transport):
    async def answer(peer, received):
        await peer.answer(received, b"hello")

    async with serving(answer) as server:
        response = await transport.send(request(server.url, timeouts=HASTY))
        await asyncio.sleep(0.1)
        assert (await whole(response)).body == b"hello"


# -- ends ------------------------------------------------------------------------------------------


async def test_a_late_answer_ends_alone(transport):
    async def answer(peer, received):
        if received.path == "/slow":
            await peer.head(received)
            await slow.wait()
            await peer.data(received, b"slow", end=True)
        elif received.path == "/own":
            await own(peer, received)

    slow = asyncio.Event()
    async with serving(answer) as server:
        beside = await transport.send(request(f"{server.url}/slow"))
        late = asyncio.create_task(outcome(transport, request(server.url, timeouts=HASTY)))
        await asyncio.sleep(0.01)
        # something is heard meanwhile
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert await late is Reason.UPSTREAM_TIMEOUT
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        slow.set()
        assert (await whole(beside)).body == b"slow"
        assert len(server.peers) == 1


async def test_a_connection_that_was_silent_meanwhile_gets_no_more_requests(transport):
    async def answer(peer, received):
        if received.path == "/slow":
            await slow.wait()
        if received.path != "/never":
            await own(peer, received)

    slow = asyncio.Event()
    async with serving(answer) as server:
        beside = asyncio.create_task(body_of(transport, request(f"{server.url}/slow")))
        await asyncio.sleep(0.02)
        got = await outcome(transport, request(f"{server.url}/never", timeouts=HASTY))
        assert got is Reason.UPSTREAM_TIMEOUT
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2
        slow.set()
        assert await beside == b"own /slow {}"
        await server.peers[0].gone.wait()
        assert server.peers[0].farewell
        await come_to(transport, 1, 1)


async def test_an_answer_that_is_not_read_is_ended_and_its_connection_stays(transport):
    async def answer(peer, received):
        await peer.head(received)
        await peer.data(received, bytes(2 * WINDOW))

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        response.close()
        response.close()
        await server.requests[0].ended.wait()
        assert server.requests[0].code == ErrorCodes.CANCEL
        await come_to(transport, 1, 1)


@pytest.mark.parametrize("begun", [False, True])
async def test_whoever_is_cancelled_cancels_the_upstreams_work(transport, begun):
    async def answer(peer, received):
        if received.path == "/own":
            await own(peer, received)
        elif begun:
            await peer.head(received)
        arrived.set()

    arrived = asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(outcome(transport, request(f"{server.url}/slow")))
        await arrived.wait()
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        await server.requests[0].ended.wait()
        assert server.requests[0].code == ErrorCodes.CANCEL
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 1


@pytest.mark.parametrize("told", [False, True])
async def test_an_early_answer_spares_the_rest_of_the_request(transport, told):
    """The upstream may say so itself, at once (RFC 9113 8.1)."""

    async def answer(peer, received):
        if received.path == "/own":
            await own(peer, received)
            return
        peer.h2.send_headers(received.number, [(b":status", b"413")])
        peer.h2.send_data(received.number, b"too large", end_stream=True)
        if told:
            peer.h2.reset_stream(received.number, ErrorCodes.NO_ERROR)
        await peer.flush()

    async with serving(answer) as server:
        got = await outcome(transport, request(server.url, bytes(20_000_000)))
        assert got == Answer(413, [], b"too large")
        if not told:
            await server.requests[0].ended.wait()
        assert len(server.requests[0].body) < 20_000_000
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 1


async def test_an_answer_that_breaks_off_gives_what_had_come(transport):
    async def answer(peer, received):
        await peer.head(received)
        await peer.data(received, b"hello")
        await peer.refuse(received, ErrorCodes.INTERNAL_ERROR)

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        assert await response.read() == b"hello"
        with pytest.raises(TransportError, match="broke off its answer"):
            await response.read()
        response.close()


# -- back-pressure ---------------------------------------------------------------------------------


async def test_a_reader_that_does_not_read_stops_the_upstream_and_nobody_else(transport):
    async def answer(peer, received):
        if received.path != "/slow":
            await peer.answer(received, bytes(20 * 1024 * 1024))
            return
        await peer.head(received)
        while True:
            await peer.data(received, bytes(16_384))
            sent.append(16_384)

    sent = []
    async with serving(answer) as server:
        slow = [await transport.send(request(f"{server.url}/slow")) for _ in range(3)]
        for _ in range(3):
            assert len(await body_of(transport, request(server.url))) == 20 * 1024 * 1024
        assert sum(sent) <= 3 * WINDOW
        for response in slow:
            received = 0
            while received < 4 * WINDOW:
                received += len(await response.read())
            response.close()
        assert len(server.peers) == 1


async def test_more_than_the_window_is_refused(transport):
    async def answer(peer, received):
        await peer.head(received)
        await peer.raw(raw(DATA, 0, bytes(16_384))(None, received.number) * (WINDOW // 16_384 + 1))

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        await server.peers[0].gone.wait()
        with pytest.raises(TransportError, match="breaks HTTP/2"):
            await whole(response)


async def test_what_nobody_read_is_given_back_to_the_connection(transport):
    """Otherwise answers that were not read would use up what all answers together may take."""

    async def answer(peer, received):
        if received.path == "/own":
            await own(peer, received)
            return
        await peer.head(received)
        await peer.data(received, bytes(2 * WINDOW))

    async with serving(answer) as server:
        for _ in range(150):
            response = await transport.send(request(server.url, timeouts=PATIENT))
            await asyncio.sleep(0.001)
            response.close()
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 1
