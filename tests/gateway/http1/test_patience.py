"""How long a client may take, and how much is held for one that takes its time."""

import asyncio

import pytest

from rolecall.gateway.http1.connection import LINGER, PATIENCE
from rolecall.gateway.http1.cycle import HIGH_WATER
from rolecall.gateway.server import KEEP_ALIVE
from tests.parts.clock import forward
from tests.parts.waiting import rounds, until

from .parts.applications import Gate, Stream, answer, body_of, echo
from .parts.serving import serving

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"
SMALL = {"SO_RCVBUF": 4096}
MOST_HELD = 2 * 64 * 1024
"""asyncio's own high-water mark is 64 KiB, and one piece may come on top."""


# Connections on which nothing is asked


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"\r\n"], ids=["new", "half a head", "a line"])
async def test_a_connection_on_which_nothing_comes_ends(sent):
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(sent)
        await forward(KEEP_ALIVE - 1)
        assert client.waiting() is None
        await forward(2)
        assert await client.until_end() == b""


async def test_an_idle_connection_is_kept_from_its_last_answer_on():
    async with serving(echo) as server:
        client = await server.connect()
        for _ in range(3):
            await forward(KEEP_ALIVE - 1)
            await client.send(GET)
            assert (await client.answer()).status == 200
        await forward(KEEP_ALIVE + 1)
        assert await client.until_end() == b""


async def test_a_client_that_ignores_the_end_is_cut_off():
    async with serving(echo) as server:
        await server.connect()
        await forward(KEEP_ALIVE + 1)
        assert server.state.connections
        await forward(LINGER + 1)
        assert not server.state.connections


async def test_an_answer_may_take_any_time():
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(GET)
        for _ in range(20):
            await forward(KEEP_ALIVE)
        app.opened.set()
        assert (await client.answer()).status == 200
        assert app.ended == [("/", "answered")]


async def test_so_may_the_pauses_of_a_stream():
    app = Stream()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(GET)
        for piece in (b"one", b"two", b"three"):
            await forward(10 * PATIENCE)
            app.pieces.put_nowait(piece)
            await client.until(piece)


# Clients that send slowly


async def test_a_body_that_does_not_go_on_ends_the_connection():
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(POST)
        for piece in (b"h", b"e", b"l"):
            await forward(PATIENCE - 1)
            await client.send(piece)
        await forward(PATIENCE - 1)
        assert app.ended == []
        await forward(2)
        await rounds()
        assert app.ended == [("/", "cancelled")]
        assert not server.state.connections


async def test_the_rest_of_a_body_that_was_refused_may_not_pause_either():
    async def refuse(scope, receive, send):
        await answer(send, b"no", status=413)

    async with serving(refuse) as server:
        client = await server.connect()
        await client.send(POST)
        assert (await client.answer()).status == 413
        await client.send(b"hello")
        await forward(KEEP_ALIVE + 1)
        assert await client.until_end() == b""


async def test_of_a_body_that_nobody_reads_little_is_held():
    """The client is made to wait, and goes on when it is read."""
    reading = asyncio.Event()

    async def app(scope, receive, send):
        await reading.wait()
        await answer(send, b"%d" % len(await body_of(receive)))

    body = bytes(12_000_000)
    async with serving(app) as server:
        client = await server.connect()
        sending = asyncio.create_task(
            client.send(
                b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(body), body
            )
        )
        connection = server.connections[0]
        await until(lambda: not connection.transport.is_reading())
        assert connection._active._size <= HIGH_WATER + 256 * 1024
        reading.set()
        assert (await client.answer()).body == b"%d" % len(body)
        await sending


# Clients that read slowly


async def filled(server, app):
    """Let a stream run until it has to wait for its reader; return how much it had sent."""
    app.pieces.put_nowait(b"x" * 65_536)
    while server.connections[0].unread is None:
        await rounds(1)
        if app.pieces.empty() and server.connections[0].unread is None:
            app.pieces.put_nowait(b"x" * 65_536)
    return app.sent


async def test_of_an_answer_that_nobody_reads_little_is_held():
    app = Stream()
    async with serving(app) as server:
        client = await server.connect(**SMALL)
        await client.send(GET.replace(b"1.1", b"1.0"))
        sent = await filled(server, app)
        for _ in range(20):
            app.pieces.put_nowait(b"x" * 65_536)
        await rounds(20)
        assert app.sent == sent
        assert server.connections[0].transport.get_write_buffer_size() <= MOST_HELD
        app.pieces.put_nowait(b"")
        assert (await client.until_end()).count(b"x") == app.sent


async def test_a_client_that_does_not_read_ends_its_connection():
    app = Stream()
    async with serving(app) as server:
        client = await server.connect(**SMALL)
        await client.send(GET)
        await filled(server, app)
        await forward(PATIENCE - 1)
        assert server.state.connections
        await forward(2 * PATIENCE)
        await rounds()
        assert app.ended == ["cancelled"]
        assert not server.state.connections


@pytest.mark.parametrize("head", [GET, GET.replace(b"1.1", b"1.0")], ids=["kept", "closed"])
async def test_so_does_one_that_does_not_read_an_answer_that_is_whole(head):
    """Nobody waits for it any more, but its bytes are held."""

    async def app(scope, receive, send):
        await answer(send, bytes(16_000_000))

    async with serving(app) as server:
        client = await server.connect(**SMALL)
        await client.send(head)
        await until(server.connections[0].transport.get_write_buffer_size)
        await forward(PATIENCE - 1)
        assert server.state.connections
        await forward(2 * PATIENCE)
        assert not server.state.connections


async def test_a_client_that_reads_slowly_but_steadily_gets_its_answer():
    async def app(scope, receive, send):
        await answer(send, bytes(8_000_000))

    async with serving(app) as server:
        client = await server.connect(**SMALL)
        await client.send(GET.replace(b"1.1", b"1.0"))
        transport, got = server.connections[0].transport, bytearray()
        await until(transport.get_write_buffer_size)
        while held := transport.get_write_buffer_size():
            await forward(PATIENCE - 1)
            while transport.get_write_buffer_size() == held:
                got += await asyncio.get_running_loop().sock_recv(client.sock, 1_000_000)
        got += await client.until_end()
        assert len(got.partition(b"\r\n\r\n")[2]) == 8_000_000
