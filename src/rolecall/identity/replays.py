"""Proofs that were seen lately: each is good for one request (RFC 9449 11.1)."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.identity.dpop import WINDOW

DIGEST: Final = 16
"""Bytes that a proof is noted by."""

KEPT: Final = 2 * WINDOW + 1
"""Seconds from the earliest moment at which a proof is accepted to the last."""


class Replays:
    """One process's proofs of the last two minutes, by the key that signed each and its ``jti``.

    None is forgotten while it could be sent again: when there is no room, new ones are refused.

    Args:
        most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # a plain dict is slow to give up what went in first
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def resize(self, most: int) -> None:
        """Have room for so many from now on; none that could be sent again is forgotten."""
        self._most = most

    async def admit(self, thumbprint: str, identifier: str, now: float) -> None:
        """Take note of a proof that is good otherwise.

        Args:
            thumbprint: the key that signed it.
            identifier: its ``jti``.
            now: seconds since the epoch.

        Raises:
            Refusal: ``invalid_dpop_proof`` for one that was seen, ``rate_limit_exceeded`` where no
                more can be noted.
        """
        self._forget(now)
        digest = digest_of(thumbprint, identifier)
        if digest in self._seen:
            raise replayed()
        if len(self._seen) >= self._most:
            raise too_many()
        self._seen[digest] = now + KEPT

    def _forget(self, now: float) -> None:
        while self._seen and self._seen[next(iter(self._seen))] <= now:
            self._seen.popitem(last=False)


def digest_of(thumbprint: str, identifier: str, key: bytes = b"") -> bytes:
    """What a proof is noted by: `DIGEST` bytes.

    Args:
        thumbprint: the key that signed it.
        identifier: its ``jti``.
        key: where nobody else is to know the result beforehand.
    """
    # a thumbprint is of one length, and so no two pairs make one text
    text = f"{thumbprint}{identifier}".encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=DIGEST, key=key).digest()


def replayed() -> Refusal:
    """The refusal of a proof that was seen."""
    return Refusal(
        Reason.INVALID_DPOP_PROOF,
        "The proof of possession (DPoP) is no good: it was used before; sign each request with a"
        " new jti.",
    )


def too_many() -> Refusal:
    """The refusal of a proof for which there is no room."""
    return Refusal(
        Reason.RATE_LIMIT_EXCEEDED,
        "More proofs of possession (DPoP) came within two minutes than can be told apart; try"
        " again shortly.",
    )
