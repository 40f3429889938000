"""The transport on our own HTTP/1.1 connections."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final

from rolecall.core import Reason
from rolecall.upstream.http1.connection import Connection, StaleConnection
from rolecall.upstream.http1.pool import Pool
from rolecall.upstream.origin import Target
from rolecall.upstream.transport import Destination, Headers, Request, Sink, TransportError
from rolecall.upstream.ways import Ways

_FRAMING: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})


class Http1Response:
    """One answer."""

    __slots__ = ("_connection", "_pool", "headers", "status")

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.status = connection.status
        self.headers: Headers = connection.headers

    @property
    def ended(self) -> bool:
        """Whether the whole body has been read."""
        return self._connection is not None and self._connection.ended

    def read(self) -> Awaitable[bytes]:
        """The next piece of the body; empty at its end.

        Raises:
            TransportError: the upstream stalled, broke off, or broke the protocol.
            RuntimeError: the answer was closed, and its connection may serve another.
        """
        if self._connection is None:
            raise RuntimeError("the answer was closed")
        return self._connection.read()

    def pass_on(self, sink: Sink) -> Awaitable[None]:
        """Hand each piece of the body to ``sink`` as it comes, until it wants no more or the end.

        Raises:
            TransportError: as `read` does.
            RuntimeError: as `read` does.
        """
        if self._connection is None:
            raise RuntimeError("the answer was closed")
        return self._connection.pass_on(sink)

    def close(self) -> None:
        """Give the connection back, or end it if the body was not read to its end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)


@dataclass(slots=True)
class _Way:
    """How requests reach one destination: the beginning of each, and the connections."""

    start: bytes
    head: bytes
    pool: Pool


class Http1Transport:
    """Keep-alive pools, one for each origin; make it inside the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ways = Ways(Pool, _way)

    async def send(self, request: Request) -> Http1Response:
        """Send a request and wait for the head of the answer.

        A request is sent a second time only where the first went into a connection that had been
        idle and was closed without a byte of an answer: the upstream had hung up before it saw
        the request (RFC 9112 9.5), and a model call changes nothing that a second one would
        change twice.
        """
        if self._ways.closed:
            raise TransportError(Reason.UPSTREAM_UNAVAILABLE, "The transport is closed.")
        began = self._loop.time()
        destination = request.destination
        way = self._ways.known.get(destination) or self._ways.find(destination)
        head = _head(way, request)
        timeouts = destination.timeouts
        connection = way.pool.take_idle()
        while True:
            if connection is None:
                within = timeouts.connect
                if timeouts.total is not None:
                    within = min(within, timeouts.total)
                connection = await way.pool.connect(within)
            try:
                await connection.request(
                    head, request.body, timeouts, stream=request.stream, began=began
                )
            except StaleConnection:
                if self._ways.closed:
                    raise
                connection = None
            except BaseException:
                connection.abort()
                raise
            else:
                return Http1Response(connection, way.pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._ways.close()

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        return self._ways.counts()


def _way(destination: Destination, target: Target, pool: Pool) -> _Way:
    start = b"POST " + target.path
    if start.count(b" ") != 1 or b"\r" in start or b"\n" in start:
        raise _unwritable()
    head = b" HTTP/1.1\r\nhost: " + target.host + b"\r\n" + _fields(destination.headers)
    return _Way(start, head, pool)


def _head(way: _Way, request: Request) -> bytes:
    start = way.start
    if query := request.query:
        if b" " in query or b"\r" in query or b"\n" in query:
            raise _unwritable()
        start += b"?" + query
    fields = request.fields
    if (written := fields.written) is None:
        written = fields.written = _fields(fields.headers)
    length = len(request.body)
    return b"%b%b%bcontent-length: %d\r\n\r\n" % (start, way.head, written, length)


def _fields(headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    fields = b"".join([b"%b: %b\r\n" % header for header in headers])
    # every line break in the head must be one of ours (CWE-113), and so must what frames it
    if (
        fields.count(b"\n") != len(headers)
        or fields.count(b"\r") != len(headers)
        or not _FRAMING.isdisjoint([name.lower() for name, _ in headers])
    ):
        raise _unwritable()
    return fields


def _unwritable() -> TransportError:
    return TransportError(Reason.UPSTREAM_ERROR, "The request cannot be written in HTTP/1.1.")
