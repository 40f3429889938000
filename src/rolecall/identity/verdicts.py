"""Verified credentials are remembered: the next request with one costs a hash and a look-up."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from rolecall.core import Caller
from rolecall.identity.payload import Payload
from rolecall.identity.tally import Tally

LONGEST: Final = 60.0


def fingerprint(credential: bytes) -> bytes:
    """What a credential is remembered by."""
    return sha256(credential).digest()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of looking at a credential.

    Attributes:
        caller: whose it is.
        until: seconds since the epoch; until then it is believed without a new look.
        thumbprint: the key that vouched for it, if it was one.
        size: bytes of what the caller was read out of, where that is not the credential itself.
    """

    caller: Caller
    until: float
    thumbprint: str | None = None
    size: int = 0


@dataclass(slots=True)
class _Remembered:
    caller: Caller
    until: float
    thumbprint: str | None
    tally: Tally
    size: int


class Verdicts:
    """Remembered credentials by SHA-256 of all their bytes (never of a part: CVE-2026-35030).

    Args:
        most: how many.
        most_bytes: how long all of them together may be, with what was said of them; what is
            remembered of them takes several times as much.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        # a plain dict looks for its first entry among all those that went before it
        self._verdicts: OrderedDict[bytes, _Remembered] = OrderedDict()

    def find(self, token: bytes, now: float) -> Caller | None:
        """The caller of a remembered credential, if it may still be believed."""
        return self.look_up(fingerprint(token), now)

    def look_up(self, key: bytes, now: float) -> Caller | None:
        """The same for the credential's `fingerprint`."""
        verdict = self._verdicts.get(key)
        if verdict is None or now >= verdict.until:
            return None
        verdict.tally.remembered += 1
        return verdict.caller

    def __len__(self) -> int:
        return len(self._verdicts)

    def remember(self, token: bytes, verdict: Verdict, tally: Tally, now: float) -> None:
        """Remember a credential that has just been verified; the oldest make room.

        Args:
            token: all its bytes.
            verdict: what came of it.
            tally: where it is counted each time that it is found.
            now: seconds since the epoch.
        """
        self.keep(fingerprint(token), len(token), verdict, tally, now)

    def keep(self, key: bytes, length: int, verdict: Verdict, tally: Tally, now: float) -> None:
        """The same for the credential's `fingerprint` and its length in bytes."""
        size = max(length, verdict.size)
        # one that has no room is no reason to forget all others
        if verdict.until <= now or size > self._most_bytes:
            return
        self._forget(key)
        _put_away(verdict.caller)
        self._verdicts[key] = _Remembered(
            verdict.caller, verdict.until, verdict.thumbprint, tally, size
        )
        self._bytes += size
        while len(self._verdicts) > self._most or self._bytes > self._most_bytes:
            # the oldest went in first
            self._forget(next(iter(self._verdicts)))

    def forget(self, thumbprints: frozenset[str]) -> None:
        """Forget every token that one of these keys has signed."""
        for key, remembered in list(self._verdicts.items()):
            if remembered.thumbprint in thumbprints:
                self._forget(key)

    def forget_callers(self, chosen: Callable[[Caller], bool]) -> None:
        """Forget every credential whose caller is chosen."""
        for key, remembered in list(self._verdicts.items()):
            if chosen(remembered.caller):
                self._forget(key)
            _put_away(remembered.caller)

    def _forget(self, key: bytes) -> None:
        remembered = self._verdicts.pop(key, None)
        if remembered is not None:
            self._bytes -= remembered.size


def _put_away(caller: Caller) -> None:
    if isinstance(caller.claims, Payload):
        caller.claims.put_away()
