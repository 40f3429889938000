"""Static keys of machines that have no identity provider."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from rolecall.config import StaticKey
from rolecall.core import KEY_PREFIX, KEYS_ISSUER, Caller, Reason, Refusal
from rolecall.identity.verdicts import LONGEST, Verdict

_PREFIX: Final = KEY_PREFIX.encode()


class StaticKeys:
    """The configured keys by their hash.

    A key is found by the SHA-256 of what was sent: how long that takes says nothing of how much of
    a key was guessed. The hash itself opens nothing, for it would be hashed again.

    Args:
        keys: as configured.
        clock: seconds since the epoch.
    """

    def __init__(self, keys: Sequence[StaticKey], clock: Callable[[], float]) -> None:
        self._clock = clock
        self._callers = {key.digest: _caller(key) for key in keys}

    def owns(self, credential: bytes) -> bool:
        """Whether a credential is a static key, if only by its looks.

        Such a one is never anything else, least of all a token that an identity provider is asked
        about.
        """
        return credential.startswith(_PREFIX) or (
            bool(self._callers) and sha256(credential).digest() in self._callers
        )

    async def verify(self, credential: bytes) -> Verdict:
        """The verdict on a static key.

        Raises:
            Refusal: ``expired``, or ``unknown_key``.
        """
        caller = self._callers.get(sha256(credential).digest())
        if caller is None:
            raise Refusal(
                Reason.UNKNOWN_KEY,
                "The key is not one of this gateway's; ask its administrator for one.",
            )
        now = self._clock()
        if now >= caller.expires:
            raise Refusal(
                Reason.EXPIRED, "The key has expired; ask the gateway's administrator for one."
            )
        return Verdict(caller, min(caller.expires, now + LONGEST))


def _caller(key: StaticKey) -> Caller:
    return Caller(
        issuer=KEYS_ISSUER,
        subject=key.subject,
        kind="workload",
        roles=key.roles,
        expires=key.expires,
    )
