"""The way to a server of an identity provider: straight, or through a forward proxy."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, urlsplit

from rolecall.config import Proxy, urls
from rolecall.identity.conversation import Conversation
from rolecall.wire import ConnectAnswer

_PORTS: Final = {"https": 443, "http": 80}
_SAFE: Final = "/%:@!$&'()*+,;=?-._~"

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Host and port → its addresses."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a URL leads.

    Attributes:
        host: in ASCII.
        authority: host and port as a request names them.
        target: path and query.
    """

    host: str
    port: int
    secure: bool
    authority: str
    target: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Take an absolute URL apart.

        Raises:
            ValueError: it is no http or https URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise ValueError("no http or https URL")
        host = urls.ascii_host(parts)
        port = parts.port or _PORTS[parts.scheme]
        shown = f"[{host}]" if ":" in host else host
        return cls(
            host=host,
            port=port,
            secure=parts.scheme == "https",
            authority=shown if port == _PORTS[parts.scheme] else f"{shown}:{port}",
            target=quote(parts.path or "/", _SAFE)
            + (f"?{quote(parts.query, _SAFE)}" if parts.query else ""),
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


async def through(place: Place, proxy: Proxy, context: ssl.SSLContext | None) -> Conversation:
    """Connect through a forward proxy: with TLS in a tunnel (RFC 9110 9.3.6), else to the proxy.

    Raises:
        OSError: the proxy cannot be reached or refuses, or the certificate is not good.
    """
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
        if proxy.authorization is not None:
            fields["proxy-authorization"] = proxy.authorization.decode()
        transport.write(written(f"CONNECT {host}:{place.port} HTTP/1.1", fields))
        if not await opening.opened:
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
    """Reads a proxy's answer to CONNECT."""

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


def written(line: str, fields: Mapping[str, str]) -> bytes:
    """The head of a request.

    Raises:
        ValueError: something in it holds a line break (CWE-113).
    """
    lines = [line, *(f"{name}: {value}" for name, value in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
