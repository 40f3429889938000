"""HTTP towards one server of an identity provider: small answers, in time, and from it alone."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Final, Literal

import aiohttp
from aiohttp.abc import AbstractResolver

from rolecall import __version__
from rolecall.config import Reach, is_public, proxy_for
from rolecall.identity.documents import MAX_BYTES, Answer, Deadline, Disconnected, FetchError

_CONNECTIONS: Final = 32
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"rolecall/{__version__}",
}


class PublicSockets:
    """Makes the sockets of connections to public addresses, and refuses all others.

    Attributes:
        refused: the last address that was refused.
    """

    def __init__(self) -> None:
        self.refused: str | None = None

    def __call__(self, address: aiohttp.AddrInfoType) -> socket.socket:
        """A socket for an address that is about to be connected to.

        Raises:
            OSError: it is not public.
        """
        family, kind, protocol, _, place = address
        host = str(place[0])
        if not is_public(host):
            self.refused = host
            raise OSError("a private address")
        return socket.socket(family, kind, protocol)


class Session:
    """The connections to one URL, made when they are first needed and kept for later requests.

    Redirects are refused (a server that sends us elsewhere is not the one that was configured),
    compression too (it hides the size), and at most 1 MiB is read. A private address is refused
    when it is connected to, whatever name led there: no second answer of a name server can come
    between. Behind a forward proxy the proxy decides.

    Args:
        url: an absolute URL.
        reach: whom to trust, and whether private addresses may be connected to.
        deadline: for a whole answer.
        resolver: finds addresses; None for the system's.
    """

    def __init__(
        self,
        url: str,
        reach: Reach,
        deadline: Deadline,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._url = url
        self._reach = reach
        self._deadline = deadline
        self._resolver = resolver
        self._proxy = proxy_for(url)
        self._sockets = None if self._proxy or reach.private_network else PublicSockets()
        self._opening = asyncio.Lock()
        self._busy = 0
        self._kept = True
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: Literal["GET", "POST"] = "GET",
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Raises:
            FetchError: there is no such answer.
        """
        self._busy += 1
        try:
            return await self._ask(method, form, headers)
        finally:
            self._busy -= 1
            if not self._kept and not self._busy:
                await self._close()

    async def retire(self) -> None:
        """Keep no connection any more; requests under way, and later ones, get their answers."""
        self._kept = False
        if not self._busy:
            await self._close()

    async def _ask(
        self, method: str, form: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        url = self._url
        try:
            session = await self._open()
            async with session.request(
                method, url, data=form, headers=headers, allow_redirects=False, proxy=self._proxy
            ) as response:
                if 300 <= response.status < 400:
                    raise FetchError(f"{url} answered with status {response.status}")
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise FetchError(f"{url} answered with a compressed document")
                return Answer(response.status, response.headers, await self._read(response))
        except (aiohttp.ServerDisconnectedError, ConnectionResetError) as error:
            raise Disconnected(f"{url} cannot be reached: {type(error).__name__}") from None
        except aiohttp.ClientError as error:
            raise FetchError(self._why(error)) from None
        except TimeoutError:
            raise FetchError(f"{url} did not answer in time") from None
        except (OSError, ValueError) as error:
            raise FetchError(f"{url} cannot be fetched: {type(error).__name__}") from None

    async def _close(self) -> None:
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                self._session = await self._make()
            return self._session

    async def _make(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=_CONNECTIONS,
            ssl=await _tls(self._url, self._reach),
            resolver=self._resolver,
            socket_factory=self._sockets,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(
                total=self._deadline.total, connect=self._deadline.connect
            ),
            headers=_HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        data = bytearray()
        async for chunk in response.content.iter_any():
            data += chunk
            if len(data) > MAX_BYTES:
                raise FetchError(f"{self._url} answered with more than {MAX_BYTES} bytes")
        return bytes(data)

    def _why(self, error: aiohttp.ClientError) -> str:
        if self._sockets is not None and self._sockets.refused is not None:
            return (
                f"{self._url} is at {self._sockets.refused}, which is no public address; write"
                " private_network: true at the issuer (JWT_PRIVATE_NETWORK=true in the"
                " environment) if it is to be reached there"
            )
        return f"{self._url} cannot be reached: {type(error).__name__}"


async def _tls(url: str, reach: Reach) -> ssl.SSLContext | bool:
    if url.lower().startswith("http:"):
        return True
    # reading a hundred certificates takes 20 ms, in which others are answered
    return await asyncio.to_thread(_context, reach)


def _context(reach: Reach) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=reach.ca_file)
    if reach.certificate is not None:
        context.load_cert_chain(reach.certificate, reach.key, password="")
    return context
