"""The way to an upstream, as small as it can be: send a request, read the answer, close.

An implementation maps its library's exceptions to `TransportError` at its edge.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from rolecall.config import Timeouts, Tls, TransportName
from rolecall.core import Reason

Headers = list[tuple[bytes, bytes]]

Sink = Callable[[bytes], bool]
"""Is given a piece of a body as it comes; says whether it wants another now. Raises nothing."""


class TransportError(Exception):
    """The upstream could not be reached, did not keep a deadline, or broke the protocol.

    ``reason`` is ``upstream_unavailable``, ``upstream_timeout`` or ``upstream_error``; the text
    is safe to show.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True, eq=False)
class Destination:
    """Where requests of one kind go, with all that is the same for each of them.

    Made once for a configuration, and compared by identity, so that a transport can keep what it
    has worked out for one.

    Attributes:
        url: absolute, without a query.
        headers: names in lower case; the company's credentials are among them.
        timeouts: deadlines in seconds.
        tls: None for the system's certificate authorities and no client certificate.
        transport: the version of HTTP that is spoken there.
    """

    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    timeouts: Timeouts
    tls: Tls | None = None
    transport: TransportName = "http1"


@dataclass(slots=True, eq=False)
class Fields:
    """Header fields that requests may share, and a place for how a transport writes them.

    Attributes:
        headers: names in lower case; never changed.
        written: in HTTP/1.1; None until they were written once.
    """

    headers: Headers
    written: bytes | None = None


@dataclass(slots=True)
class Request:
    """What is sent: always a POST, its body whole.

    Attributes:
        fields: what this request adds to the headers of its destination.
        stream: whether the answer is to be a stream, which begins sooner.
        query: without the question mark; empty for none.
    """

    destination: Destination
    fields: Fields
    body: bytes
    stream: bool = False
    query: bytes = b""


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

    @property
    def ended(self) -> bool:
        """Whether the whole body has been read; while it is not, it may still be."""
        ...

    def read(self) -> Awaitable[bytes]:
        """The next piece of the body as it came; empty at its end.

        Raises:
            TransportError: the upstream stalled, broke off, or broke the protocol.
        """
        ...

    def pass_on(self, sink: Sink) -> Awaitable[None]:
        """Hand each piece of the body to ``sink`` as it comes, until it wants no more or the end.

        Raises:
            TransportError: as `read` does.
        """
        ...

    def close(self) -> None:
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
