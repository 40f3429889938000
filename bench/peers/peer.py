"""What a gateway must be able to do to be compared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class Unavailable(Exception):
    """The gateway cannot be had on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a gateway is set up for.

    Attributes:
        upstream: port of the mock provider.
        keys: the key set that it trusts, as JSON.
        keys_url: where it fetches the key set instead, if it shall.
        rules: rules of the policy.
        workers: processes or threads that serve.
    """

    upstream: int
    keys: str
    keys_url: str | None = None
    rules: int = 1
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Launch:
    """How it is started."""

    argv: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Peer(Protocol):
    """One gateway."""

    @property
    def name(self) -> str:
        """As it is called in tables and on the command line."""

    @property
    def title(self) -> str:
        """Its name for a reader."""

    @property
    def manner(self) -> str:
        """What it does here, and what not."""

    @property
    def guards(self) -> bool:
        """Whether it checks the caller's token, and which model the caller may call."""

    @property
    def warm(self) -> int:
        """Seconds of load until it is as fast as it gets."""

    def install(self, folder: Path) -> str:
        """Make it available under ``folder``, unless it is; return its version.

        Raises:
            Unavailable: it cannot be had here.
        """

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """Write its configuration into ``folder`` and say how it is started."""

    def headers(self, token: str) -> dict[str, str]:
        """What a caller with this token sends to it."""
