"""The transport that each destination asks for."""

from collections.abc import Coroutine
from typing import Any

from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.transport import Request, Response, Transport


class Transports:
    """All of them; make it inside the running loop."""

    def __init__(self) -> None:
        self._http1 = Http1Transport()
        self._http2: Transport | None = None

    def send(self, request: Request) -> Coroutine[Any, Any, Response]:
        """Send a request and wait for the head of the answer.

        Raises:
            TransportError: there is none.
        """
        if request.destination.transport == "http1":
            return self._http1.send(request)
        return (self._http2 or self._new_http2()).send(request)

    async def close(self) -> None:
        """Close every connection."""
        await self._http1.close()
        if self._http2 is not None:
            await self._http2.close()
        else:
            # whoever comes now is told by one that is closed
            self._http2 = self._http1

    def _new_http2(self) -> Transport:
        # most gateways need none, and none needs one to start
        from rolecall.upstream.http2 import Http2Transport  # noqa: PLC0415

        self._http2 = transport = Http2Transport()
        return transport
