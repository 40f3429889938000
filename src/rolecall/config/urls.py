"""Which URLs a configuration may name."""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from rolecall.config import addresses

LOOPBACK_NAMES: Final = frozenset({"localhost", "localhost."})


def ascii_host(parts: SplitResult) -> str:
    """The host of a URL as it is connected to: an address, or a name in ASCII (RFC 5890).

    Raises:
        ValueError: there is none, or none that a name can be.
    """
    host = parts.hostname
    if not host:
        raise ValueError("no host")
    return host if ":" in host else host.encode("idna").decode()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost``, 127.0.0.0/8 or ``::1``."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether a host is written as an address that is not public, or as this machine's name."""
    if host.lower() in LOOPBACK_NAMES:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not addresses.is_public(host)


def check(url: str, *, query: bool = True) -> None:
    """Check a URL that may be fetched: https, or http on a loopback address.

    Args:
        url: an absolute URL.
        query: whether it may hold a query.

    Raises:
        ValueError: anything else; the sentence says what to do.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if not host or any(character <= " " or character == "\x7f" for character in url):
        raise ValueError("is not a URL; write https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if "#" in url:
        raise ValueError("must not hold a fragment (#…)")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(
            "uses plain http, which is accepted on loopback addresses alone; use https"
        )
    if parts.scheme not in {"http", "https"}:
        raise ValueError("must begin with https://")
    if "?" in url and not query:
        raise ValueError("must not hold a query (?…)")
