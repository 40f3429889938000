"""What a server of an identity provider is asked, and what it answers, whoever carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from rolecall.config import Reach, urls

MAX_BYTES: Final = 1024 * 1024


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
    """A document could not be had; the text says why and holds nothing of its content."""


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
