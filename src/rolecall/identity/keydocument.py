"""Where an issuer's key set is found: in a file, at a URL, or where its metadata say."""

import asyncio
from pathlib import Path

from rolecall.config import KeysFrom
from rolecall.core import Refusal
from rolecall.identity.documents import towards
from rolecall.identity.fetch import MAX_BYTES, Fetch, Fetched, FetchError
from rolecall.identity.metadata import metadata, named_url, onwards
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
    url = keys_from.discovery_url or ""
    found = await metadata(url, keys_from.reach, issuer, fetch)
    keys_url = named_url(found.document, "jwks_uri", url, instead="jwks_url")
    return await fetch(keys_url, onwards(keys_url, url, keys_from.reach))


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
