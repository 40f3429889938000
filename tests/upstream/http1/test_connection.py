"""A connection's life on a real pair of sockets, in pieces as the network likes to cut them."""

import asyncio
import itertools
import socket
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.core import Reason
from rolecall.upstream.http1.connection import HIGH_WATER, Connection, StaleConnection, State
from rolecall.upstream.transport import TransportError
from tests.parts.clock import when_due
from tests.parts.waiting import rounds

from ..parts.exchange import DEADLINE, PATIENT, Answer
from .parts.transcripts import BAD, GOOD, HELLO, OK

ASKED = {"timeouts": PATIENT, "stream": False, "began": 0.0}
SHORT = [transcript for transcript in [*GOOD, *BAD] if len(transcript.sent) < 5_000]
LONG = [transcript for transcript in [*GOOD, *BAD] if len(transcript.sent) >= 5_000]


@asynccontextmanager
async def pair():
    """A connection, the upstream's end of it, and a list that tells when it is gone."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    loop = asyncio.get_running_loop()
    gone = []
    _, connection = await loop.create_connection(lambda: Connection(loop, gone.append), sock=ours)
    try:
        yield connection, theirs, gone
    finally:
        theirs.close()
        connection.abort()
        for _ in range(3):
            await asyncio.sleep(0)
        assert gone == [connection]
        assert connection.state is State.CLOSED


async def exchange(connection):
    try:
        await connection.request(b"POST / HTTP/1.1\r\n\r\n", b"", **ASKED)
        body = b""
        while piece := await connection.read():
            body += piece
    except TransportError as error:
        connection.abort()
        return error.reason
    return Answer(connection.status, connection.headers, body)


def passed_on(appetite):
    """An exchange whose body is passed on to a sink that has enough whenever ``appetite`` says."""
    moods = iter(appetite)

    async def exchange(connection):
        body = b""

        def sink(piece):
            nonlocal body
            body += piece
            return next(moods, True)

        try:
            await connection.request(b"POST / HTTP/1.1\r\n\r\n", b"", **ASKED)
            while not connection.ended:
                await connection.pass_on(sink)
        except TransportError as error:
            connection.abort()
            return error.reason
        return Answer(connection.status, connection.headers, body)

    return exchange


async def played(transcript, pieces, exchange=exchange):
    """What comes of the transcript in pieces, and whether the connection may serve again."""
    async with pair() as (connection, theirs, _):
        exchanging = asyncio.create_task(exchange(connection))
        await rounds()
        loop = asyncio.get_running_loop()
        for piece in pieces:
            try:
                await loop.sock_sendall(theirs, piece)
            except (BrokenPipeError, ConnectionResetError):
                break
            await rounds(2)
        if transcript.ends:
            theirs.shutdown(socket.SHUT_WR)
        got = await exchanging
        await rounds()
        return got, got is not Reason.UPSTREAM_ERROR and connection.release()


def check(transcript, got, kept):
    expected = transcript.outcome
    if isinstance(expected, Answer):
        assert isinstance(got, Answer)
        assert (got.status, got.body) == (expected.status, expected.body)
        assert expected.headers is None or got.headers == expected.headers
    else:
        assert got is expected
    assert kept is transcript.kept


@pytest.mark.parametrize("transcript", SHORT, ids=str)
async def test_a_transcript_byte_by_byte(transcript):
    pieces = [bytes([byte]) for byte in transcript.sent]
    check(transcript, *await played(transcript, pieces))


def cut(data, places):
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(marks)]


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(transcript=st.sampled_from(SHORT), places=st.lists(st.integers(0, 5_000), max_size=20))
async def test_a_transcript_in_any_pieces(transcript, places):
    check(transcript, *await played(transcript, cut(transcript.sent, places)))


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(
    transcript=st.sampled_from(SHORT),
    places=st.lists(st.integers(0, 5_000), max_size=20),
    appetite=st.lists(st.booleans(), max_size=20),
)
async def test_a_transcript_passed_on_in_any_pieces(transcript, places, appetite):
    pieces = cut(transcript.sent, places)
    check(transcript, *await played(transcript, pieces, passed_on(appetite)))


async def test_what_is_passed_on_needs_no_coroutine_until_it_is_enough():
    async with pair() as (connection, theirs, _):
        loop = asyncio.get_running_loop()
        got = []

        def sink(piece):
            got.append((piece, asyncio.current_task()))
            return piece != b"enough"

        asking = asyncio.create_task(connection.request(b"x", b"", **ASKED))
        await loop.sock_recv(theirs, 100)
        theirs.send(OK + b"\r\n")
        await asking
        passing = asyncio.create_task(connection.pass_on(sink))
        for piece in (b"one", b"two", b"three", b"enough"):
            await rounds(4)
            assert not passing.done()
            theirs.send(piece)
        await passing
        assert [piece for piece, _ in got] == [b"one", b"two", b"three", b"enough"]
        # the first is handed over by whoever asked, the others by what brings them
        assert [task is passing for _, task in got] == [True, False, False, False]
        connection.abort()


async def test_a_body_that_stalls_while_it_is_passed_on_is_late():
    async with pair() as (connection, theirs, _):
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(connection.request(b"x", b"", **ASKED))
        await loop.sock_recv(theirs, 100)
        theirs.send(OK + b"\r\nhello")
        await asking
        passing = asyncio.create_task(connection.pass_on(lambda _: True))
        with pytest.raises(TransportError, match="sent nothing for 600 s"):
            await when_due(DEADLINE, passing)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(transcript=st.sampled_from(LONG), places=st.lists(st.integers(0, 700_000), max_size=20))
async def test_a_long_transcript_in_any_pieces(transcript, places):
    check(transcript, *await played(transcript, cut(transcript.sent, places)))


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(junk=st.binary(min_size=1, max_size=300))
async def test_anything_at_all_ends_in_an_answer_or_a_reason(junk):
    async with pair() as (connection, theirs, _):
        theirs.send(junk)
        theirs.shutdown(socket.SHUT_WR)
        got = await exchange(connection)
        assert got is Reason.UPSTREAM_ERROR or isinstance(got, Answer)


async def test_a_connection_serves_again_and_again():
    async with pair() as (connection, theirs, _):
        assert connection.state is State.NEW
        for number in range(3):
            exchanging = asyncio.create_task(exchange(connection))
            await rounds()
            assert connection.state is State.ACTIVE
            assert connection.reused is (number > 0)
            assert theirs.recv(1000) == b"POST / HTTP/1.1\r\n\r\n"
            theirs.send(OK + b"Content-Length: 1\r\n\r\n%d" % number)
            assert (await exchanging).body == b"%d" % number
            assert connection.release()
            assert connection.state is State.IDLE
            assert connection.is_usable()


@pytest.mark.parametrize("event", ["bytes", "end"])
async def test_what_waits_in_the_socket_is_seen_before_the_next_request(event):
    async with pair() as (connection, theirs, _):
        exchanging = asyncio.create_task(exchange(connection))
        await rounds()
        theirs.send(HELLO)
        await exchanging
        assert connection.release()
        if event == "bytes":
            theirs.send(HELLO)
        else:
            theirs.shutdown(socket.SHUT_WR)
        assert theirs.recv(1000)
        with pytest.raises(StaleConnection):
            await connection.request(b"x", b"", **ASKED)
        # nothing of the request was sent
        assert theirs.recv(1000) == b""


@pytest.mark.parametrize("end", ["close", "shutdown"])
async def test_an_idle_connection_that_ends_after_the_request_is_stale(end):
    async with pair() as (connection, theirs, _):
        exchanging = asyncio.create_task(exchange(connection))
        await rounds()
        theirs.send(HELLO)
        await exchanging
        assert connection.release()
        asking = asyncio.create_task(connection.request(b"x", b"", **ASKED))
        await rounds()
        if end == "close":
            theirs.close()
        else:
            theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(StaleConnection):
            await asking


async def test_a_connection_that_is_lost_before_its_request_says_so():
    async with pair() as (connection, theirs, gone):
        theirs.close()
        await rounds(5)
        assert gone == [connection]
        with pytest.raises(TransportError, match="before it answered"):
            await connection.request(b"x", b"", **ASKED)


async def test_an_upstream_that_speaks_first_is_refused():
    async with pair() as (connection, theirs, _):
        theirs.send(HELLO)
        await rounds()
        with pytest.raises(TransportError, match="nobody had asked"):
            await connection.request(b"x", b"", **ASKED)


async def test_our_own_abort_is_not_the_end_of_a_body_until_close():
    async with pair() as (connection, theirs, _):
        exchanging = asyncio.create_task(exchange(connection))
        await rounds()
        theirs.send(OK + b"\r\nhello")
        await rounds()
        connection.abort()
        assert await exchanging is Reason.UPSTREAM_ERROR


async def test_a_slow_reader_bounds_what_is_held():
    async with pair() as (connection, theirs, _):
        loop = asyncio.get_running_loop()

        async def flood():
            await loop.sock_recv(theirs, 100)
            await loop.sock_sendall(theirs, OK + b"\r\n")
            for _ in range(64):
                await loop.sock_sendall(theirs, bytes(1024 * 1024))
            theirs.shutdown(socket.SHUT_WR)

        flooding = asyncio.create_task(flood())
        await connection.request(b"x", b"", **ASKED)
        received = 0
        while True:
            await rounds(20)
            assert connection._buffered <= 2 * HIGH_WATER
            piece = await connection.read()
            if not piece:
                break
            assert len(piece) <= 2 * HIGH_WATER
            received += len(piece)
        assert received == 64 * 1024 * 1024
        await flooding


async def test_pieces_that_wait_are_read_after_the_end_of_a_paused_connection():
    async with pair() as (connection, theirs, _):
        loop = asyncio.get_running_loop()

        async def answer():
            await loop.sock_recv(theirs, 100)
            await loop.sock_sendall(theirs, OK + b"Content-Length: 900000\r\n\r\n" + bytes(800_000))

        sending = asyncio.create_task(answer())
        await connection.request(b"x", b"", **ASKED)
        await rounds(20)
        connection.abort()
        await rounds()
        assert await connection.read()
        with pytest.raises(TransportError, match="broke off"):
            await connection.read()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
