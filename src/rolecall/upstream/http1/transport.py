"""The transport on our own HTTP/1.1 connections."""

import asyncio
from typing import Final

from rolecall.config import Tls
from rolecall.core import Reason
from rolecall.upstream.http1.connection import Connection, StaleConnection
from rolecall.upstream.http1.origin import Origin, Target
from rolecall.upstream.http1.pool import Pool
from rolecall.upstream.transport import Headers, Request, TransportError

_MOST_TARGETS: Final = 4096
_FAREWELL_ROUNDS: Final = 100
_OURS: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})


class Http1Response:
    """One answer."""

    __slots__ = ("_connection", "_pool", "headers", "status")

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.status = connection.status
        self.headers: Headers = connection.headers

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end.

        Raises:
            TransportError: the upstream stalled, broke off, or broke the protocol.
            RuntimeError: the answer was closed, and its connection may serve another.
        """
        if self._connection is None:
            raise RuntimeError("the answer was closed")
        return await self._connection.read()

    def close(self) -> None:
        """Give the connection back, or end it if the body was not read to its end."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(connection)


class Http1Transport:
    """Keep-alive pools, one for each origin; make it inside the running loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._targets: dict[tuple[str, Tls | None], Target] = {}
        self._pools: dict[Origin, Pool] = {}
        self._closed = False

    async def send(self, request: Request) -> Http1Response:
        """Send a request and wait for the head of the answer.

        A request is sent a second time only where the first went into a connection that had been
        idle and was closed without a byte of an answer: the upstream had hung up before it saw
        the request (RFC 9112 9.5), and a model call changes nothing that a second one would
        change twice.
        """
        if self._closed:
            raise TransportError(Reason.UPSTREAM_UNAVAILABLE, "The transport is closed.")
        began = self._loop.time()
        # callers choose queries, so they stay out of what is remembered
        url, mark, query = request.url.partition("?")
        target = self._target(url, request.tls)
        data = _encode(request, target, f"{mark}{query}".encode("latin-1", "replace"))
        pool = self._pools.get(target.origin)
        if pool is None:
            pool = self._pools[target.origin] = Pool(target.origin, self._loop)
        connection = pool.take_idle()
        if connection is not None:
            try:
                return await self._exchange(connection, pool, request, data, began)
            except StaleConnection:
                if self._closed:
                    raise
        connect, total = request.timeouts.connect, request.timeouts.total
        connection = await pool.connect(connect if total is None else min(connect, total))
        return await self._exchange(connection, pool, request, data, began)

    async def close(self) -> None:
        """Close every connection."""
        self._closed = True
        for pool in self._pools.values():
            pool.close()
        # they tell of their end within the loop's next rounds
        for _ in range(_FAREWELL_ROUNDS):
            if self.counts()[0] == 0:
                return
            await asyncio.sleep(0)

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        counts = [pool.counts() for pool in self._pools.values()]
        return sum(count[0] for count in counts), sum(count[1] for count in counts)

    async def _exchange(
        self, connection: Connection, pool: Pool, request: Request, data: bytes, began: float
    ) -> Http1Response:
        timeouts = request.timeouts
        try:
            await connection.request(
                data,
                first_byte=timeouts.stream if request.stream else timeouts.first_byte,
                idle=timeouts.idle,
                total=timeouts.total,
                began=began,
            )
        except BaseException:
            connection.abort()
            raise
        return Http1Response(connection, pool)

    def _target(self, url: str, tls: Tls | None) -> Target:
        target = self._targets.get((url, tls))
        if target is None:
            try:
                target = Target.of(url, tls)
            except ValueError:
                raise TransportError(
                    Reason.UPSTREAM_UNAVAILABLE, "The upstream's or its proxy's URL is unusable."
                ) from None
            if len(self._targets) >= _MOST_TARGETS:
                self._targets.clear()
            self._targets[url, tls] = target
        return target


def _encode(request: Request, target: Target, query: bytes) -> bytes:
    names = [name.lower() for name, _ in request.headers]
    lines = [b"POST " + target.path + query + b" HTTP/1.1", b"host: " + target.host]
    lines += [name + b": " + value for name, value in request.headers]
    lines.append(b"content-length: %d\r\n\r\n" % len(request.body))
    head = b"\r\n".join(lines)
    # every line break in the head must be one of ours (CWE-113), and so must what frames it
    breaks = len(lines) + 1
    if (
        head.count(b"\n") != breaks
        or head.count(b"\r") != breaks
        or lines[0].count(b" ") != 2
        or not _OURS.isdisjoint(names)
    ):
        raise TransportError(Reason.UPSTREAM_ERROR, "The request cannot be written in HTTP/1.1.")
    return head + request.body
