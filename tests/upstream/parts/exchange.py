"""One request through the transport, and what came of it."""

import asyncio
from dataclasses import dataclass

from rolecall.config import Timeouts, Tls
from rolecall.core import Reason
from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.http2 import Http2Transport
from rolecall.upstream.transport import Destination, Headers, Request, Response, TransportError

JSON = ((b"content-type", b"application/json"),)
PATIENT = Timeouts(connect=600, first_byte=600, stream=600, idle=600)
"""A test that has to wait so long has failed before (`tests.conftest.MOST`)."""


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
        headers or [],
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


async def come_to(transport: AnyTransport, opened: int, idle: int) -> None:
    """Wait until so many connections are open, and so many of them idle."""
    # the transport tells nobody when its counts change
    while transport.counts() != (opened, idle):  # noqa: ASYNC110
        await asyncio.sleep(0)


async def counts(transport: AnyTransport) -> tuple[int, int]:
    """Open and idle connections, once the loop has told of those that have just ended."""
    for _ in range(5):
        await asyncio.sleep(0)
    return transport.counts()
