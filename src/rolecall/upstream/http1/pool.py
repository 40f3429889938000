"""The connections to one origin: idle ones are used again, the last used first."""

import asyncio
from functools import partial
from typing import Final

from rolecall.core import Reason
from rolecall.upstream.dialing import Dialer
from rolecall.upstream.http1.connection import Connection, State
from rolecall.upstream.origin import Origin
from rolecall.upstream.transport import TransportError

MOST_OPEN: Final = 10_000
MOST_IDLE: Final = 512
# common servers drop idle connections after 5 s and more; what they drop earlier is replayed
IDLE_EXPIRY: Final = 15.0


class Pool:
    """Connections to one origin.

    Args:
        origin: where they lead.
        loop: the running loop.
    """

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._dialer = Dialer(origin, loop, "http/1.1")
        self._make = partial(Connection, loop, self._gone)
        self._closed = False
        self._idle: dict[Connection, None] = {}
        self._open: set[Connection] = set()
        self._opening = 0
        self._sweep_timer: asyncio.TimerHandle | None = None

    def take_idle(self) -> Connection | None:
        """An idle connection that may be used again, if there is one."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.is_usable():
                return connection
            connection.abort()
        return None

    async def connect(self, within: float) -> Connection:
        """A new connection.

        Args:
            within: seconds for name look-up, connecting and the TLS handshake together.

        Raises:
            TransportError: it cannot be had.
        """
        if len(self._open) + self._opening >= MOST_OPEN:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "Too many connections to the upstream are open."
            )
        self._opening += 1
        try:
            connection = await self._dialer.dial(self._make, within)
        finally:
            self._opening -= 1
        if connection.state is not State.CLOSED:
            self._open.add(connection)
            if self._closed:
                connection.abort()
        return connection

    def give_back(self, connection: Connection) -> None:
        """An answer has been read, or nobody wants the rest of it."""
        if self._dialer.context is not None and not connection.reused:
            # by now the tickets have come, which follow a handshake (RFC 8446 4.6.1)
            self._dialer.context.session = connection.tls_session()
        if not connection.release():
            return
        if len(self._idle) >= MOST_IDLE:
            connection.abort()
            return
        self._idle[connection] = None
        if self._sweep_timer is None:
            self._sweep_timer = self._loop.call_later(IDLE_EXPIRY, self._sweep)

    def close(self) -> None:
        """End every connection, and those that are being opened as soon as they stand."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        for connection in list(self._open):
            connection.abort()

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        return len(self._open), len(self._idle)

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def _sweep(self) -> None:
        self._sweep_timer = None
        expired = self._loop.time() - IDLE_EXPIRY
        for connection in [item for item in self._idle if item.idle_since <= expired]:
            del self._idle[connection]
            connection.abort()
        if self._idle:
            self._sweep_timer = self._loop.call_later(IDLE_EXPIRY / 2, self._sweep)
