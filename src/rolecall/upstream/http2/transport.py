"""The transport on HTTP/2 connections."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hpack import HeaderTuple, NeverIndexedHeaderTuple

from rolecall.core import Reason
from rolecall.upstream.http2.connection import Connection
from rolecall.upstream.http2.pool import Pool
from rolecall.upstream.http2.stream import Stream, Unprocessed
from rolecall.upstream.origin import Target
from rolecall.upstream.transport import Destination, Headers, Request, TransportError
from rolecall.upstream.ways import Ways

# a connection that others have used up meanwhile may be told to go as well
MOST_TRIES: Final = 3
_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_NO_VALUE: Final = re.compile(rb"[\0\r\n]")
_NO_PATH: Final = re.compile(rb"[\0-\x20\x7f]")
# RFC 9113 8.2.2: what frames a message, or speaks of the connection, is HTTP/2's own
_FRAMING: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"host",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
# RFC 7541 7.1.3: nobody on the way is to remember them
_CREDENTIALS: Final = frozenset({b"authorization", b"api-key", b"x-api-key", b"x-goog-api-key"})


@dataclass(slots=True)
class _Way:
    """How requests reach one destination: the beginning of each head, and the connections."""

    start: Headers
    path: bytes
    fields: Headers
    pool: Pool


class Http2Transport:
    """Shared connections, some for each origin; make it inside the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ways = Ways(Pool, _way)

    async def send(self, request: Request) -> Stream:
        """Send a request and wait for the head of the answer.

        A request is sent again only where the upstream has not processed it: it says so, or had
        closed the idle connection before a byte came back (RFC 9113 8.7).
        """
        if self._ways.closed:
            raise TransportError(Reason.UPSTREAM_UNAVAILABLE, "The transport is closed.")
        began = self._loop.time()
        destination = request.destination
        way = self._ways.known.get(destination) or self._ways.find(destination)
        head = _head(way, request)
        timeouts = destination.timeouts
        connect, total = timeouts.connect, timeouts.total
        within = connect if total is None else min(connect, total)
        connection = way.pool.find() or await way.pool.connect(within)
        for _ in range(MOST_TRIES - 1):
            try:
                return await _ask(connection, request, head, began)
            except Unprocessed:
                if self._ways.closed:
                    raise
            connection = await way.pool.connect(within)
        return await _ask(connection, request, head, began)

    async def close(self) -> None:
        """Close every connection."""
        await self._ways.close()

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        return self._ways.counts()


def _way(destination: Destination, target: Target, pool: Pool) -> _Way:
    start = [
        (b":method", b"POST"),
        (b":scheme", b"https" if target.origin.secure else b"http"),
        (b":authority", target.host),
    ]
    return _Way(start, _checked_path(target.path), _fields(destination.headers), pool)


async def _ask(connection: Connection, request: Request, head: Headers, began: float) -> Stream:
    stream = connection.begin(request, head, began)
    try:
        await stream.answer()
    except BaseException:
        stream.close()
        raise
    return stream


def _head(way: _Way, request: Request) -> Headers:
    path = way.path
    if query := request.query:
        path = path + b"?" + _checked_path(query)
    length = (b"content-length", b"%d" % len(request.body))
    return [*way.start, (b":path", path), *way.fields, *_fields(request.fields.headers), length]


def _checked_path(path: bytes) -> bytes:
    if _NO_PATH.search(path):
        raise _unwritable()
    return path


def _fields(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Header fields as HPACK takes them.

    h2 checks them while it compresses them, and what it refuses then leaves the two tables of
    HPACK apart, for all requests to come: here is the place to refuse.
    """
    fields: Headers = []
    for name, value in headers:
        if not _NAME.fullmatch(name) or _NO_VALUE.search(value) or name in _FRAMING:
            raise _unwritable()
        kind = NeverIndexedHeaderTuple if name in _CREDENTIALS else HeaderTuple
        fields.append(kind(name, value))
    return fields


def _unwritable() -> TransportError:
    return TransportError(Reason.UPSTREAM_ERROR, "The request cannot be written in HTTP/2.")
