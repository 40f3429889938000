"""Verified credentials are remembered: the next request with one costs a hash and a look-up."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from rolecall.core import Caller
from rolecall.identity.tally import Tally

LONGEST: Final = 60.0
MOST: Final = 8192


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking at a credential.

    Attributes:
        caller: whose it is.
        until: seconds since the epoch; until then it is believed without a new look.
        thumbprint: the key that vouched for it, if it was one.
    """

    caller: Caller
    until: float
    thumbprint: str | None = None


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller
    until: float
    thumbprint: str | None
    tally: Tally


class Verdicts:
    """Remembered credentials by SHA-256 of all their bytes (never of a part: CVE-2026-35030)."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._verdicts: dict[bytes, _Remembered] = {}

    def find(self, token: bytes, now: float) -> Caller | None:
        """The caller of a remembered credential, if it may still be believed."""
        verdict = self._verdicts.get(sha256(token).digest())
        if verdict is None or now >= verdict.until:
            return None
        verdict.tally.remembered += 1
        return verdict.caller

    def __len__(self) -> int:
        return len(self._verdicts)

    def remember(self, token: bytes, verdict: Verdict, tally: Tally, now: float) -> None:
        """Remember a credential that has just been verified, in the place of the oldest.

        Args:
            token: all its bytes.
            verdict: what came of it.
            tally: where it is counted each time that it is found.
            now: seconds since the epoch.
        """
        if verdict.until <= now:
            return
        key = sha256(token).digest()
        self._verdicts.pop(key, None)
        if len(self._verdicts) >= self._most:
            # the oldest went in first
            del self._verdicts[next(iter(self._verdicts))]
        self._verdicts[key] = _Remembered(verdict.caller, verdict.until, verdict.thumbprint, tally)

    def forget(self, thumbprints: frozenset[str]) -> None:
        """Forget every token that one of these keys has signed."""
        self._verdicts = {
            key: verdict
            for key, verdict in self._verdicts.items()
            if verdict.thumbprint not in thumbprints
        }
