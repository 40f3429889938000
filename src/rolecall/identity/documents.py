"""What a server of an identity provider is asked, and what it answers, whoever carries it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

from rolecall.config import Reach, urls
from rolecall.core import Refusal
from rolecall.wire import strict_json

MAX_BYTES: Final = 1024 * 1024
_LONGEST_REST: Final = 300.0


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long an answer may take, in seconds.

    Attributes:
        total: until all of it is there.
        connect: until there is a connection, where that is less.
    """

    total: float
    connect: float | None = None


class FetchError(Exception):
    """A document could not be had; the text says why and holds nothing of its content.

    Args:
        message: why, as the middle of a sentence.
        retry_after: seconds for which nobody needs to ask again, where that is known.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Disconnected(FetchError):
    """The server ended the connection before it answered, as it may when one has lain idle."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a server, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def towards(url: str, reach: Reach) -> Reach:
    """The way to a URL of the configuration: a private address that is written there is meant."""
    host = urlsplit(url).hostname or ""
    return replace(reach, private_network=reach.private_network or urls.is_private(host))


async def once_more(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask a second time where the first request met a connection that was about to close.

    Raises:
        FetchError: there is no answer.
    """
    try:
        return await ask()
    except Disconnected:
        return await ask()


def retry_after(answer: Answer) -> float | None:
    """The seconds for which a server wants not to be asked (RFC 9110 10.2.3), 300 at most."""
    text = answer.headers.get("retry-after", "")
    return min(float(text), _LONGEST_REST) if re.fullmatch("[0-9]{1,9}", text) else None


def json_in(answer: Answer, url: str) -> Any:
    """What an answer says in strict JSON; ``url`` names who has answered.

    Raises:
        FetchError: it is no such JSON.
    """
    try:
        return strict_json.loads(answer.body)
    except Refusal as refusal:
        raise FetchError(f"{url} answered with no usable JSON: {refusal.reason}") from None


def object_in(answer: Answer, url: str) -> dict[str, Any]:
    """The JSON object that an answer is; ``url`` names who has answered.

    Raises:
        FetchError: it is none, or not strict JSON.
    """
    value = json_in(answer, url)
    if not isinstance(value, dict):
        raise FetchError(f"{url} answered with no JSON object")
    return value
