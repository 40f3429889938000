"""Requests share a connection, within what the upstream allows, until it wants no more."""

import asyncio
import socket

import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from rolecall.core import Reason
from rolecall.upstream.http2 import connection as connections
from rolecall.upstream.http2.connection import EXPIRY
from rolecall.upstream.transport import TransportError
from tests.parts.clock import forward

from ..parts.exchange import DEADLINE, body_of, come_to, outcome, request, whole
from .parts.server import own, serving

FEW = {SettingCodes.MAX_CONCURRENT_STREAMS: 2}


def held(until):
    """Answer ``/slow`` only when ``until`` is set, and all else at once."""

    async def answer(peer, received):
        if received.path == "/slow":
            await until.wait()
        await own(peer, received)

    return answer


async def test_requests_at_once_share_a_connection_and_get_their_own_answers(transport):
    async with serving() as server:
        asked = [request(f"{server.url}/own", b"%d;" % number * 100) for number in range(100)]
        got = await asyncio.gather(*(body_of(transport, one) for one in asked))
        assert got == [b"own /own " + one.body for one in asked]
        assert len(server.peers) == 1
        await come_to(transport, 1, 1)


async def test_no_more_requests_at_once_than_the_upstream_takes(transport):
    slow = asyncio.Event()
    async with serving(held(slow), settings=FEW) as server:
        asked = request(f"{server.url}/slow")
        asking = [asyncio.create_task(body_of(transport, asked)) for _ in range(5)]
        await server.until(5)
        assert sorted(len(peer.requests) for peer in server.peers) == [1, 2, 2]
        slow.set()
        assert await asyncio.gather(*asking) == [b"own /slow {}"] * 5
        for _ in range(5):
            await body_of(transport, request(f"{server.url}/own"))
        assert len(server.peers) == 3


async def test_fewer_at_once_when_the_upstream_says_so_later(transport):
    async def answer(peer, received):
        if received.path == "/fewer":
            peer.h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: 1})
            await peer.flush()
        await held(slow)(peer, received)

    slow = asyncio.Event()
    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/fewer"))
        asked = request(f"{server.url}/slow")
        asking = [asyncio.create_task(body_of(transport, asked)) for _ in range(2)]
        await server.until(3)
        assert [len(peer.requests) for peer in server.peers] == [2, 1]
        slow.set()
        await asyncio.gather(*asking)


async def test_an_upstream_that_restarts_finishes_what_it_has(transport):
    """RFC 9113 6.8: after GOAWAY the requests that it names are answered."""

    async def answer(peer, received):
        if received.path == "/last":
            await peer.go_away(received.number)
            await peer.heard()
            told.set()
            await going.wait()
        await held(going)(peer, received)

    told, going = asyncio.Event(), asyncio.Event()
    async with serving(answer) as server:
        slow = asyncio.create_task(body_of(transport, request(f"{server.url}/slow")))
        await server.until(1)
        last = asyncio.create_task(body_of(transport, request(f"{server.url}/last")))
        await told.wait()
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2
        going.set()
        assert await asyncio.gather(slow, last) == [b"own /slow {}", b"own /last {}"]
        await server.peers[0].gone.wait()
        await come_to(transport, 1, 1)


async def test_two_warnings_before_the_end(transport):
    """The first names every possible request, the second those that were seen (RFC 9113 6.8)."""

    async def answer(peer, received):
        if received.number == 1:
            await peer.go_away(2**31 - 1)
            await peer.heard()
            await peer.go_away(received.number)
        await own(peer, received)

    async with serving(answer) as server:
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2


async def test_an_idle_connection_that_is_told_to_go_is_closed(transport):
    async with serving() as server:
        await body_of(transport, request(server.url))
        await server.peers[0].go_away(1)
        await server.peers[0].gone.wait()
        await come_to(transport, 0, 0)


async def test_a_connection_ends_with_all_its_requests(transport):
    async def answer(peer, received):
        await peer.head(received)
        if received.path == "/cut":
            peer.cut()

    async with serving(answer) as server:
        responses = [await transport.send(request(server.url)) for _ in range(3)]
        reading = [asyncio.create_task(outcome_of(response)) for response in responses]
        await outcome(transport, request(f"{server.url}/cut"))
        assert await asyncio.gather(*reading) == [Reason.UPSTREAM_ERROR] * 3
        await come_to(transport, 0, 0)


async def outcome_of(response):
    try:
        return await whole(response)
    except TransportError as error:
        return error.reason


async def test_a_connection_that_is_silent_gets_nothing_new(transport):
    """It may be dead, and whoever came would wait for all of its deadline."""
    slow = asyncio.Event()
    async with serving(held(slow)) as server:
        # after the first everything is said that a new connection has to say
        await body_of(transport, request(f"{server.url}/own"))
        asking = asyncio.create_task(body_of(transport, request(f"{server.url}/slow")))
        await server.until(2)
        await forward(EXPIRY + 1)
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2
        slow.set()
        assert await asking == b"own /slow {}"
        await server.peers[0].gone.wait()


async def test_a_ping_is_answered_and_keeps_a_connection_in_use(transport, monkeypatch):
    monkeypatch.setattr(connections, "EXPIRY", DEADLINE / 4)
    slow = asyncio.Event()
    async with serving(held(slow)) as server:
        asking = asyncio.create_task(body_of(transport, request(f"{server.url}/slow")))
        await server.until(1)
        for _ in range(4):
            await server.peers[0].heard()
            await forward(DEADLINE / 8)
        await body_of(transport, request(f"{server.url}/own"))
        assert len(server.peers) == 1
        slow.set()
        await asking


async def test_an_idle_connection_expires(transport):
    async with serving() as server:
        await body_of(transport, request(server.url))
        await forward(EXPIRY / 2)
        assert transport.counts() == (1, 1)
        await forward(EXPIRY)
        await server.peers[0].gone.wait()
        assert server.peers[0].farewell
        await come_to(transport, 0, 0)
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_a_connection_that_has_no_number_left_is_replaced(transport):
    async with serving() as server:
        await body_of(transport, request(server.url))
        (pool,) = transport._ways.pools.values()
        (connection,) = pool._open
        connection._h2.highest_outbound_stream_id = 2**31 - 1
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert len(server.peers) == 2
        await come_to(transport, 1, 1)


async def test_what_is_remembered_of_our_heads_is_bounded(transport):
    """However much an upstream would remember, it is we who remember it too."""
    much = {SettingCodes.HEADER_TABLE_SIZE: 2**31}
    async with serving(settings=much) as server:
        for number in range(100):
            headers = [(b"traceparent", b"%d" % number * 100)]
            await body_of(transport, request(f"{server.url}/own", headers=headers))
        (pool,) = transport._ways.pools.values()
        (connection,) = pool._open
        assert connection._h2.encoder.header_table_size == 4096
        assert len(server.peers) == 1


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.ENHANCE_YOUR_CALM])
async def test_a_request_that_is_reset_ends_alone(transport, code):
    async def answer(peer, received):
        if received.path == "/reset":
            await peer.refuse(received, code)
        else:
            await held(slow)(peer, received)

    slow = asyncio.Event()
    async with serving(answer) as server:
        asking = asyncio.create_task(body_of(transport, request(f"{server.url}/slow")))
        await server.until(1)
        assert await outcome(transport, request(f"{server.url}/reset")) is Reason.UPSTREAM_ERROR
        slow.set()
        assert await asking == b"own /slow {}"
        assert len(server.peers) == 1


async def test_an_upstream_that_asks_and_does_not_read_is_cut_off(transport, monkeypatch):
    """Every PING wants an answer, and answers are held until they are read."""
    monkeypatch.setattr(connections, "MOST_UNSENT", 64 * 1024)

    async def answer(peer, received):
        if received.path == "/own":
            await own(peer, received)
            return
        peer.pause()
        while True:
            await peer.raw(b"\0\0\x08\x06\0\0\0\0\012345678" * 1000)

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/own"))
        (pool,) = transport._ways.pools.values()
        (connection,) = pool._open
        ours = connection._transport.get_extra_info("socket")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_ERROR
        await come_to(transport, 0, 0)
