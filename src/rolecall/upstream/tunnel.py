"""The way through a forward proxy: CONNECT, then TLS to the upstream itself (RFC 9110 9.3.6)."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from rolecall.core import Reason
from rolecall.upstream.origin import Origin
from rolecall.upstream.tls import ClientContext
from rolecall.upstream.transport import TransportError
from rolecall.wire import ConnectAnswer

Spoken = TypeVar("Spoken", bound=asyncio.Protocol)


class _Handshake(asyncio.Protocol):
    """Reads the proxy's answer to CONNECT."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.opened: asyncio.Future[bool] = loop.create_future()
        self._answer = ConnectAnswer()

    def data_received(self, data: bytes) -> None:
        opened = self._answer.feed(data)
        if opened is not None and not self.opened.done():
            self.opened.set_result(opened)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.opened.done():
            self.opened.set_result(False)


async def open_tunnel(
    loop: asyncio.AbstractEventLoop,
    origin: Origin,
    context: ClientContext | None,
    make: Callable[[], Spoken],
) -> Spoken:
    """Connect to an origin through its proxy.

    Raises:
        OSError: the proxy cannot be reached.
        TransportError: it refuses.
    """
    proxy = origin.proxy
    assert proxy is not None  # noqa: S101 - who asks for a tunnel has a proxy
    transport, handshake = await loop.create_connection(
        lambda: _Handshake(loop), proxy.host, proxy.port
    )
    try:
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        authority = f"{host}:{origin.port}".encode()
        lines = [b"CONNECT " + authority + b" HTTP/1.1", b"Host: " + authority]
        if proxy.authorization is not None:
            lines.append(b"Proxy-Authorization: " + proxy.authorization)
        transport.write(b"\r\n".join(lines) + b"\r\n\r\n")
        if not await handshake.opened:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "The proxy does not open a way to the upstream."
            )
        connection = make()
        if context is None:
            transport.set_protocol(connection)
            connection.connection_made(transport)
            return connection
        secured = await loop.start_tls(transport, connection, context, server_hostname=origin.host)
        if secured is None:
            raise ConnectionAbortedError
        connection.connection_made(secured)
    except BaseException:
        transport.abort()
        raise
    return connection
