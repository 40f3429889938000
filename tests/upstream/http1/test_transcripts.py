"""Whatever an upstream sends: its answer or a reason, and never another request's answer."""

import asyncio
from dataclasses import replace

import pytest

from rolecall.core import Reason
from tests.parts.clock import when_due
from tests.parts.waiting import rounds, until

from ..parts.exchange import (
    DEADLINE,
    PATIENT,
    Answer,
    body_of,
    come_to,
    connection_of,
    dribble_twice,
    outcome,
    request,
)
from ..parts.server import own, serving
from .parts.transcripts import BAD, CHUNKED, GOOD, HELLO, OK


def playing(transcript):
    """Answer ``/play`` with the transcript, and everything else with its own answer."""

    async def answer(peer, received):
        if received.path != "/play":
            await own(peer, received)
            return
        await peer.send(transcript.sent)
        if transcript.ends:
            peer.close()
        elif not transcript.kept:
            await peer.until_closed()
            peer.close()

    return answer


def same(got, expected):
    """Whether an outcome is the expected one; headers count where they are spelled out."""
    if isinstance(expected, Answer) and expected.headers is None and isinstance(got, Answer):
        return (got.status, got.body) == (expected.status, expected.body)
    return got == expected


@pytest.mark.parametrize("transcript", [*GOOD, *BAD], ids=str)
async def test_a_transcript_is_answered_as_specified_and_poisons_nothing(transport, transcript):
    async with serving(playing(transcript)) as server:
        assert await body_of(transport, request(f"{server.url}/before")) == b"own /before {}"
        got = await outcome(transport, request(f"{server.url}/play"))
        assert same(got, transcript.outcome)
        if not transcript.kept:
            await server.peers[0].gone.wait()
        assert await body_of(transport, request(f"{server.url}/own", b"1")) == b"own /own 1"
        assert len(server.peers) == (1 if transcript.kept else 2)
        await come_to(transport, 1, 1)


PLACES = {
    "length": HELLO,
    "chunked": CHUNKED + b"5\r\nhello\r\n0\r\nx: y\r\n\r\n",
    "after an interim answer": b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
}


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("framing", PLACES)
async def test_an_end_at_any_place_is_an_error(transport, framing, end):
    sent = PLACES[framing]

    async def answer(peer, received):
        await peer.send(sent[: int(received.body)])
        await asyncio.sleep(0)
        getattr(peer, end)()

    async with serving(answer) as server:
        for place in range(len(sent)):
            got = await outcome(transport, request(server.url, b"%d" % place))
            assert got is Reason.UPSTREAM_ERROR, sent[:place]
            await come_to(transport, 0, 0)
        assert len(server.requests) == len(sent)


async def test_a_body_until_close_ends_with_close_and_not_with_a_reset(transport):
    async def answer(peer, received):
        await peer.send(OK + b"\r\nhello")
        if received.path == "/reset":
            # the client has taken the piece, and only then comes the reset
            await until(lambda: connection_of(transport).status)
        peer.close() if received.path == "/close" else peer.reset()

    async with serving(answer) as server:
        got = await outcome(transport, request(f"{server.url}/close"))
        assert (got.status, got.body) == (200, b"hello")
        assert await outcome(transport, request(f"{server.url}/reset")) is Reason.UPSTREAM_ERROR


@pytest.mark.parametrize("framing", PLACES)
async def test_a_stall_at_any_place_is_a_timeout(transport, framing):
    sent = PLACES[framing]

    async def answer(peer, received):
        await peer.send(sent[: int(received.body)])
        await peer.until_closed()

    async with serving(answer) as server:
        asked = [request(server.url, b"%d" % place) for place in range(len(sent))]
        asking = asyncio.gather(*(outcome(transport, one) for one in asked))
        await until(lambda: len(server.requests) == len(sent))
        assert set(await when_due(DEADLINE, asking)) == {Reason.UPSTREAM_TIMEOUT}
        await asyncio.gather(*(peer.gone.wait() for peer in server.peers))
        await come_to(transport, 0, 0)


async def test_a_head_that_dribbles_is_late(transport):
    async def answer(peer, received):
        await peer.send(OK + b"X: ")
        while True:
            await peer.send(b"y")
            dribbling.set()
            await asyncio.sleep(0.005)

    dribbling = asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(outcome(transport, request(server.url)))
        await dribbling.wait()
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT


async def test_a_body_that_dribbles_is_not_idle_and_total_bounds_it(transport):
    async def answer(peer, received):
        await peer.send(OK + b"Content-Length: 5\r\n\r\n")
        for byte in b"hello":
            await turns.acquire()
            await peer.send(bytes([byte]))

    turns = asyncio.Semaphore(0)
    async with serving(answer) as server:
        await dribble_twice(transport, server.url, turns)
        await come_to(transport, 0, 0)


@pytest.mark.parametrize("stream", [False, True])
async def test_first_byte_and_stream_are_two_deadlines(transport, stream):
    async def answer(peer, received):
        await peer.until_closed()

    timeouts = replace(PATIENT, **{"first_byte" if stream else "stream": 10 * DEADLINE})
    async with serving(answer) as server:
        asked = request(server.url, timeouts=timeouts, stream=stream)
        asking = asyncio.create_task(outcome(transport, asked))
        await until(lambda: server.requests)
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT


async def test_an_answer_before_the_request_goes_to_nobody_else(transport):
    """An upstream that speaks first confuses at most itself."""
    async with serving(greeting=HELLO) as server:
        for _ in range(20):
            got = await outcome(transport, request(f"{server.url}/own"))
            if isinstance(got, Answer):
                assert got.body in (b"hello", b"own /own {}")
            await rounds()
            assert transport.counts()[1] in (0, 1)
    async with serving() as server:
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_an_answer_before_the_request_is_sent_ends_the_connection(transport):
    """The rest of the request must not be taken for the next one."""

    async def early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nhello")
        await gone.wait()
        writer.transport.abort()
        over.set()

    gone, over = asyncio.Event(), asyncio.Event()
    server = await asyncio.start_server(early, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    got = await outcome(transport, request(f"http://127.0.0.1:{port}", bytes(20_000_000)))
    assert (got.status, got.body) == (413, b"hello")
    await come_to(transport, 0, 0)
    gone.set()
    await over.wait()
    server.close()


@pytest.mark.parametrize("junk", [b"x", b"\r\n", HELLO], ids=["letter", "line", "answer"])
async def test_unsolicited_bytes_end_an_idle_connection(transport, junk):
    async with serving() as server:
        await body_of(transport, request(f"{server.url}/first"))
        await come_to(transport, 1, 1)
        await server.peers[0].send(junk)
        await come_to(transport, 0, 0)
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_bytes_that_wait_in_the_socket_are_nobodys_answer(transport):
    """They have come, and the loop has had no time to look."""
    async with serving() as server:
        await body_of(transport, request(f"{server.url}/first"))
        server.peers[0].writer.write(OK + b"Content-Length: 6\r\n\r\nforged")
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2
