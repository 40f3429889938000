"""The way to an upstream, as small as it can be: send a request, read the answer, close.

An implementation maps its library's exceptions to `TransportError` at its edge.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from rolecall.config import Timeouts, Tls
from rolecall.core import Reason

Headers = list[tuple[bytes, bytes]]


class TransportError(Exception):
    """The upstream could not be reached, did not keep a deadline, or broke the protocol.

    ``reason`` is ``upstream_unavailable``, ``upstream_timeout`` or ``upstream_error``; the text
    is safe to show.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: always a POST, its body whole."""

    url: str
    headers: Headers
    body: bytes
    timeouts: Timeouts
    stream: bool
    tls: Tls | None = None


class Response(Protocol):
    """What comes back. ``close`` must be called once, whatever happened."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """Names in lower case, in the order they came."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come, never empty ones.

        Raises:
            TransportError: the upstream stalled or broke off.
        """
        ...

    async def close(self) -> None:
        """Give the connection back, or end it if the body was not read to its end."""
        ...


class Transport(Protocol):
    """A client with its connections."""

    async def send(self, request: Request) -> Response:
        """Send a request and wait for the head of the answer.

        Raises:
            TransportError: there is none.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
