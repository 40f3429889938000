"""Where a connection leads: host, port, TLS, and a proxy in between."""

from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from rolecall.config import Proxy, Tls, forward_proxy, urls

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """What connections can be shared for; through a proxy everything goes in a tunnel."""

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
        host = urls.ascii_host(parts)
        port = parts.port or default
        shown = f"[{host}]" if ":" in host else host
        if port != default:
            shown = f"{shown}:{port}"
        origin = Origin(host, port, parts.scheme == "https", tls, forward_proxy(url))
        return cls(origin, shown.encode(), (parts.path or "/").encode("latin-1"))
