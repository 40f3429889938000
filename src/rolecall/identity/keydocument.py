"""Where an issuer's key set is found: in a file, at a URL, or where its metadata say."""

import asyncio
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from rolecall.config import KeysFrom, Reach, urls
from rolecall.core import Refusal
from rolecall.identity.documents import towards
from rolecall.identity.fetch import MAX_BYTES, Fetch, Fetched, FetchError
from rolecall.wire import strict_json


async def key_document(keys_from: KeysFrom, issuer: str, fetch: Fetch) -> Fetched:
    """The document that holds an issuer's keys; what is in it is not looked at.

    Raises:
        FetchError: it cannot be had, or the issuer's metadata are not the issuer's own.
    """
    if keys_from.jwks_file is not None:
        return Fetched(await asyncio.to_thread(_read, Path(keys_from.jwks_file)))
    if keys_from.jwks_url is not None:
        return await fetch(keys_from.jwks_url, towards(keys_from.jwks_url, keys_from.reach))
    return await _discovered(keys_from.discovery_url or "", keys_from.reach, issuer, fetch)


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _read(file: Path) -> object:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise FetchError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise FetchError(f"{file} holds more than {MAX_BYTES} bytes")
    try:
        return strict_json.loads(data)
    except Refusal as refusal:
        raise FetchError(f"{file}: {refusal.message}") from None


async def _discovered(url: str, reach: Reach, issuer: str, fetch: Fetch) -> Fetched:
    reach = towards(url, reach)
    metadata = (await fetch(url, reach)).document
    if not isinstance(metadata, dict) or metadata.get("issuer") != issuer:
        # OpenID Connect Discovery 4.3: it must be exactly the same
        raise FetchError(f"{url} speaks for another issuer than {issuer}")
    keys_url = metadata.get("jwks_uri")
    if not isinstance(keys_url, str):
        raise FetchError(f"{url} names no jwks_uri")
    try:
        urls.check(keys_url)
    except ValueError as error:
        raise FetchError(f"{url} names a jwks_uri that {error}") from None
    if _host(keys_url) != _host(url):
        # nobody has configured this host: it has to be a public one (Google has such)
        if urls.is_private(_host(keys_url)):
            raise FetchError(
                f"{url} names a jwks_uri on this machine or in a private network; write it as"
                " jwks_url if it is meant"
            )
        reach = replace(reach, private_network=False)
    if _origin(keys_url) != _origin(url):
        # the bearer token is for the server that was configured
        reach = replace(reach, bearer_file=None)
    return await fetch(keys_url, reach)
