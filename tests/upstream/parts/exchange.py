"""One request through the transport, and what came of it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rolecall.config import Timeouts, Tls
from rolecall.core import Reason
from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.http2 import Http2Transport
from rolecall.upstream.transport import (
    Destination,
    Fields,
    Headers,
    Request,
    Response,
    TransportError,
)
from tests.parts.clock import forward
from tests.parts.waiting import rounds, until

JSON = ((b"content-type", b"application/json"),)
DEADLINE = 600
"""Seconds that no test waits: it puts the clock forward."""
PATIENT = Timeouts(connect=DEADLINE, first_byte=DEADLINE, stream=DEADLINE, idle=DEADLINE)
IMPATIENT = Timeouts(connect=50, first_byte=DEADLINE, stream=DEADLINE, idle=DEADLINE)
"""Gives up a TLS handshake before asyncio does, after 60 s."""


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes


Outcome = Answer | Reason
AnyTransport = Http1Transport | Http2Transport

UNUSABLE = [
    "ftp://127.0.0.1/",
    "http:///path",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:x/",
    f"http://{'a' * 64}.example/",
    "http://a..b/",
    "http://127.0.0.1/\u20ac",
    "http://[::1/",
]


def request(
    url: str,
    body: bytes = b"{}",
    *,
    timeouts: Timeouts = PATIENT,
    stream: bool = False,
    tls: Tls | None = None,
    headers: Headers | None = None,
) -> Request:
    url, _, query = url.partition("?")
    return Request(
        Destination(url, () if headers else JSON, timeouts, tls),
        Fields(headers or []),
        body,
        stream,
        query.encode("latin-1"),
    )


async def whole(response: Response) -> Answer:
    """Read an answer to its end and close it."""
    try:
        body = bytearray()
        while piece := await response.read():
            body += piece
        return Answer(response.status, response.headers, bytes(body))
    finally:
        response.close()


async def outcome(transport: AnyTransport, asked: Request) -> Outcome:
    """The answer to a request, or the reason why there is none."""
    try:
        return await whole(await transport.send(asked))
    except TransportError as error:
        return error.reason


async def body_of(transport: AnyTransport, asked: Request) -> bytes:
    return (await whole(await transport.send(asked))).body


async def dribble_twice(transport: AnyTransport, url: str, turns: asyncio.Semaphore) -> None:
    """Read an answer that comes one piece a turn: all of it, and until it has taken too long."""
    response = await transport.send(request(url))
    assert await _dribbled(response, turns) == b"hello"
    response.close()
    bounded = replace(PATIENT, total=1.25 * DEADLINE)
    response = await transport.send(request(url, timeouts=bounded))
    with pytest.raises(TransportError, match="took more than"):
        await _dribbled(response, turns)
    response.close()


async def _dribbled(response: Response, turns: asyncio.Semaphore) -> bytes:
    # each piece comes when half of the deadline has passed
    body = b""
    while not response.ended:
        reading = asyncio.ensure_future(response.read())
        await rounds()
        await forward(DEADLINE / 2)
        turns.release()
        body += await reading
    return body


async def stop_reading(response: Response, peer: Any) -> None:
    """See that an upstream is stopped by who does not read its flood, and goes on with them."""
    await until(lambda: peer.stuck)
    await rounds(1000)
    was = peer.flooded
    # what the kernel's buffers on both sides take, and ours
    assert was < 16 * 1024 * 1024
    while peer.flooded == was:
        assert await response.read()
    response.close()


async def come_to(transport: AnyTransport, opened: int, idle: int) -> None:
    """Wait until so many connections are open, and so many of them idle."""
    await until(lambda: transport.counts() == (opened, idle))


def connection_of(transport: AnyTransport) -> Any:
    """The only connection that is open."""
    (pool,) = transport._ways.pools.values()
    (connection,) = pool._open
    return connection
