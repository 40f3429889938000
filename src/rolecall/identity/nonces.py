"""Nonces: what a proof must hold that this gateway alone could have said lately (RFC 9449 9)."""

import hmac
from typing import Any, Final

from rolecall.core import Reason, Refusal
from rolecall.identity import base64url

SLOT: Final = 120
"""Seconds for which one nonce is given out; it is accepted for as long again."""

_BYTES: Final = 16


class Nonces:
    """One nonce a slot of time, made of a key and that slot; nothing is kept of any.

    Whoever has the key knows all of them: the workers of a gateway, and gateways that share it.

    Args:
        own: the key where none is configured; at least 32 bytes.
        configured: the key that the configuration has.
    """

    def __init__(self, own: bytes, configured: bytes | None = None) -> None:
        self._own = own
        self._configured = configured
        self._forget()

    def adopt(self, former: "Nonces") -> None:
        """Take over the key of a former generation, for as long as none is configured."""
        self._own = former._own  # noqa: SLF001 - of the same class
        self._forget()

    def current(self, now: float) -> str:
        """The nonce for a client's next proof.

        Args:
            now: seconds since the epoch.
        """
        self._turn_to(int(now // SLOT))
        return self._current

    def check(self, nonce: Any, now: float) -> str | None:
        """Check the ``nonce`` of a proof.

        Args:
            nonce: as it stands in the proof; None where there is none.
            now: seconds since the epoch.

        Returns:
            The nonce to go on with; None where the client may keep to the one that it has.

        Raises:
            Refusal: ``use_dpop_nonce``.
        """
        self._turn_to(int(now // SLOT))
        if isinstance(nonce, str) and nonce.isascii():
            if hmac.compare_digest(nonce, self._current):
                return None
            if hmac.compare_digest(nonce, self._former):
                return self._current
            # the clock of a gateway with the same key may be a little ahead
            if hmac.compare_digest(nonce, self._next):
                return None
        raise Refusal(
            Reason.USE_DPOP_NONCE,
            "The proof of possession (DPoP) must hold a nonce of this gateway, and a recent one;"
            " sign a new proof with the nonce of the DPoP-Nonce header.",
        )

    def _forget(self) -> None:
        self._slot = -1
        self._former = self._current = self._next = ""

    def _turn_to(self, slot: int) -> None:
        if slot != self._slot:
            self._former, self._current, self._next = map(self._of, (slot - 1, slot, slot + 1))
            self._slot = slot

    def _of(self, slot: int) -> str:
        key = self._configured or self._own
        digest = hmac.digest(key, b"DPoP-Nonce %d" % slot, "sha256")
        return base64url.encode(digest[:_BYTES]).decode()
