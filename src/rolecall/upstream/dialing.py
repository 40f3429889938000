"""How a connection to an origin is opened: straight or through a proxy, with TLS or without."""

import asyncio
import ssl
from collections.abc import Callable

from rolecall.core import Reason
from rolecall.upstream.origin import Origin
from rolecall.upstream.tls import Alpn, ClientContext, client_context
from rolecall.upstream.transport import TransportError
from rolecall.upstream.tunnel import Spoken, open_tunnel


class Dialer:
    """Opens connections to one origin, and keeps the TLS context that they share.

    Args:
        origin: where they lead.
        loop: the running loop.
        alpn: the protocol that is offered in the TLS handshake.

    Attributes:
        context: None before the first TLS connection.
    """

    __slots__ = ("_alpn", "_lock", "_loop", "_origin", "context")

    def __init__(self, origin: Origin, loop: asyncio.AbstractEventLoop, alpn: Alpn) -> None:
        self._origin = origin
        self._loop = loop
        self._alpn = alpn
        self._lock = asyncio.Lock()
        self.context: ClientContext | None = None

    async def dial(self, make: Callable[[], Spoken], within: float) -> Spoken:
        """A connection that stands.

        Args:
            make: makes what speaks on it.
            within: seconds for name look-up, connecting and the TLS handshake together.

        Raises:
            TransportError: it cannot be had.
        """
        try:
            # a timeout wants a task, which a coroutine driven by hand gets here
            await asyncio.sleep(0)
            async with asyncio.timeout(within):
                return await self._connect(make)
        except TimeoutError:
            raise not_accepted(within) from None
        except ssl.SSLError:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "The upstream's TLS certificate or handshake is bad."
            ) from None
        except (OSError, ValueError):
            # a name that cannot be a host's is a ValueError
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "The upstream cannot be reached."
            ) from None

    async def _connect(self, make: Callable[[], Spoken]) -> Spoken:
        origin = self._origin
        if origin.secure and self.context is None:
            # once: reading the system's authorities takes tens of milliseconds
            async with self._lock:
                if self.context is None:
                    self.context = await asyncio.to_thread(client_context, origin.tls, self._alpn)
        if origin.proxy is not None:
            return await open_tunnel(self._loop, origin, self.context, make)
        _, connection = await self._loop.create_connection(
            make, origin.host, origin.port, ssl=self.context
        )
        return connection


def not_accepted(within: float) -> TransportError:
    """The error for a connection that was not there in time; ``within`` is in seconds."""
    return TransportError(
        Reason.UPSTREAM_TIMEOUT, f"The upstream did not accept a connection within {within:g} s."
    )
