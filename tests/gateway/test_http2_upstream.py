"""Upstreams that speak HTTP/2 are served as all others are."""

import asyncio
import itertools
import json
import threading

import pytest
from h2.errors import ErrorCodes

from ..upstream.http2.parts.faults import FAULTS
from .parts import http2_upstream, serving
from .parts.doors import CHAT, MESSAGES, WAYS
from .parts.http import connected, message
from .parts.http2_upstream import EVENTS, JSON
from .parts.upstream import OPENAI_ANSWER

every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)


@pytest.fixture(scope="module")
def the_upstream2():
    with http2_upstream.running() as running:
        yield running


@pytest.fixture(scope="module")
def the_gateway2(the_upstream2, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    sections = serving.configuration(folder, the_upstream2.url)
    for model in sections["models"]:
        model["transport"] = "http2"
    with serving.running(folder, sections) as running:
        yield running


@pytest.fixture
def upstream2(the_upstream2):
    the_upstream2.forget()
    return the_upstream2


@pytest.fixture
def gateway2(the_gateway2, upstream2):
    return the_gateway2


def asked(gateway, door, **fields):
    body = json.dumps(door.body(**fields)).encode()
    credentials = ("Authorization", f"Bearer {gateway.token}")
    return message("POST", door.path, [("Content-Type", "application/json"), credentials], body)


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_call_is_answered(gateway2, upstream2, door, stream):
    reply = gateway2.post(door.path, door.body(stream=stream))
    assert reply.status == 200
    (received,) = upstream2.requests
    assert received.path == door.upstream_path
    assert json.loads(received.body)["model"] == door.upstream_model
    sent = dict(received.headers)
    assert {name: sent[name] for name in (b":method", b":scheme")} == {
        b":method": b"POST",
        b":scheme": b"http",
    }
    assert gateway2.token.encode() not in b"".join(value for _, value in received.headers)
    if stream and not door.translated:
        assert reply.body == b"".join(door.events)


def test_calls_share_a_connection(gateway2, upstream2):
    before = len(upstream2.peers)
    for _ in range(5):
        assert gateway2.post(CHAT.path, CHAT.body()).status == 200
    assert len(upstream2.peers) <= before + 1


def test_an_event_passes_while_the_upstream_holds_the_next_one_back(gateway2, upstream2):
    async def answer(peer, received):
        await peer.head(received, EVENTS)
        for event in CHAT.events[:2]:
            await peer.data(received, event)
        await gate.wait()
        for event in CHAT.events[2:]:
            await peer.data(received, event)
        await peer.data(received, b"", end=True)

    gate = asyncio.Event()
    upstream2.answer = answer
    with connected(gateway2.port) as connection:
        connection.send(asked(gateway2, CHAT, stream=True))
        try:
            assert connection.head().status == 200
            body = b""
            while b"Hel" not in body:
                body += connection.piece()
            assert b'"lo"' not in body
        finally:
            upstream2.set(gate)
        while piece := connection.piece():
            body += piece
    assert body == b"".join(CHAT.events)


async def never_answers(peer, received):
    pass


async def stalls(peer, received):
    await peer.head(received, JSON)
    await peer.data(received, b'{"id":')


async def refuses(peer, received):
    await peer.refuse(received, ErrorCodes.REFUSED_STREAM)


async def breaks_off(peer, received):
    await peer.head(received, JSON)
    await peer.data(received, b'{"id":')
    await peer.refuse(received, ErrorCodes.INTERNAL_ERROR)


async def closes(peer, received):
    await peer.head(received, JSON)
    peer.cut()


async def redirects(peer, received):
    await peer.head(received, (b"location", b"http://169.254.169.254/"), status=b"307", end=True)


FAILURES = {
    "never answers": (never_answers, "upstream_timeout"),
    "stalls": (stalls, "upstream_timeout"),
    "refuses": (refuses, "upstream_unavailable"),
    "breaks off": (breaks_off, "upstream_error"),
    "closes": (closes, "upstream_error"),
    "redirects": (redirects, "upstream_error"),
}


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("answer", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_failure_is_an_error_of_ours(  # noqa: PLR0917 - columns of a table
    gateway2, upstream2, door, stream, answer, reason
):
    stalled = threading.Event()

    async def answer_and_stall(peer, received):
        await answer(peer, received)
        await peer.heard()
        stalled.set()

    if reason == "upstream_timeout":
        upstream2.answer = answer_and_stall
        body = door.body(model=f"hasty-{door.model}", stream=stream)
        reply = gateway2.post_too_late(door.path, body, stalled.is_set)
    else:
        upstream2.answer = answer
        reply = gateway2.post(door.path, door.body(stream=stream))
    assert "upstream" in door.refused(reply, reason)
    upstream2.answer = http2_upstream.answer_well
    assert gateway2.post(door.path, door.body()).status == 200


# each fault at one of the doors, plain or as a stream
FAULTS_AT_DOORS = {
    f"{name}-{door.name}-{'stream' if stream else 'plain'}": (fault, door, stream)
    for (name, fault), door, stream in zip(
        FAULTS.items(), itertools.cycle(WAYS), itertools.cycle([False, True])
    )
}


@pytest.mark.parametrize(("fault", "door", "stream"), FAULTS_AT_DOORS.values(), ids=FAULTS_AT_DOORS)
def test_a_lie_is_an_error_of_ours_and_poisons_nothing(gateway2, upstream2, fault, door, stream):
    async def answer(peer, received):
        await received.whole.wait()
        await peer.raw(fault.sent(peer.h2, received.number))

    upstream2.answer = answer
    reply = gateway2.post(door.path, door.body(stream=stream))
    assert "upstream" in door.refused(reply, "upstream_error")
    (received,) = upstream2.requests
    if not fault.alone:
        upstream2.wait_for(received.peer.gone)
    upstream2.answer = http2_upstream.answer_well
    assert gateway2.post(CHAT.path, CHAT.body()).json == OPENAI_ANSWER


def test_an_upstreams_own_error_keeps_its_status(gateway2, upstream2):
    async def answer(peer, received):
        await peer.head(received, JSON, (b"retry-after", b"7"), status=b"429")
        await peer.data(received, b'{"error": {"message": "slow down"}}', end=True)

    upstream2.answer = answer
    reply = gateway2.post(CHAT.path, CHAT.body())
    assert (reply.status, reply.headers["retry-after"]) == (429, "7")
    assert reply.json == {"error": {"message": "slow down"}}


@pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)
def test_a_client_that_goes_away_ends_the_upstreams_work_and_no_others(gateway2, upstream2, door):
    async def answer(peer, received):
        await received.whole.wait()
        if json.loads(received.body).get("stream"):
            await peer.head(received, EVENTS)
            await peer.data(received, door.events[0])
        else:
            await peer.answer(received, json.dumps(OPENAI_ANSWER).encode(), JSON)

    upstream2.answer = answer
    with connected(gateway2.port) as connection:
        connection.send(asked(gateway2, door, stream=True))
        assert connection.head().status == 200
        assert connection.piece()
    (received,) = upstream2.requests
    upstream2.wait_for(received.ended)
    assert received.code == ErrorCodes.CANCEL
    assert gateway2.post(CHAT.path, CHAT.body()).json == OPENAI_ANSWER
