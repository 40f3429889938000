"""Which of its issuer's keys has signed a token, if one has."""

from dataclasses import dataclass

from rolecall.config import IssuerSettings
from rolecall.core import Reason, Refusal
from rolecall.identity.directory import Directory
from rolecall.identity.guard import Presented
from rolecall.identity.jwk import VerificationKey
from rolecall.identity.keysource import KeySource
from rolecall.identity.profiles import PROFILES
from rolecall.identity.signature import Verify


@dataclass(frozen=True, slots=True)
class SigningIssuer:
    """An issuer whose tokens are signed, its keys over time, and where their groups may be."""

    settings: IssuerSettings
    source: KeySource
    directory: Directory | None = None


async def signing_key(
    presented: Presented, issuer: SigningIssuer, verify: Verify
) -> VerificationKey:
    """The key that has signed a token.

    Awaits only while the issuer is asked for a key that is not in its set.

    Args:
        presented: a token of this issuer, says the token.
        issuer: what is expected of it, and its keys.
        verify: the signature step.

    Raises:
        Refusal: 401 with the reason, or ``issuer_unavailable`` where that cannot be said now.
    """
    return _at_hand(presented, issuer, verify) or await _asked_for(presented, issuer, verify)


def _at_hand(presented: Presented, issuer: SigningIssuer, verify: Verify) -> VerificationKey | None:
    """What `signing_key` gives; None where the issuer must be asked first.

    Raises:
        Refusal: 401 with the reason.
    """
    jws = presented.jws
    if jws.algorithm not in issuer.settings.algorithms:
        raise Refusal(
            Reason.ALGORITHM_NOT_ALLOWED,
            "The token's signature algorithm (alg) is not allowed for its issuer.",
        )
    if jws.key_id in issuer.settings.banned_keys:
        raise _banned()
    candidates = _published(presented, issuer)
    key = _signer(candidates, presented, issuer, verify) if candidates else None
    if key is not None:
        return _not_banned(key, issuer)
    # a token that names no key: nothing else tells that the key is another one now
    if candidates and jws.key_id is not None:
        raise _bad_signature()
    return None


async def _asked_for(
    presented: Presented, issuer: SigningIssuer, verify: Verify
) -> VerificationKey:
    """What `signing_key` gives where no key at hand is it, once the issuer was asked.

    Raises:
        Refusal: 401 with the reason, or ``issuer_unavailable``.
    """
    await issuer.source.look_for(presented.jws.key_id)
    key = _signer(_published(presented, issuer), presented, issuer, verify)
    if key is None:
        raise _bad_signature()
    return _not_banned(key, issuer)


def _not_banned(key: VerificationKey, issuer: SigningIssuer) -> VerificationKey:
    banned = issuer.settings.banned_keys
    if key.key_id in banned or key.thumbprint in banned:
        raise _banned()
    return key


def _published(presented: Presented, issuer: SigningIssuer) -> tuple[VerificationKey, ...]:
    """The keys that the token may mean and that may sign for its tenant (Entra ID's sets say)."""
    keys = issuer.source.keys
    named = keys.named(presented.jws.key_id) if keys is not None else ()
    for key in named:
        if key.issuer is not None:
            break
    else:
        return named
    serves = PROFILES[issuer.settings.profile].key_serves
    return tuple(key for key in named if serves(key.issuer, presented.claims))


def _signer(
    candidates: tuple[VerificationKey, ...],
    presented: Presented,
    issuer: SigningIssuer,
    verify: Verify,
) -> VerificationKey | None:
    jws = presented.jws
    if not candidates:
        raise _unknown(jws.key_id, issuer)
    fits = False
    for key in candidates:
        if jws.algorithm not in key.algorithms:
            continue
        fits = True
        if verify(jws.algorithm, key, jws.signing_input, jws.signature):
            return key
    if not fits:
        raise Refusal(
            Reason.ALGORITHM_NOT_ALLOWED,
            "The token's signature algorithm (alg) is not that of the key it names.",
        )
    return None


def _bad_signature() -> Refusal:
    return Refusal(Reason.BAD_SIGNATURE, "The token's signature is not valid.")


def _unknown(key_id: str | None, issuer: SigningIssuer) -> Refusal:
    if issuer.source.error is not None:
        # it may be a good token of a new key: a client may try again after a 503, not after a 401
        return Refusal(
            Reason.ISSUER_UNAVAILABLE,
            "The key that signed the token is not known here, and the token's issuer cannot be"
            " asked for it at the moment; try again shortly.",
        )
    if key_id is None:
        return Refusal(
            Reason.UNKNOWN_KEY,
            "The token does not name the key that has signed it (kid), and its issuer does not"
            " publish exactly one.",
        )
    return Refusal(
        Reason.UNKNOWN_KEY, "The token is signed with a key that its issuer does not publish."
    )


def _banned() -> Refusal:
    return Refusal(
        Reason.REVOKED,
        "The key that signed the token is not accepted any more; sign in again.",
    )
