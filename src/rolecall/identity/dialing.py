"""The way to a server of an identity provider: straight, or through a forward proxy."""

import asyncio
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, unquote, urlsplit

from rolecall.identity.conversation import Conversation

_PORTS: Final = {"https": 443, "http": 80}
_SAFE: Final = "/%:@!$&'()*+,;=?-._~"
_MAX_HEAD: Final = 16 * 1024
_OPENED: Final = re.compile(rb"HTTP/1\.[01] 2[0-9][0-9][ \r]")

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → its addresses."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads.

    Attributes:
        host: in ASCII.
        authority: host and port as a request names them.
        target: path and query.
        credentials: ``user:password`` of the URL, as a header's value.
    """

    host: str
    port: int
    secure: bool
    authority: str
    target: str
    credentials: str | None

    @classmethod
    def of(cls, url: str) -> Self:
        """Take an absolute URL apart.

        Raises:
            ValueError: it is no http or https URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("no http or https URL")
        host = parts.hostname
        if ":" not in host:
            host = host.encode("idna").decode()
        port = parts.port or _PORTS[parts.scheme]
        shown = f"[{host}]" if ":" in host else host
        credentials = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            credentials = f"Basic {b64encode(pair.encode()).decode()}"
        return cls(
            host=host,
            port=port,
            secure=parts.scheme == "https",
            authority=shown if port == _PORTS[parts.scheme] else f"{shown}:{port}",
            target=quote(parts.path or "/", _SAFE)
            + (f"?{quote(parts.query, _SAFE)}" if parts.query else ""),
            credentials=credentials,
        )


async def addresses_of(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system finds them.

    Raises:
        OSError: it finds none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


async def straight(
    place: Place, addresses: Sequence[str], context: ssl.SSLContext | None, within: float | None
) -> Conversation:
    """Connect to the first of these addresses that answers.

    Args:
        place: what stands there; its name must be that of the certificate.
        addresses: at least one.
        context: None for a connection without TLS.
        within: seconds for all of them together.

    Raises:
        OSError: none answers, or its certificate is not good (`ssl.SSLError`).
    """
    loop = asyncio.get_running_loop()
    failure: OSError = ConnectionRefusedError()
    for address in addresses:
        try:
            # one that does not answer leaves time for the others
            async with asyncio.timeout(within and within / len(addresses)):
                _, conversation = await loop.create_connection(
                    lambda: Conversation(loop),
                    address,
                    place.port,
                    ssl=context,
                    server_hostname=place.host if context is not None else None,
                )
        except ssl.SSLError:
            raise
        except OSError as error:
            failure = error
        else:
            return conversation
    raise failure


async def through(place: Place, proxy: Place, context: ssl.SSLContext | None) -> Conversation:
    """Connect through a forward proxy: with TLS in a tunnel (RFC 9110 9.3.6), else to the proxy.

    Raises:
        OSError: the proxy cannot be reached or refuses, or the certificate is not good.
        ValueError: the proxy is not reached by plain HTTP.
    """
    if proxy.secure:
        raise ValueError("a proxy is reached by plain HTTP")
    loop = asyncio.get_running_loop()
    conversation = Conversation(loop)
    if context is None:
        await loop.create_connection(lambda: conversation, proxy.host, proxy.port)
        return conversation
    transport, opening = await loop.create_connection(
        lambda: _Opening(loop), proxy.host, proxy.port
    )
    try:
        host = f"[{place.host}]" if ":" in place.host else place.host
        fields = {"host": f"{host}:{place.port}"}
        if proxy.credentials is not None:
            fields["proxy-authorization"] = proxy.credentials
        transport.write(written(f"CONNECT {host}:{place.port} HTTP/1.1", fields))
        if not _OPENED.match(await opening.head):
            raise ConnectionRefusedError
        secured = await loop.start_tls(transport, conversation, context, server_hostname=place.host)
        if secured is None:
            raise ConnectionAbortedError
        conversation.connection_made(secured)
    except BaseException:
        transport.abort()
        raise
    return conversation


class _Opening(asyncio.Protocol):
    """Reads a proxy's answer to CONNECT; what follows it is not the proxy's to say."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.head: asyncio.Future[bytes] = loop.create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self.head.done() or not (b"\r\n\r\n" in self._data or len(self._data) > _MAX_HEAD):
            return
        head, end, rest = self._data.partition(b"\r\n\r\n")
        self.head.set_result(head + end if end and not rest else b"")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.head.done():
            self.head.set_result(b"")


def written(line: str, fields: Mapping[str, str]) -> bytes:
    """The head of a request.

    Raises:
        ValueError: something in it holds a line break (CWE-113).
    """
    lines = [line, *(f"{name}: {value}" for name, value in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
