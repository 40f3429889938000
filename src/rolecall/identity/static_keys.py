"""Static keys of machines that have no identity provider."""

from collections.abc import Sequence
from hashlib import sha256

from rolecall.config import StaticKey
from rolecall.core import KEY_PREFIX, KEYS_ISSUER, Caller, Reason, Refusal
from rolecall.identity.verdicts import LONGEST, Verdict


class StaticKeys:
    """The configured keys by their hash.

    A key is found by the SHA-256 of what was sent: how long that takes says nothing of how much of
    a key was guessed. The hash itself opens nothing, for it would be hashed again.
    """

    def __init__(self, keys: Sequence[StaticKey]) -> None:
        self._callers = {key.digest: _caller(key) for key in keys}

    def find(self, credential: bytes, now: float) -> Verdict | None:
        """The verdict on a credential that is one of these keys; None for every other credential.

        Raises:
            Refusal: it is one that has expired, or it looks like one and is none.
        """
        caller = self._callers.get(sha256(credential).digest())
        if caller is not None:
            if now >= caller.expires:
                raise Refusal(
                    Reason.EXPIRED, "The key has expired; ask the gateway's administrator for one."
                )
            return Verdict(caller, min(caller.expires, now + LONGEST))
        if credential.startswith(KEY_PREFIX.encode()):
            # never anything else, least of all a token that an identity provider is asked about
            raise Refusal(
                Reason.UNKNOWN_KEY,
                "The key is not one of this gateway's; ask its administrator for one.",
            )
        return None


def _caller(key: StaticKey) -> Caller:
    return Caller(
        issuer=KEYS_ISSUER,
        subject=key.subject,
        kind="workload",
        roles=key.roles,
        expires=key.expires,
    )
