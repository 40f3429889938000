"""Which forward proxy leads to a URL: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``."""

import os
from base64 import b64encode
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from rolecall.config import urls

_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy, reached by plain HTTP.

    Attributes:
        host: in ASCII.
        authorization: the value of ``Proxy-Authorization``; None where it wants none.
    """

    host: str
    port: int
    authorization: bytes | None


def forward_proxy(url: str) -> Proxy | None:
    """The proxy that leads to a URL, if there is one.

    Raises:
        ValueError: it has no usable host or port, or is not reached by plain HTTP.
    """
    proxy = proxy_for(url)
    if proxy is None:
        return None
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme != "http":
        # TLS to the proxy, or SOCKS: in the clear it would give the credentials away
        raise ValueError("the proxy is not reached by plain HTTP")
    authorization = None
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + b64encode(credentials.encode())
    return Proxy(urls.ascii_host(parts), parts.port or _PORT, authorization)


def proxy_for(url: str) -> str | None:
    """The proxy's URL, or None where there is none, and always for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if urls.is_loopback(host):
        return None
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        # what reads them in full takes 17 ms to load, at each start
        return None
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415

    return None if proxy_bypass(host) else getproxies_environment().get(parts.scheme)
