"""A client that goes away takes its call with it."""

import json
import time

import pytest

from .parts.doors import ENDPOINTS, WAYS
from .parts.http import connected, message
from .parts.polling import wait_until

every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)


def sent(gateway, connection, door, **fields):
    body = json.dumps(door.body(**fields)).encode()
    headers = [("Content-Type", "application/json"), ("x-api-key", gateway.token)]
    connection.send(message("POST", door.path, headers, body))


def is_cancelled(upstream):
    wait_until(upstream.abandoned.is_set, "the upstream's connection ends")


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_before_the_answer_begins(gateway, upstream, door, stream, caplog):
    async def answer(received, wire):
        await wire.until_the_caller_hangs_up()

    upstream.answer = answer
    with connected(gateway.port) as connection:
        sent(gateway, connection, door, stream=stream)
        wait_until(lambda: upstream.received, "the upstream has the call")
    is_cancelled(upstream)
    assert not [record for record in caplog.records if record.name == "rolecall.requests"]


@every_way
def test_in_the_middle_of_a_plain_answer(gateway, upstream, door):
    async def answer(received, wire):
        await wire.head(200, ("Content-Type", "application/json"), ("Content-Length", 1000))
        await wire.write(b'{"id":')
        await wire.until_the_caller_hangs_up()

    upstream.answer = answer
    with connected(gateway.port) as connection:
        sent(gateway, connection, door)
        wait_until(lambda: upstream.received, "the upstream has the call")
    is_cancelled(upstream)


@every_way
def test_in_the_middle_of_a_stream(gateway, upstream, door):
    async def answer(received, wire):
        await wire.events(*door.events[:3])
        await wire.until_the_caller_hangs_up()

    upstream.answer = answer
    with connected(gateway.port) as connection:
        sent(gateway, connection, door, stream=True)
        assert connection.head().status == 200
        assert connection.piece()
    is_cancelled(upstream)


@every_way
def test_while_it_reads_too_slowly(gateway, upstream, door):
    """The stream waits for its reader, and ends with it."""
    filled = []

    async def answer(received, wire):
        await wire.events(*door.events[:3])
        while True:
            await wire.chunk(door.events[2] * 1000)
            filled.append(1)

    upstream.answer = answer
    with connected(gateway.port) as connection:
        sent(gateway, connection, door, stream=True)
        assert connection.head().status == 200
        wait_until(lambda: _is_full(filled), "the upstream has to wait")
    is_cancelled(upstream)


def _is_full(filled):
    before = len(filled)
    pause = time.monotonic() + 0.1
    wait_until(lambda: time.monotonic() > pause, "a moment")
    return before > 0 and len(filled) == before


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
def test_before_its_body_is_whole(gateway, upstream, door, caplog):
    with connected(gateway.port) as connection:
        headers = [("Content-Type", "application/json"), ("x-api-key", gateway.token)]
        connection.send(message("POST", door.path, [*headers, ("Content-Length", "1000")]))
        connection.send(b'{"model":')
    assert gateway.post(door.path, door.body()).status == 200
    assert len(upstream.received) == 1
    assert not [record for record in caplog.records if record.name == "rolecall.requests"]


@every_way
def test_a_client_that_only_stops_sending_still_gets_its_answer(gateway, upstream, door):
    with connected(gateway.port) as connection:
        sent(gateway, connection, door)
        assert connection.reply().status == 200
        sent(gateway, connection, door, stream=True)
        assert connection.reply().status == 200
    assert len(upstream.received) == 2
