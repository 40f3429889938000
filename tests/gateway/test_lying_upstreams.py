"""Upstreams that lie: an error in the caller's format, a closed connection, no poisoned call."""

import itertools
import json
from contextlib import contextmanager

import pytest

from rolecall.gateway import answer as answers

from ..upstream.http1.parts.transcripts import BAD, CHUNKED, OK
from .parts import serving
from .parts.doors import CHAT, MESSAGES, WAYS
from .parts.http import connected, message
from .parts.polling import wait_until
from .parts.upstream import OPENAI_ANSWER

every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)

JSON = ("Content-Type", "application/json")
EVENTS = ("Content-Type", "text/event-stream")

# each lie at one of the doors, plain or as a stream
LIES = {
    f"{lie}-{door.name}-{'stream' if stream else 'plain'}": (lie.sent, door, stream)
    for lie, door, stream in zip(BAD, itertools.cycle(WAYS), itertools.cycle([False, True]))
}


def harmed_nobody(gateway, upstream):
    """The upstream's connection has ended, and the next call gets its own answer."""
    wait_until(upstream.abandoned.is_set, "the upstream's connection ends")
    upstream.forget()
    assert gateway.post(CHAT.path, CHAT.body()).json == OPENAI_ANSWER


@pytest.mark.parametrize(("sent", "door", "stream"), LIES.values(), ids=LIES)
def test_a_lie_is_an_error_of_ours_and_poisons_nothing(gateway, upstream, sent, door, stream):
    async def answer(received, wire):
        await wire.write(sent)
        await wire.until_the_caller_hangs_up()

    assert gateway.post(CHAT.path, CHAT.body()).json == OPENAI_ANSWER
    upstream.answer = answer
    reply = gateway.post(door.path, door.body(stream=stream))
    assert "upstream" in door.refused(reply, "upstream_error")
    harmed_nobody(gateway, upstream)


FORGED = b'{"forged": true}'
SECOND = {
    "a second answer": OK + b"Content-Length: %d\r\n\r\n%b" % (len(FORGED), FORGED),
    "a second answer in chunks": CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(FORGED), FORGED),
    "half a second answer": OK + b"Content-Length: 1000\r\n\r\n",
    "garbage": b"\0\1\2",
}


@every_way
@pytest.mark.parametrize("later", [False, True], ids=["at once", "later"])
@pytest.mark.parametrize("more", SECOND.values(), ids=SECOND)
def test_what_follows_an_answer_is_nobodys(gateway, upstream, door, more, later):
    """Response smuggling: whoever asks next must not be given it."""

    async def answer(received, wire):
        body = json.dumps(OPENAI_ANSWER).encode()
        head = OK + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        await wire.write(head + body + (b"" if later else more))
        if later:
            await gate.wait()
            await wire.write(more)
        await wire.until_the_caller_hangs_up()

    gate = upstream.gate()
    upstream.answer = answer
    gateway.post(door.path, door.body())
    gate.open()
    harmed_nobody(gateway, upstream)


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\0b"], ids=repr)
@pytest.mark.parametrize("name", ["Retry-After", "x-request-id", "x-ratelimit-limit-requests"])
def test_no_header_of_an_upstream_becomes_two(gateway, upstream, name, value):
    """Header injection, through the headers that are passed on (CWE-113)."""

    async def answer(received, wire):
        await wire.whole(200, b"{}", JSON, (name, value))
        await wire.until_the_caller_hangs_up()

    upstream.answer = answer
    CHAT.refused(gateway.post(CHAT.path, CHAT.body()), "upstream_error")
    harmed_nobody(gateway, upstream)


# -- too much, too slowly --------------------------------------------------------------------------


@contextmanager
def bounded(folder, upstream):
    """A gateway whose models have much time for each step, and little in all."""
    sections = serving.configuration(folder, upstream.url)
    for model in sections["models"]:
        model |= {"timeout": 600, "idle_timeout": 600, "total_timeout": serving.HASTE}
    with serving.running(folder, sections) as gateway:
        yield gateway


async def byte_by_byte(wire, data):
    for byte in data:
        await wire.write(bytes([byte]))
        await wire.pause()


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_head_that_comes_byte_by_byte_is_late(gateway, upstream, door, stream):
    async def answer(received, wire):
        await byte_by_byte(wire, OK + b"X: " + b"y" * 10_000)

    upstream.answer = answer
    body = door.body(model=f"hasty-{door.model}", stream=stream)
    reply = gateway.post_too_late(door.path, body, upstream.stalled.is_set)
    door.refused(reply, "upstream_timeout")
    harmed_nobody(gateway, upstream)


@every_way
def test_a_body_that_comes_byte_by_byte_is_bounded_in_all(upstream, door, tmp_path):
    async def answer(received, wire):
        await wire.head(200, JSON, ("Content-Length", 10_000))
        await byte_by_byte(wire, b"y" * 10_000)

    upstream.answer = answer
    with bounded(tmp_path, upstream) as gateway:
        reply = gateway.post_too_late(door.path, door.body(), upstream.stalled.is_set)
        door.refused(reply, "upstream_timeout")
        harmed_nobody(gateway, upstream)


@every_way
def test_a_stream_that_comes_byte_by_byte_is_bounded_in_all(upstream, door, tmp_path):
    async def answer(received, wire):
        await wire.head(200, EVENTS)
        await wire.write(b"".join(door.events[:3]))
        await byte_by_byte(wire, door.events[3] * 100)

    upstream.answer = answer
    body = json.dumps(door.body(stream=True)).encode()
    with bounded(tmp_path, upstream) as gateway, connected(gateway.port) as connection:
        credentials = ("Authorization", f"Bearer {gateway.token}")
        connection.send(message("POST", door.path, [JSON, credentials], body))
        assert connection.head().status == 200
        wait_until(upstream.stalled.is_set, "the bytes come one by one")
        gateway.pass_over(serving.HASTE)
        received = b""
        while piece := connection.piece():
            received += piece
        assert b"upstream_timeout" in received[-400:]
        harmed_nobody(gateway, upstream)


async def nothing(wire, most):
    """Send so many zeros, or as many as are taken; tell how many went."""
    sent = 0
    try:
        while sent < most:
            await wire.write(bytes(65_536))
            sent += 65_536
    except ConnectionError:
        wire.abandon()
    return sent


@pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)
@pytest.mark.parametrize("status", [200, 500])
def test_five_gigabytes_of_nothing_are_not_kept(gateway, upstream, door, status, monkeypatch):
    monkeypatch.setattr(answers, "MAX_ANSWER", 4 * 1024 * 1024)
    sent = []

    async def answer(received, wire):
        await wire.head(status, JSON, ("Content-Length", 5 * 1024**3))
        sent.append(await nothing(wire, 5 * 1024**3))

    upstream.answer = answer
    reply = gateway.post(door.path, door.body())
    assert "too long" in door.refused(reply, "upstream_error")
    harmed_nobody(gateway, upstream)
    assert sent[0] < 64 * 1024 * 1024


@every_way
def test_five_gigabytes_of_nothing_wait_for_their_reader(gateway, upstream, door):
    """An event without an end, to a client that does not read it."""
    sent = []

    async def answer(received, wire):
        await wire.head(200, EVENTS, ("Content-Length", 5 * 1024**3))
        sent.append(await nothing(wire, 5 * 1024**3))

    upstream.answer = answer
    body = json.dumps(door.body(stream=True)).encode()
    headers = [JSON, ("Authorization", f"Bearer {gateway.token}")]
    with connected(gateway.port) as connection:
        connection.send(message("POST", door.path, headers, body))
        connection.head()
        taken = 0
        while taken < 4 * 1024 * 1024 and (piece := connection.piece()):
            taken += len(piece)
    wait_until(lambda: sent, "the upstream is told to stop")
    assert sent[0] < 64 * 1024 * 1024
    harmed_nobody(gateway, upstream)
