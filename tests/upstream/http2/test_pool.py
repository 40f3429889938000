"""A connection is opened once for all who want one, and never lost."""

import asyncio
import socket

import pytest
from h2.settings import SettingCodes

from rolecall.core import Reason
from rolecall.upstream.http2 import pool as pools
from rolecall.upstream.http2.connection import EXPIRY
from rolecall.upstream.http2.stream import WINDOW
from rolecall.upstream.transport import TransportError
from tests.parts.clock import forward, when_due
from tests.parts.waiting import until

from ..parts.exchange import IMPATIENT, body_of, come_to, outcome, request
from .parts.server import serving, silence


async def test_nobody_listens(transport):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    asked = request(f"http://127.0.0.1:{port}")
    got = await asyncio.gather(*(outcome(transport, asked) for _ in range(5)))
    assert set(got) == {Reason.UPSTREAM_UNAVAILABLE}
    assert transport.counts() == (0, 0)


@pytest.mark.parametrize("scheme", ["http:", "https:"])
async def test_an_upstream_that_accepts_and_says_nothing_is_late(transport, scheme):
    async with serving(greeting=b"") as server:
        asked = request(server.url.replace("http:", scheme), timeouts=IMPATIENT)
        asking = asyncio.gather(*(outcome(transport, asked) for _ in range(5)))
        await until(lambda: server.peers)
        assert set(await when_due(IMPATIENT.connect, asking)) == {Reason.UPSTREAM_TIMEOUT}
        await come_to(transport, 0, 0)


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH\r\n"])
async def test_an_upstream_that_speaks_something_else_is_unavailable(transport, greeting):
    async with serving(greeting=greeting) as server:
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


async def test_an_upstream_that_hangs_up_at_once_is_unavailable(transport):
    async def hang_up(reader, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await outcome(transport, request(url)) is Reason.UPSTREAM_UNAVAILABLE


async def test_an_upstream_that_takes_no_requests_is_unavailable(transport):
    none = {SettingCodes.MAX_CONCURRENT_STREAMS: 0}
    async with serving(settings=none) as server:
        asked = request(server.url)
        got = await asyncio.gather(*(outcome(transport, asked) for _ in range(3)))
        assert set(got) == {Reason.UPSTREAM_UNAVAILABLE}
        assert len(server.peers) == 1
        await come_to(transport, 0, 0)


async def test_whoever_opens_a_connection_and_goes_leaves_it_to_the_others(transport):
    async with serving() as server:
        asking = [
            asyncio.create_task(body_of(transport, request(f"{server.url}/own"))) for _ in range(3)
        ]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking[0].cancel()
        got = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(got[0], asyncio.CancelledError)
        assert got[1:] == [b"own /own {}"] * 2
        assert len(server.peers) == 1


async def test_a_connection_that_nobody_wants_any_more_expires(transport):
    async with serving() as server:
        asking = asyncio.create_task(body_of(transport, request(server.url)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        await come_to(transport, 1, 1)
        await forward(EXPIRY / 2)
        assert transport.counts() == (1, 1)
        await forward(EXPIRY)
        await server.peers[0].gone.wait()
        await come_to(transport, 0, 0)
        assert server.requests == []


async def test_each_waits_for_a_connection_as_long_as_it_may(transport):
    async with serving(greeting=b"") as server:
        first = asyncio.create_task(outcome(transport, request(server.url)))
        await until(lambda: server.peers)
        hasty = request(server.url, timeouts=IMPATIENT)
        second = asyncio.create_task(outcome(transport, hasty))
        assert await when_due(IMPATIENT.connect, second) is Reason.UPSTREAM_TIMEOUT
        assert not first.done()
        first.cancel()
        await asyncio.wait([first])


async def test_open_connections_are_bounded(transport, monkeypatch):
    monkeypatch.setattr(pools, "MOST_OPEN", 2)
    one = {SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    async with serving(silence, settings=one) as server:
        asking = [asyncio.create_task(outcome(transport, request(server.url))) for _ in range(2)]
        await server.until(2)
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_UNAVAILABLE
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)


async def test_origins_share_nothing(transport):
    async with serving() as one, serving() as two:
        for server in (one, two, one, two):
            assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert (len(one.peers), len(two.peers)) == (1, 1)
        assert transport.counts() == (2, 2)


async def test_close_ends_everything_also_what_is_being_opened(transport):
    async with serving(silence) as server, serving(greeting=b"") as silent:
        reading = asyncio.create_task(outcome(transport, request(server.url)))
        opening = asyncio.create_task(outcome(transport, request(silent.url)))
        await server.until(1)
        await come_to(transport, 2, 0)
        await transport.close()
        assert transport.counts() == (0, 0)
        assert await reading is Reason.UPSTREAM_ERROR
        assert await opening is Reason.UPSTREAM_UNAVAILABLE
        await server.peers[0].gone.wait()


async def test_an_answer_that_is_closed_after_everything_is_closed(transport):
    async def answer(peer, received):
        await peer.head(received)
        await peer.data(received, bytes(WINDOW))

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        closing = asyncio.create_task(transport.close())
        await asyncio.sleep(0)
        while not response.ended:
            try:
                await response.read()
            except TransportError:
                break
        response.close()
        await closing


@pytest.mark.parametrize("secure", [False, True])
async def test_cancellation_at_any_moment_leaks_nothing(
    transport, descriptors, authority, monkeypatch, secure
):
    tls = authority.server("127.0.0.1") if secure else None
    if secure:
        monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    async with serving(tls=tls) as server:
        # reading the authorities goes to a thread, whose pool of threads stays
        await body_of(transport, request(server.url))
        server.peers[0].close()
        await server.peers[0].gone.wait()
        await come_to(transport, 0, 0)
        before = descriptors(), len(asyncio.all_tasks())
        finished = moment = 0
        while moment < 60 or not finished:
            asking = asyncio.create_task(body_of(transport, request(server.url, bytes(100_000))))
            for _ in range(moment):
                await asyncio.sleep(0)
            asking.cancel()
            got = (await asyncio.gather(asking, return_exceptions=True))[0]
            finished += isinstance(got, bytes)
            moment += 1
        # the one that is shared stands, and takes requests
        assert len(await body_of(transport, request(server.url))) > 0
        await come_to(transport, 1, 1)
        for peer in server.peers:
            peer.close()
            await peer.gone.wait()
        await come_to(transport, 0, 0)
        await until(lambda: (descriptors(), len(asyncio.all_tasks())) == before)
