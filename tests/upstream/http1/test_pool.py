"""Connections are kept, used again, replaced when stale, and never lost."""

import asyncio
import socket
from dataclasses import replace

import pytest

from rolecall.core import Reason
from rolecall.upstream.http1 import pool as pools
from rolecall.upstream.transport import TransportError
from tests.parts.clock import forward, when_due
from tests.parts.waiting import until

from ..parts.exchange import (
    DEADLINE,
    IMPATIENT,
    UNUSABLE,
    Answer,
    body_of,
    come_to,
    connection_of,
    outcome,
    request,
    stop_reading,
    whole,
)
from ..parts.server import own, serving
from .parts.transcripts import HELLO


async def test_requests_one_after_another_share_a_connection(transport):
    async with serving() as server:
        for number in range(10):
            body = await body_of(transport, request(f"{server.url}/own", b"%d" % number))
            assert body == b"own /own %d" % number
        assert len(server.peers) == 1
        assert transport.counts() == (1, 1)


async def test_requests_at_once_have_a_connection_each_and_the_last_used_serves_first(transport):
    async with serving() as server:
        asked = request(f"{server.url}/own")
        answers = [await transport.send(asked) for _ in range(3)]
        assert transport.counts() == (3, 0)
        for answer in answers:
            await whole(answer)
        assert transport.counts() == (3, 3)
        for _ in range(5):
            await body_of(transport, asked)
        assert [len(server.peers), transport.counts()] == [3, (3, 3)]


async def test_origins_share_nothing(transport):
    async with serving() as one, serving() as two:
        for server in (one, two, one, two):
            assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert (len(one.peers), len(two.peers)) == (1, 1)
        assert transport.counts() == (2, 2)


async def test_queries_and_destinations_share_a_connection(transport):
    async with serving() as server:
        for number in range(50):
            path = f"/own?q={number}"
            assert (
                await body_of(transport, request(server.url + path)) == f"own {path} {{}}".encode()
            )
        assert len(server.peers) == 1


async def test_the_request_is_written_as_given(transport):
    async with serving() as server:
        headers = [(b"authorization", b"Bearer \xe4"), (b"x", b""), (b"x", b"2")]
        await body_of(transport, request(f"{server.url}/a%20b/c?d=%0d", b"{}", headers=headers))
        port = server.url.rpartition(":")[2]
        assert server.requests[0].head == (
            b"POST /a%%20b/c?d=%%0d HTTP/1.1\r\nhost: 127.0.0.1:%b\r\n"
            b"authorization: Bearer \xe4\r\nx: \r\nx: 2\r\ncontent-length: 2\r\n\r\n"
            % port.encode()
        )


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/", (b"x", b"a\r\nhost: evil")),
        ("/", (b"x", b"a\nb")),
        ("/", (b"x", b"a\rb")),
        ("/", (b"x\r\ny", b"a")),
        ("/a b", (b"x", b"a")),
        ("/?a b", (b"x", b"a")),
        ("/?a\r\nhost: evil", (b"x", b"a")),
        ("/", (b"Host", b"evil")),
        ("/", (b"Content-Length", b"0")),
        ("/", (b"transfer-encoding", b"chunked")),
    ],
)
async def test_a_request_that_would_be_two_is_not_sent(transport, path, header):
    async with serving() as server:
        with pytest.raises(TransportError, match="cannot be written"):
            await transport.send(request(server.url + path, headers=[header]))
        assert server.peers == []


@pytest.mark.parametrize("url", UNUSABLE)
async def test_a_url_that_cannot_be_used_is_unavailable(transport, url):
    assert await outcome(transport, request(url)) is Reason.UPSTREAM_UNAVAILABLE


async def test_nobody_listens(transport):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    got = await outcome(transport, request(f"http://127.0.0.1:{port}"))
    assert got is Reason.UPSTREAM_UNAVAILABLE
    assert transport.counts() == (0, 0)


async def test_nobody_accepts_in_time(transport):
    """TCP stands, and TLS never comes: connecting is both."""

    async with serving() as server:
        asked = request(server.url.replace("http:", "https:"), timeouts=IMPATIENT)
        asking = asyncio.create_task(outcome(transport, asked))
        await until(lambda: server.peers)
        assert await when_due(IMPATIENT.connect, asking) is Reason.UPSTREAM_TIMEOUT
        assert transport.counts() == (0, 0)


async def test_the_total_deadline_begins_before_connecting(transport):
    timeouts = replace(IMPATIENT, total=30)
    async with serving() as server:
        asked = request(server.url.replace("http:", "https:"), timeouts=timeouts)
        asking = asyncio.create_task(outcome(transport, asked))
        await until(lambda: server.peers)
        assert await when_due(timeouts.total, asking) is Reason.UPSTREAM_TIMEOUT


# -- stale connections ---------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_request_into_a_stale_connection_is_sent_once_more(transport, end):
    async def answer(peer, received):
        if peer.number == 0 and len(server.requests) == 2:
            getattr(peer, end)()
        else:
            await own(peer, received)

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/1"))
        assert await body_of(transport, request(f"{server.url}/2")) == b"own /2 {}"
        assert [received.path for received in server.requests] == ["/1", "/2", "/2"]
        await come_to(transport, 1, 1)


async def test_a_second_connection_that_closes_is_not_stale(transport):
    """However many idle connections there are, a request is sent at most twice."""

    async def answer(peer, received):
        if received.path == "/first":
            await gathered.wait()
            await own(peer, received)
        else:
            peer.close()

    gathered = asyncio.Barrier(3)
    async with serving(answer) as server:
        first = request(f"{server.url}/first")
        await asyncio.gather(*(body_of(transport, first) for _ in range(3)))
        assert transport.counts() == (3, 3)
        assert await outcome(transport, request(f"{server.url}/2")) is Reason.UPSTREAM_ERROR
        assert [received.path for received in server.requests].count("/2") == 2
        await come_to(transport, 2, 2)


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("sent", [b"H", HELLO[:-1]], ids=["one letter", "nearly all"])
async def test_a_request_that_was_begun_to_be_answered_is_not_repeated(transport, sent, end):
    async def answer(peer, received):
        if received.path == "/first":
            await own(peer, received)
            return
        await peer.send(sent)
        await until(lambda: not connection_of(transport)._silent)
        getattr(peer, end)()

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/first"))
        assert await outcome(transport, request(f"{server.url}/2")) is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 2


async def test_a_request_into_a_new_connection_is_not_repeated(transport):
    async def answer(peer, received):
        peer.close()

    async with serving(answer) as server:
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 1


async def test_a_late_answer_is_not_a_stale_connection(transport):
    async def answer(peer, received):
        if received.path == "/first":
            await own(peer, received)
            return
        await peer.until_closed()

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/first"))
        late = asyncio.create_task(outcome(transport, request(f"{server.url}/late")))
        await until(lambda: len(server.requests) == 2)
        assert await when_due(DEADLINE, late) is Reason.UPSTREAM_TIMEOUT
        assert len(server.requests) == 2


async def test_connections_that_the_upstream_closed_meanwhile_are_not_used(transport):
    async with serving() as server:
        await body_of(transport, request(f"{server.url}/1"))
        server.peers[0].close()
        await server.peers[0].gone.wait()
        assert await body_of(transport, request(f"{server.url}/2")) == b"own /2 {}"
        assert [received.path for received in server.requests] == ["/1", "/2"]


# -- limits and expiry -----------------------------------------------------------------------------


async def test_idle_connections_expire(transport):
    async with serving() as server:
        await body_of(transport, request(server.url))
        await forward(pools.IDLE_EXPIRY / 2)
        assert transport.counts() == (1, 1)
        await forward(pools.IDLE_EXPIRY)
        await server.peers[0].gone.wait()
        await come_to(transport, 0, 0)
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_idle_connections_are_bounded(transport, monkeypatch):
    monkeypatch.setattr(pools, "MOST_IDLE", 2)
    async with serving() as server:
        answers = [await transport.send(request(server.url)) for _ in range(5)]
        for answer in answers:
            await whole(answer)
        await come_to(transport, 2, 2)


async def test_open_connections_are_bounded(transport, monkeypatch):
    monkeypatch.setattr(pools, "MOST_OPEN", 2)
    async with serving() as server:
        asked = request(server.url)
        got = await asyncio.gather(
            *(transport.send(asked) for _ in range(4)), return_exceptions=True
        )
        refused = [error for error in got if isinstance(error, TransportError)]
        assert [error.reason for error in refused] == [Reason.UPSTREAM_UNAVAILABLE] * 2
        for answer in got:
            if answer not in refused:
                await whole(answer)
        assert isinstance(await outcome(transport, asked), Answer)


# -- close and cancellation ------------------------------------------------------------------------


async def test_an_answer_that_is_not_read_ends_its_connection(transport):
    async with serving() as server:
        answer = await transport.send(request(server.url))
        answer.close()
        await come_to(transport, 0, 0)
        await server.peers[0].gone.wait()


async def test_an_answer_is_closed_once_and_then_silent(transport):
    """A second close must not end what is another request's connection by then."""
    async with serving() as server:
        first = await transport.send(request(f"{server.url}/1"))
        while await first.read():
            pass
        first.close()
        second = await transport.send(request(f"{server.url}/2"))
        first.close()
        with pytest.raises(RuntimeError, match="closed"):
            await first.read()
        assert (await whole(second)).body == b"own /2 {}"
        assert len(server.peers) == 1


async def test_close_ends_everything_also_what_is_being_opened(transport):
    async def answer(peer, received):
        await peer.send(HELLO[:-1])
        await peer.until_closed()

    async with serving(answer) as server, serving() as silent:
        reading = asyncio.create_task(outcome(transport, request(server.url)))
        late = request(silent.url.replace("http:", "https:"))
        opening = asyncio.create_task(outcome(transport, late))
        await until(lambda: server.requests and silent.peers)
        assert transport.counts() == (1, 0)
        await transport.close()
        assert transport.counts() == (0, 0)
        assert await reading is Reason.UPSTREAM_ERROR
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_UNAVAILABLE
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)


async def test_close_while_connecting_leaves_no_connection(transport):
    async with serving() as server:
        for _ in range(5):
            asking = asyncio.create_task(outcome(transport, request(server.url)))
            await asyncio.sleep(0)
        await transport.close()
        assert await asking in {Reason.UPSTREAM_ERROR, Reason.UPSTREAM_UNAVAILABLE}
        await come_to(transport, 0, 0)


async def test_close_does_not_repeat_a_request(transport):
    async def answer(peer, received):
        if received.path == "/1":
            await own(peer, received)
            return
        await peer.until_closed()

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/1"))
        asking = asyncio.create_task(outcome(transport, request(f"{server.url}/2")))
        await until(lambda: len(server.requests) == 2)
        await transport.close()
        assert await asking is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 2


@pytest.mark.parametrize("secure", [False, True])
async def test_cancellation_at_any_moment_leaks_nothing(
    transport, descriptors, authority, monkeypatch, secure
):
    tls = authority.server("127.0.0.1") if secure else None
    if secure:
        monkeypatch.setenv("SSL_CERT_FILE", authority.file)
    async with serving(tls=tls) as server:
        if secure:
            # reading the authorities goes to a thread, whose pool of threads stays
            await body_of(transport, request(server.url))
            for peer in server.peers:
                peer.close()
                await peer.gone.wait()
            await come_to(transport, 0, 0)
        before = descriptors(), len(asyncio.all_tasks())
        finished = moment = 0
        while moment < 60 or not finished:
            asking = asyncio.create_task(body_of(transport, request(server.url)))
            for _ in range(moment):
                await asyncio.sleep(0)
            asking.cancel()
            got = (await asyncio.gather(asking, return_exceptions=True))[0]
            finished += isinstance(got, bytes)
            moment += 1
            await until(lambda: len(set(transport.counts())) == 1)
            assert transport.counts()[0] <= 1
        for peer in server.peers:
            peer.close()
            await peer.gone.wait()
        await come_to(transport, 0, 0)
        await until(lambda: (descriptors(), len(asyncio.all_tasks())) == before)


# -- back-pressure ---------------------------------------------------------------------------------


async def test_a_reader_that_does_not_read_stops_the_upstream(transport):
    async def answer(peer, received):
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.flood()

    async with serving(answer) as server:
        response = await transport.send(request(server.url))
        (peer,) = server.peers
        await stop_reading(response, peer)


async def test_an_upstream_that_does_not_read_is_late(transport):
    async def stuck(reader, writer):
        accepted.set()
        await hold.wait()
        writer.transport.abort()
        over.set()

    accepted, hold, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    server = await asyncio.start_server(stuck, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    asking = asyncio.create_task(outcome(transport, request(url, bytes(20_000_000))))
    await accepted.wait()
    assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT
    await come_to(transport, 0, 0)
    hold.set()
    await over.wait()
    server.close()


async def test_a_large_body_arrives_whole(transport):
    body = bytes(range(256)) * 40_000
    async with serving() as server:
        got = await body_of(transport, request(f"{server.url}/own", body))
        assert got == b"own /own " + body
        assert transport.counts() == (1, 1)
