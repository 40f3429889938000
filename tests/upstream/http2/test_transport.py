"""What is asked arrives as it was given, and so does the answer; nothing is sent twice in doubt."""

import asyncio
from dataclasses import replace

import hpack
import pytest
from h2.errors import ErrorCodes
from h2.settings import SettingCodes

from rolecall.core import Reason
from rolecall.upstream.http2.transport import MOST_TRIES
from rolecall.upstream.transport import TransportError
from tests.parts.clock import when_due
from tests.parts.waiting import until

from ..parts.exchange import (
    DEADLINE,
    PATIENT,
    UNUSABLE,
    Answer,
    body_of,
    come_to,
    outcome,
    request,
    whole,
)
from .parts.server import own, serving


async def test_a_request_arrives_as_it_was_given(transport):
    async with serving() as server:
        headers = [(b"authorization", b"Bearer \xe4"), (b"x", b""), (b"x", b"2")]
        asked = request(f"{server.url}/a%20b/c?d=%0d", b"{}", headers=headers)
        assert await body_of(transport, asked) == b"own /a%20b/c?d=%0d {}"
        port = server.url.rpartition(":")[2].encode()
        assert server.requests[0].headers == [
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":authority", b"127.0.0.1:" + port),
            (b":path", b"/a%20b/c?d=%0d"),
            *headers,
            (b"content-length", b"2"),
        ]


async def test_an_answer_comes_back_as_it_was_given(transport):
    async def answer(peer, received):
        fields = [(b"b", b"1"), (b"a", b"2"), (b"b", b"3"), (b"location", b"/x")]
        await peer.head(received, *fields, (b"content-length", b"4"), status=b"307")
        await peer.data(received, b"\x1f\x8b\x08\x00", end=True)

    async with serving(answer) as server:
        got = await whole(await transport.send(request(server.url)))
        fields = [(b"b", b"1"), (b"a", b"2"), (b"b", b"3"), (b"location", b"/x")]
        assert got == Answer(307, [*fields, (b"content-length", b"4")], b"\x1f\x8b\x08\x00")
        assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256))], ids=len)
async def test_bodies_of_any_length(transport, body):
    async with serving() as server:
        assert await body_of(transport, request(f"{server.url}/own", body)) == b"own /own " + body


async def test_nobody_on_the_way_remembers_credentials(transport):
    """RFC 7541 7.1.3: they are in no table, however often they are sent."""
    async with serving() as server:
        headers = [(b"authorization", b"Bearer a"), (b"x-api-key", b"b"), (b"accept", b"c")]
        for _ in range(3):
            await body_of(transport, request(server.url, headers=headers))
        for received in server.requests:
            kinds = {
                name: isinstance(field, hpack.NeverIndexedHeaderTuple)
                for field in received.headers
                for name in [field[0]]
            }
            assert (kinds[b"authorization"], kinds[b"x-api-key"]) == (True, True)
            assert not kinds[b"accept"]


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/", (b"x", b"a\r\nhost: evil")),
        ("/", (b"x", b"a\nb")),
        ("/", (b"x", b"a\rb")),
        ("/", (b"x", b"a\0b")),
        ("/", (b"x\r\ny", b"a")),
        ("/", (b"x y", b"a")),
        ("/", (b"", b"a")),
        ("/", (b":authority", b"evil")),
        ("/", (b"X", b"a")),
        ("/a b", (b"x", b"a")),
        ("/?a b", (b"x", b"a")),
        ("/?a\r\nhost: evil", (b"x", b"a")),
        ("/", (b"host", b"evil")),
        ("/", (b"content-length", b"0")),
        ("/", (b"transfer-encoding", b"chunked")),
        ("/", (b"connection", b"close")),
        ("/", (b"te", b"trailers")),
    ],
)
async def test_a_request_that_cannot_be_written_harms_no_other(transport, path, header):
    async with serving() as server:
        asked = request(f"{server.url}/own", headers=[(b"x", b"1"), (b"y", b"2")])
        assert await body_of(transport, asked) == b"own /own {}"
        with pytest.raises(TransportError, match="cannot be written"):
            await transport.send(request(server.url + path, headers=[(b"y", b"3"), header]))
        assert await body_of(transport, asked) == b"own /own {}"
        assert len(server.peers) == 1
        assert len(server.requests) == 2


@pytest.mark.parametrize("url", UNUSABLE)
async def test_a_url_that_cannot_be_used_is_unavailable(transport, url):
    assert await outcome(transport, request(url)) is Reason.UPSTREAM_UNAVAILABLE


async def test_large_bodies_both_ways_at_once(transport):
    async def answer(peer, received):
        await received.whole.wait()
        await peer.answer(received, bytes(received.body))

    async with serving(answer) as server:
        bodies = [bytes([number]) * 3_000_000 for number in range(4)]
        asked = [request(server.url, body) for body in bodies]
        assert await asyncio.gather(*(body_of(transport, one) for one in asked)) == bodies
        assert len(server.peers) == 1


async def test_a_body_waits_for_the_upstreams_window(transport):
    tiny = {SettingCodes.INITIAL_WINDOW_SIZE: 100}
    async with serving(settings=tiny) as server:
        body = bytes(range(256)) * 10
        assert await body_of(transport, request(f"{server.url}/own", body)) == b"own /own " + body


# -- once more, or not -----------------------------------------------------------------------------


def once(refuse):
    """Do so with the first request to ``/again``, and answer all others."""

    async def answer(peer, received):
        again = [one for one in peer.server.requests if one.path == "/again"]
        if received.path == "/again" and len(again) == 1:
            await received.whole.wait()
            await refuse(peer, received)
        else:
            await own(peer, received)

    return answer


async def refused(peer, received):
    await peer.refuse(received, ErrorCodes.REFUSED_STREAM)


async def not_looked_at(peer, received):
    await peer.go_away(max(received.number - 2, 0))


async def closed(peer, received):
    peer.close()


async def reset(peer, received):
    peer.reset()


@pytest.mark.parametrize("refuse", [refused, not_looked_at, closed, reset])
async def test_what_the_upstream_has_not_processed_is_sent_once_more(transport, refuse):
    async with serving(once(refuse)) as server:
        assert await body_of(transport, request(f"{server.url}/first")) == b"own /first {}"
        assert await body_of(transport, request(f"{server.url}/again")) == b"own /again {}"
        assert [one.path for one in server.requests] == ["/first", "/again", "/again"]
        assert len(server.peers) == 2


@pytest.mark.parametrize("refuse", [refused, not_looked_at, closed, reset])
async def test_and_not_for_ever(transport, refuse):
    async def answer(peer, received):
        if received.path == "/first":
            await own(peer, received)
            return
        await received.whole.wait()
        await refuse(peer, received)

    async with serving(answer) as server:
        await body_of(transport, request(f"{server.url}/first"))
        got = await outcome(transport, request(f"{server.url}/again"))
        certain = refuse in {refused, not_looked_at}
        assert got is (Reason.UPSTREAM_UNAVAILABLE if certain else Reason.UPSTREAM_ERROR)
        tries = MOST_TRIES if certain else 2
        assert [one.path for one in server.requests] == ["/first", *["/again"] * tries]


async def ended(peer, received):
    await peer.refuse(received, ErrorCodes.INTERNAL_ERROR)


async def begun_and_closed(peer, received):
    await peer.head(received)
    await peer.heard()
    peer.close()


async def begun_and_refused(peer, received):
    await peer.head(received)
    await peer.refuse(received, ErrorCodes.INTERNAL_ERROR)


async def named_and_closed(peer, received):
    await peer.go_away(received.number)
    await peer.heard()
    peer.close()


@pytest.mark.parametrize("end", [ended, begun_and_closed, begun_and_refused, named_and_closed])
async def test_what_the_upstream_may_have_processed_is_not_sent_again(transport, end):
    async with serving(once(end)) as server:
        await body_of(transport, request(f"{server.url}/first"))
        got = await outcome(transport, request(f"{server.url}/again"))
        assert got is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 2
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_a_request_beside_another_is_not_taken_for_unseen(transport):
    """The connection was at work, and so the upstream may have seen it."""

    async def answer(peer, received):
        if received.path == "/slow":
            await peer.head(received)
        else:
            await closed(peer, received)

    async with serving(answer) as server:
        slow = await transport.send(request(f"{server.url}/slow"))
        got = await outcome(transport, request(f"{server.url}/again"))
        slow.close()
        assert got is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 2


async def test_a_request_on_a_new_connection_is_not_sent_again(transport):
    async with serving(once(closed)) as server:
        assert await outcome(transport, request(f"{server.url}/again")) is Reason.UPSTREAM_ERROR
        assert len(server.requests) == 1


# -- deadlines and the end -------------------------------------------------------------------------


async def test_the_total_deadline_begins_before_connecting(transport):
    timeouts = replace(PATIENT, connect=10 * DEADLINE, total=DEADLINE)
    async with serving(greeting=b"") as server:
        asking = asyncio.create_task(outcome(transport, request(server.url, timeouts=timeouts)))
        await until(lambda: server.peers)
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT


async def test_a_transport_that_was_closed_sends_nothing(transport):
    async with serving() as server:
        await body_of(transport, request(server.url))
        await transport.close()
        assert await outcome(transport, request(server.url)) is Reason.UPSTREAM_UNAVAILABLE
        await come_to(transport, 0, 0)
        assert len(server.requests) == 1
