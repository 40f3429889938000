"""Where a connection leads: host, port, TLS, and a proxy in between."""

from base64 import b64encode
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from rolecall.config import Tls, proxy_for

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A forward proxy, reached by plain HTTP; everything goes through it in a tunnel."""

    host: str
    port: int
    authorization: bytes | None


@dataclass(frozen=True, slots=True)
class Origin:
    """What connections can be shared for."""

    host: str
    port: int
    secure: bool
    tls: Tls | None
    proxy: Proxy | None


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart, once."""

    origin: Origin
    host: bytes
    path: bytes

    @classmethod
    def of(cls, url: str, tls: Tls | None) -> Self:
        """Take an http or https URL without a query apart.

        Raises:
            ValueError: it has no usable host, port or path, or its proxy has not.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS:
            raise ValueError("neither http nor https")
        default = _PORTS[parts.scheme]
        host = _ascii(parts.hostname)
        port = parts.port or default
        shown = f"[{host}]" if ":" in host else host
        if port != default:
            shown = f"{shown}:{port}"
        origin = Origin(host, port, parts.scheme == "https", tls, _proxy(url))
        return cls(origin, shown.encode(), (parts.path or "/").encode("latin-1"))


def _ascii(host: str | None) -> str:
    if not host:
        raise ValueError("no host")
    return host if ":" in host else host.encode("idna").decode()


def _proxy(url: str) -> Proxy | None:
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
    return Proxy(_ascii(parts.hostname), parts.port or _PORTS["http"], authorization)
