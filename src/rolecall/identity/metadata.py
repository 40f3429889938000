"""An issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414), and where its URLs may lead."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from rolecall.config import Reach, urls
from rolecall.identity.documents import towards
from rolecall.identity.fetch import Fetch, Fetched, FetchError


async def metadata(url: str, reach: Reach, issuer: str, fetch: Fetch) -> Fetched:
    """The metadata of an issuer: an object that names the issuer itself.

    Args:
        url: where they are.
        reach: the way to the issuer's servers.
        issuer: who must be named.
        fetch: how documents are had.

    Raises:
        FetchError: they cannot be had, or are another issuer's.
    """
    fetched = await fetch(url, towards(url, reach))
    if not isinstance(fetched.document, dict) or fetched.document.get("issuer") != issuer:
        # OpenID Connect Discovery 4.3, RFC 8414 3.3: it must be exactly the same
        raise FetchError(f"{url} speaks for another issuer than {issuer}")
    return fetched


def named_url(members: Mapping[str, Any], name: str, url: str, *, instead: str) -> str:
    """A URL that metadata name, if it is one that a configuration could name.

    Nobody has configured its host, unless it is that of the metadata: it has to be a public one
    (Google has such).

    Args:
        members: the metadata, or a part of them.
        name: the member.
        url: where the metadata are.
        instead: the key of the configuration that it can be written at.

    Raises:
        FetchError: there is none, or none that may be followed.
    """
    found = members.get(name)
    if not isinstance(found, str):
        raise FetchError(f"{url} names no {name}; write it as {instead}")
    try:
        urls.check(found)
    except ValueError as error:
        raise FetchError(f"{url} names a {name} that {error}") from None
    if _host(found) != _host(url) and urls.is_private(_host(found)):
        raise FetchError(
            f"{url} names a {name} on this machine or in a private network; write it as {instead}"
            " if it is meant"
        )
    return found


def onwards(found: str, url: str, reach: Reach) -> Reach:
    """The way to a URL that metadata name.

    Args:
        found: the URL.
        url: where the metadata are.
        reach: the way to the issuer's servers.
    """
    if origin(found) != origin(url):
        # the bearer token is for the server that was configured
        reach = replace(reach, bearer_file=None)
    if _host(found) != _host(url):
        return replace(reach, private_network=False)
    return towards(url, reach)


def origin(url: str) -> tuple[str, str]:
    """Scheme and authority of a URL (RFC 6454)."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""
