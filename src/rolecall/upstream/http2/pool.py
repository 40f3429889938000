"""The connections to one origin: requests share one as long as the upstream takes them."""

import asyncio
from functools import partial
from typing import Final

from rolecall.core import Reason
from rolecall.upstream.dialing import Dialer, not_accepted
from rolecall.upstream.http2.connection import Connection
from rolecall.upstream.origin import Origin
from rolecall.upstream.transport import TransportError

# each takes a hundred requests and more (RFC 9113 6.5.2)
MOST_OPEN: Final = 100


class Pool:
    """Connections to one origin.

    Args:
        origin: where they lead.
        loop: the running loop.
    """

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._dialer = Dialer(origin, loop, "h2")
        self._make = partial(Connection, loop, self._gone)
        self._open: dict[Connection, None] = {}
        self._opening: asyncio.Task[Connection] | None = None
        self._closed = False

    def find(self) -> Connection | None:
        """A connection that takes another request, if there is one."""
        return next((connection for connection in list(self._open) if connection.has_room()), None)

    async def connect(self, within: float) -> Connection:
        """A new connection that takes a request; those who want one at a time share it.

        Args:
            within: seconds for name look-up, connecting, the TLS handshake and the upstream's
                settings together.

        Raises:
            TransportError: it cannot be had.
        """
        # a timeout wants a task, which a coroutine driven by hand gets here
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(within):
                while True:
                    opening = self._opening or self._open_another(within)
                    await asyncio.wait([opening])
                    if opening.cancelled():
                        raise _closed()
                    connection = opening.result()
                    if connection.has_room():
                        return connection
        except TimeoutError:
            raise not_accepted(within) from None

    def close(self) -> None:
        """End every connection, and the one that is being opened."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        for connection in list(self._open):
            connection.close()

    def counts(self) -> tuple[int, int]:
        """How many connections are open or being opened, and how many of those are idle."""
        opening = self._opening is not None
        return len(self._open) + opening, sum(connection.idle for connection in self._open)

    def _open_another(self, within: float) -> asyncio.Task[Connection]:
        if self._closed:
            raise _closed()
        if len(self._open) >= MOST_OPEN:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "Too many connections to the upstream are open."
            )
        self._opening = self._loop.create_task(self._establish(within))
        self._opening.add_done_callback(self._opened)
        return self._opening

    async def _establish(self, within: float) -> Connection:
        due = self._loop.time() + within
        connection = await self._dialer.dial(self._make, within)
        try:
            async with asyncio.timeout_at(due):
                await connection.established
        except TimeoutError:
            connection.close()
            raise not_accepted(within) from None
        except BaseException:
            connection.close()
            raise
        if not connection.has_room():
            connection.close()
            raise TransportError(Reason.UPSTREAM_UNAVAILABLE, "The upstream takes no requests.")
        self._open[connection] = None
        return connection

    def _opened(self, opening: asyncio.Task[Connection]) -> None:
        self._opening = None
        if not opening.cancelled():
            # whoever wanted it may be gone
            opening.exception()

    def _gone(self, connection: Connection) -> None:
        if self._open.pop(connection, self) is None and self._dialer.context is not None:
            # by now the tickets have come, which follow a handshake (RFC 8446 4.6.1)
            self._dialer.context.session = connection.tls_session()


def _closed() -> TransportError:
    return TransportError(Reason.UPSTREAM_UNAVAILABLE, "The transport is closed.")
