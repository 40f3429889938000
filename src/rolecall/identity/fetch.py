"""Documents of identity providers over HTTP: small, in time, and from nowhere else."""

import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final

import aiohttp

from rolecall import __version__
from rolecall.config import proxy_for
from rolecall.core import Refusal
from rolecall.wire import strict_json

MAX_BYTES: Final = 1024 * 1024
_DEADLINE: Final = aiohttp.ClientTimeout(total=10, connect=5)

Fetch = Callable[[str, str | None], Awaitable[Any]]
"""URL and CA file → the parsed document; raises `FetchError`."""


class FetchError(Exception):
    """A document could not be had; the text says why and holds nothing of its content."""


async def fetch_json(
    url: str, ca_file: str | None = None, *, deadline: aiohttp.ClientTimeout = _DEADLINE
) -> Any:
    """GET a JSON document.

    Redirects are refused (a key server that sends us elsewhere is not the one that was
    configured), compression too (it hides the size), and at most 1 MiB is read within 10 s.

    Args:
        url: an absolute URL.
        ca_file: certificates to trust instead of the system's.
        deadline: for the whole document.

    Raises:
        FetchError: whatever went wrong.
    """
    headers = {
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"rolecall/{__version__}",
    }
    try:
        context = ssl.create_default_context(cafile=ca_file)
        async with (
            aiohttp.ClientSession(
                timeout=deadline, auto_decompress=False, headers=headers
            ) as session,
            session.get(url, allow_redirects=False, ssl=context, proxy=proxy_for(url)) as response,
        ):
            if response.status != 200:
                raise FetchError(f"{url} answered with status {response.status}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise FetchError(f"{url} answered with a compressed document")
            data = await _read(response, url)
    except aiohttp.ClientError as error:
        raise FetchError(f"{url} cannot be reached: {type(error).__name__}") from None
    except TimeoutError:
        raise FetchError(f"{url} did not answer in time") from None
    except (OSError, ValueError) as error:
        raise FetchError(f"{url} cannot be fetched: {type(error).__name__}") from None
    try:
        return strict_json.loads(data)
    except Refusal as refusal:
        raise FetchError(f"{url} answered with no usable JSON: {refusal.reason}") from None


async def _read(response: aiohttp.ClientResponse, url: str) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > MAX_BYTES:
            raise FetchError(f"{url} answered with more than {MAX_BYTES} bytes")
    return bytes(data)
