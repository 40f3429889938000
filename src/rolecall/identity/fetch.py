"""Documents of identity providers over HTTP: small, in time, and from nowhere else."""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver

from rolecall import __version__
from rolecall.config import Reach, is_public, proxy_for
from rolecall.core import Refusal
from rolecall.wire import strict_json

MAX_BYTES: Final = 1024 * 1024
_DEADLINE: Final = aiohttp.ClientTimeout(total=10, connect=5)
_MAX_AGE: Final = re.compile(r'(?:^|,)\s*max-age\s*=\s*"?([0-9]{1,10})"?\s*(?:,|$)', re.IGNORECASE)
_NO_CACHE: Final = re.compile(r"(?:^|,)\s*no-(?:cache|store)\s*(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and the seconds for which its server calls it fresh, if it says so."""

    document: Any
    max_age: float | None = None


Fetch = Callable[[str, Reach], Awaitable[Fetched]]
"""URL and the way to its server → the parsed document; raises `FetchError`."""


class FetchError(Exception):
    """A document could not be had; the text says why and holds nothing of its content."""


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


async def fetch_json(
    url: str,
    reach: Reach,
    *,
    deadline: aiohttp.ClientTimeout = _DEADLINE,
    resolver: AbstractResolver | None = None,
) -> Fetched:
    """GET a JSON document.

    Redirects are refused (a key server that sends us elsewhere is not the one that was
    configured), compression too (it hides the size), and at most 1 MiB is read within 10 s.
    A private address is refused when it is connected to, whatever name led there: no second
    answer of a name server can come between. Behind a forward proxy the proxy decides.

    Args:
        url: an absolute URL.
        reach: whom to trust, and whether private addresses may be connected to.
        deadline: for the whole document.
        resolver: finds addresses; None for the system's.

    Raises:
        FetchError: whatever went wrong.
    """
    headers = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"rolecall/{__version__}",
    }
    proxy = proxy_for(url)
    sockets = None if proxy or reach.private_network else PublicSockets()
    try:
        context = await asyncio.to_thread(ssl.create_default_context, cafile=reach.ca_file)
        connector = aiohttp.TCPConnector(ssl=context, resolver=resolver, socket_factory=sockets)
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=deadline, auto_decompress=False, headers=headers
            ) as session,
            session.get(url, allow_redirects=False, proxy=proxy) as response,
        ):
            if response.status != 200:
                raise FetchError(f"{url} answered with status {response.status}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchError(f"{url} answered with a compressed document")
            max_age = freshness(response.headers)
            data = await _read(response, url)
    except aiohttp.ClientError as error:
        if sockets and sockets.refused:
            raise FetchError(
                f"{url} is at {sockets.refused}, which is no public address; write"
                " private_network: true at the issuer (JWT_PRIVATE_NETWORK=true in the"
                " environment) if it is to be reached there"
            ) from None
        raise FetchError(f"{url} cannot be reached: {type(error).__name__}") from None
    except TimeoutError:
        raise FetchError(f"{url} did not answer in time") from None
    except (OSError, ValueError) as error:
        raise FetchError(f"{url} cannot be fetched: {type(error).__name__}") from None
    try:
        return Fetched(strict_json.loads(data), max_age)
    except Refusal as refusal:
        raise FetchError(f"{url} answered with no usable JSON: {refusal.reason}") from None


def freshness(headers: Mapping[str, str]) -> float | None:
    """The seconds for which an answer is fresh (RFC 9111 4.2.1), or None where it does not say."""
    control = headers.get("cache-control", "")
    if _NO_CACHE.search(control):
        return 0.0
    found = _MAX_AGE.search(control)
    if found is None:
        return None
    age = headers.get("age", "0")
    # an answer that has lain in a cache on the way has used up a part of it
    return max(0.0, float(found[1]) - (float(age) if re.fullmatch("[0-9]{1,10}", age) else 0.0))


async def _tls(url: str, reach: Reach) -> ssl.SSLContext | bool:
    if url.lower().startswith("http:"):
        return True
    # reading a hundred certificates takes 20 ms, in which others are answered
    return await asyncio.to_thread(ssl.create_default_context, cafile=reach.ca_file)


async def _read(response: aiohttp.ClientResponse, url: str) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > MAX_BYTES:
            raise FetchError(f"{url} answered with more than {MAX_BYTES} bytes")
    return bytes(data)
