"""Whatever an upstream sends: a reason, and never another request's answer."""

import asyncio
import itertools
import random

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream.http2 import Http2Transport

from ..parts.exchange import PATIENT, Answer, body_of, come_to, outcome, request
from .parts import faults
from .parts.faults import FAULTS
from .parts.server import own, serving

HASTY = Timeouts(connect=5, first_byte=0.03, stream=0.03, idle=0.03)


def sending(sent):
    """Answer ``/play`` with frames, hold ``/beside`` back, and give all else its own answer."""

    async def answer(peer, received):
        if received.path == "/play":
            await received.whole.wait()
            await peer.raw(sent(peer.h2, received.number))
        elif received.path != "/beside":
            await own(peer, received)

    return answer


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_is_an_error_and_poisons_nothing(transport, fault):
    async with serving(sending(fault.sent)) as server:
        assert await body_of(transport, request(f"{server.url}/before")) == b"own /before {}"
        beside = asyncio.create_task(outcome(transport, request(f"{server.url}/beside")))
        await server.until(2)
        assert await outcome(transport, request(f"{server.url}/play")) is Reason.UPSTREAM_ERROR
        if not fault.alone:
            await server.peers[0].gone.wait()
            assert await beside is Reason.UPSTREAM_ERROR
        assert await body_of(transport, request(f"{server.url}/own", b"1")) == b"own /own 1"
        assert len(server.peers) == (1 if fault.alone else 2)
        beside.cancel()
        await asyncio.wait([beside])
        await come_to(transport, 1, 1)


SECOND = {
    "an answer": faults.HELLO,
    "a piece": faults.raw(faults.DATA, 0, b"forged"),
    "trailers": faults.head((b"x", b"y"), flags=faults.END_HEADERS | faults.END_STREAM),
}


@pytest.mark.parametrize("more", SECOND.values(), ids=SECOND)
async def test_what_comes_after_an_answer_is_nobodys(transport, more):
    async with serving(sending(faults.after(faults.HELLO, more))) as server:
        got = await outcome(transport, request(f"{server.url}/play"))
        # h2 may see the second before anybody has read the first
        assert got in (Answer(200, [], b"hello"), Reason.UPSTREAM_ERROR)
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"


async def test_an_answer_before_the_request_is_nobodys(transport):
    early = H2Connection(H2Configuration(client_side=False))
    early.initiate_connection()
    greeting = early.data_to_send() + faults.HELLO(early, 1)
    async with serving(greeting=greeting) as server:
        got = await outcome(transport, request(server.url))
        assert got in {Reason.UPSTREAM_ERROR, Reason.UPSTREAM_UNAVAILABLE}
        await come_to(transport, 0, 0)


ANSWER = faults.after(
    faults.head((b":status", b"103"), (b"link", b"</a>")),
    faults.head(faults.STATUS, (b"content-type", b"text/plain")),
    faults.raw(faults.DATA, 0, b"hel"),
    faults.raw(faults.PING, 0, b"12345678", 0),
    faults.raw(faults.GOAWAY, 0, b"\0\0\0\1" + bytes(4), 0),
    faults.raw(faults.DATA, faults.END_STREAM, b"lo"),
)


async def played(pieces, timeouts=PATIENT):
    """What comes of an answer in pieces; whatever it is, it comes soon and nothing is left."""

    async def answer(peer, received):
        await received.whole.wait()
        for piece in pieces(ANSWER(peer.h2, received.number)):
            await peer.raw(piece)
            await asyncio.sleep(0)

    transport = Http2Transport()
    async with serving(answer) as server:
        got = await outcome(transport, request(server.url, timeouts=timeouts))
        await transport.close()
        assert transport.counts() == (0, 0)
    return got


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(places=st.lists(st.integers(0, 200), max_size=20))
async def test_an_answer_in_any_pieces_is_the_same(places):
    def pieces(data):
        marks = sorted({min(place, len(data)) for place in places} | {0, len(data)})
        return [data[a:b] for a, b in itertools.pairwise(marks)]

    assert await played(pieces) == Answer(200, [(b"content-type", b"text/plain")], b"hello")


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 6))
async def test_an_answer_with_wrong_bytes_is_an_answer_or_a_reason(caplog, seed, changes):
    def pieces(data):
        changed = bytearray(data)
        chance = random.Random(seed)
        for _ in range(changes):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        return [bytes(changed)]

    got = await played(pieces, HASTY)
    assert isinstance(got, Answer) or got in {Reason.UPSTREAM_ERROR, Reason.UPSTREAM_TIMEOUT}
    # asyncio says so when a protocol raises what nobody foresaw
    assert caplog.records == []


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(junk=st.binary(min_size=1, max_size=300))
async def test_anything_at_all_ends_in_a_reason(caplog, junk):
    got = await played(lambda _: [junk], HASTY)
    assert isinstance(got, Answer) or got in {Reason.UPSTREAM_ERROR, Reason.UPSTREAM_TIMEOUT}
    assert caplog.records == []
