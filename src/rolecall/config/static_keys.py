"""Static keys: ``keys:``, and LiteLLM's ``master_key``."""

import math
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath
from rolecall.config.instants import parse_instant
from rolecall.config.settings import StaticKey

NEVER: Final = "never"
PROXY_ADMIN: Final = "proxy_admin"
_SHORT: Final = 20
_MASTER_KEY: Final[KeyPath] = ("general_settings", "master_key")


def keys(
    file: schema.File, document: Document, now: Callable[[], float] = time.time
) -> list[tuple[KeyPath, StaticKey]]:
    """Every static key, with the path of its roles."""
    found: list[tuple[KeyPath, StaticKey]] = []
    if (master := file.general_settings.master_key) is not None:
        found.append((_MASTER_KEY, _master_key(master, document)))
    for index, section in enumerate(file.keys):
        path: KeyPath = ("keys", index)
        key = _key(section, path, document)
        if any(key.digest == other.digest for _, other in found):
            document.report((*path, "hash"), "is configured twice; keep one entry.")
        if key.expires <= now():
            document.warn((*path, "expires"), "is past: the key opens nothing any more.")
        found.append(((*path, "roles"), key))
    return found


def _key(section: schema.Key, path: KeyPath, document: Document) -> StaticKey:
    try:
        expires = _expiry(section.expires)
    except ValueError:
        document.report(
            (*path, "expires"),
            "is neither a date (2027-01-31), nor a time with its offset (2027-01-31T12:00:00Z),"
            " nor never.",
        )
        expires = 0.0
    return StaticKey(
        digest=bytes.fromhex(section.hash.removeprefix("sha256:")),
        subject=section.subject,
        roles=frozenset(section.roles),
        expires=expires,
        # without the text: the hash of a key that was chosen badly is as good as the key
        source=replace(document.source(path), text=""),
    )


def _expiry(text: str) -> float:
    if text == NEVER:
        return math.inf
    return parse_instant(text)


def _master_key(key: str, document: Document) -> StaticKey:
    if len(key) < _SHORT:
        document.warn(
            _MASTER_KEY,
            f"is shorter than {_SHORT} characters, and may be guessed; make one with rolecall key"
            " new.",
        )
    return StaticKey(
        digest=sha256(key.encode()).digest(),
        subject="master_key",
        roles=frozenset({PROXY_ADMIN}),
        expires=math.inf,
        source=replace(document.source(_MASTER_KEY), text=""),
    )
