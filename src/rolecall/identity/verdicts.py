"""Verified tokens are remembered, so that the next request with one costs a hash and a look-up."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from rolecall.core import Caller

LONGEST: Final = 60.0
MOST: Final = 8192


@dataclass(frozen=True, slots=True)
class Verdict:
    """A caller, the key that vouched for it, and how long that is believed without a new look."""

    caller: Caller
    thumbprint: str
    until: float


class Verdicts:
    """Remembered tokens by SHA-256 of all their bytes (never of a part: CVE-2026-35030)."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._verdicts: dict[bytes, Verdict] = {}

    def find(self, token: bytes, now: float) -> Caller | None:
        """The caller of a remembered token, if it may still be believed."""
        verdict = self._verdicts.get(sha256(token).digest())
        return verdict.caller if verdict is not None and now < verdict.until else None

    def remember(self, token: bytes, caller: Caller, thumbprint: str, now: float) -> None:
        """Remember a token that has just been verified, for its life and 60 s at most."""
        until = min(caller.expires, now + LONGEST)
        if until <= now:
            return
        key = sha256(token).digest()
        self._verdicts.pop(key, None)
        if len(self._verdicts) >= self._most:
            # the oldest went in first
            del self._verdicts[next(iter(self._verdicts))]
        self._verdicts[key] = Verdict(caller, thumbprint, until)

    def forget(self, thumbprints: frozenset[str]) -> None:
        """Forget every token that one of these keys has signed."""
        self._verdicts = {
            key: verdict
            for key, verdict in self._verdicts.items()
            if verdict.thumbprint not in thumbprints
        }
