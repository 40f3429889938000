"""Documents of identity providers over HTTP."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rolecall.config import Reach
from rolecall.identity.dialing import Resolve
from rolecall.identity.documents import MAX_BYTES, Deadline, FetchError, json_in
from rolecall.identity.session import Session
from rolecall.identity.token_file import token_in

_DEADLINE: Final = Deadline(total=10, connect=5)
_MAX_AGE: Final = re.compile(r'(?:^|,)\s*max-age\s*=\s*"?([0-9]{1,10})"?\s*(?:,|$)', re.IGNORECASE)
_NO_CACHE: Final = re.compile(r"(?:^|,)\s*no-(?:cache|store)\s*(?:,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and the seconds for which its server calls it fresh, if it says so."""

    document: Any
    max_age: float | None = None


Fetch = Callable[[str, Reach], Awaitable[Fetched]]
"""URL and the way to its server → the parsed document; raises `FetchError`."""


async def fetch_json(
    url: str,
    reach: Reach,
    *,
    deadline: Deadline = _DEADLINE,
    resolve: Resolve | None = None,
) -> Fetched:
    """GET a JSON document, on the terms of `Session`, within 10 s.

    Args:
        url: an absolute URL.
        reach: whom to trust, and whether private addresses may be connected to.
        deadline: for the whole document.
        resolve: finds addresses; None for the system's way.

    Raises:
        FetchError: whatever went wrong.
    """
    headers = {}
    if reach.bearer_file is not None:
        token = await asyncio.to_thread(token_in, Path(reach.bearer_file))
        headers["authorization"] = f"Bearer {token}"
    session = Session(url, reach, deadline, resolve)
    session.retire()
    answer = await session.ask(headers=headers)
    if answer.status != 200:
        raise FetchError(f"{url} answered with status {answer.status}")
    return Fetched(json_in(answer, url), freshness(answer.headers))


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


__all__ = ["MAX_BYTES", "Fetch", "FetchError", "Fetched", "fetch_json", "freshness"]
