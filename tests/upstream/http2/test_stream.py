"""One answer among others: it is read as it comes, has its own deadlines, and ends alone."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest
from h2.errors import ErrorCodes

from rolecall.core import Reason
from rolecall.upstream.http2 import connection as connections
from rolecall.upstream.http2.stream import MAX_INTERIM, WINDOW
from rolecall.upstream.transport import TransportError
from tests.parts.clock import forward, when_due
from tests.parts.waiting import rounds, until

from ..parts.exchange import (
    DEADLINE,
    PATIENT,
    Answer,
    body_of,
    come_to,
    dribble_twice,
    outcome,
    request,
    whole,
)
from .parts.faults import DATA, raw
from .parts.server import own, serving, silence


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
    timeouts = replace(PATIENT, **{"first_byte" if stream else "stream": 10 * DEADLINE})
    async with serving(silence) as server:
        asked = request(server.url, timeouts=timeouts, stream=stream)
        asking = asyncio.create_task(transport.send(asked))
        await server.until(1)
        with pytest.raises(TransportError, match="did not answer within") as caught:
            await when_due(DEADLINE, asking)
        assert caught.value.reason is Reason.UPSTREAM_TIMEOUT


async def test_interim_answers_are_no_answer(transport):
    async def answer(peer, received):
        for number in range(MAX_INTERIM):
            await peer.head(received, status=b"103")
            if number in {1, MAX_INTERIM - 1}:
                await peer.heard()
                heard.set()
                await more.wait()

    heard, more = asyncio.Event(), asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(outcome(transport, request(server.url)))
        for _ in range(2):
            await heard.wait()
            heard.clear()
            assert not asking.done()
            more.set()
            await forward(DEADLINE / 2 + 1)
        assert await asking is Reason.UPSTREAM_TIMEOUT


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["head", "piece"])
async def test_a_stall_is_a_timeout_after_what_has_come(transport, piece):
    async def answer(peer, received):
        await peer.head(received)
        await peer.data(received, piece)

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        if piece:
            assert await response.read() == piece
        reading = asyncio.create_task(response.read())
        await rounds()
        with pytest.raises(TransportError, match="sent nothing for"):
            await when_due(DEADLINE, reading)
        response.close()
        await server.requests[0].ended.wait()
        assert server.requests[0].code == ErrorCodes.CANCEL


async def test_empty_frames_are_nothing(transport):
    async def answer(peer, received):
        await peer.head(received)
        while True:
            peer.h2.send_data(received.number, b"")
            await peer.heard()
            sending.set()
            await asyncio.sleep(0.005)

    sending = asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(outcome(transport, request(server.url)))
        await sending.wait()
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT


async def test_a_body_that_dribbles_is_not_idle_and_total_bounds_it(transport):
    async def answer(peer, received):
        await peer.head(received)
        for byte in b"hello":
            await turns.acquire()
            await peer.data(received, bytes([byte]), end=byte == ord("o"))

    turns = asyncio.Semaphore(0)
    async with serving(answer) as server:
        await dribble_twice(transport, server.url, turns)


async def test_whoever_does_not_read_does_not_find_the_upstream_slow(transport):
    async def answer(peer, received):
        await peer.answer(received, b"hello")

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        await forward(2 * DEADLINE)
        assert (await whole(response)).body == b"hello"


# -- ends ------------------------------------------------------------------------------------------


async def test_a_late_answer_ends_alone(transport, monkeypatch):
    monkeypatch.setattr(connections, "EXPIRY", 10 * DEADLINE)

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
        late = asyncio.create_task(outcome(transport, request(server.url)))
        await server.until(2)
        # something is heard meanwhile
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert await when_due(DEADLINE, late) is Reason.UPSTREAM_TIMEOUT
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        slow.set()
        assert (await whole(beside)).body == b"slow"
        assert len(server.peers) == 1


async def test_a_connection_that_was_silent_meanwhile_gets_no_more_requests(transport, monkeypatch):
    monkeypatch.setattr(connections, "EXPIRY", 10 * DEADLINE)

    async def answer(peer, received):
        if received.path == "/slow":
            await slow.wait()
        if received.path != "/never":
            await own(peer, received)

    slow = asyncio.Event()
    async with serving(answer) as server:
        # after the first everything is said that a new connection has to say
        await body_of(transport, request(f"{server.url}/own"))
        patient = replace(PATIENT, first_byte=10 * DEADLINE)
        asked = request(f"{server.url}/slow", timeouts=patient)
        beside = asyncio.create_task(body_of(transport, asked))
        await server.until(2)
        never = asyncio.create_task(outcome(transport, request(f"{server.url}/never")))
        await server.until(3)
        assert await when_due(DEADLINE, never) is Reason.UPSTREAM_TIMEOUT
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
            await peer.heard()
        arrived.set()

    arrived = asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(outcome(transport, request(f"{server.url}/slow")))
        await arrived.wait()
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


def filled(response):
    return response._untaken == WINDOW


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
            response = await transport.send(request(server.url))
            await until(partial(filled, response))
            response.close()
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 1
