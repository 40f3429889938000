"""Proofs of possession: whoever sends a bound token signs each request too (RFC 9449)."""

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from rolecall.config import Limits
from rolecall.core import Reason, Refusal
from rolecall.identity import base64url
from rolecall.identity.guard import Jws, Presented, open_token
from rolecall.identity.jwk import UnusableKey, VerificationKey, read_key
from rolecall.identity.signature import Verify

PROOF_ALGORITHMS: Final = (
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "PS256",
    "RS256",
)
WINDOW: Final = 60
"""Seconds that a proof's ``iat`` may lie before or after now."""

_MAX_ID: Final = 512
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ProvenRequest:
    """A request that comes with a proof.

    Attributes:
        method: as sent.
        url: the URL that the client has asked for, out of the configuration and the path, and
            never out of ``Host``.
        proofs: the values of its ``DPoP`` headers.
    """

    method: str
    url: str
    proofs: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is right, but may have been sent before.

    Attributes:
        jti: its ID.
        nonce: as it stands in it; None where there is none.
    """

    jti: str
    nonce: Any


def check_proof(  # noqa: PLR0913 - what a proof is of
    request: ProvenRequest,
    token: bytes,
    thumbprint: str | None,
    *,
    now: float,
    limits: Limits,
    verify: Verify,
) -> Proof:
    """Check all of a proof but that it is new (RFC 9449 4.3).

    Args:
        request: what it was sent with.
        token: the token that was sent with it.
        thumbprint: the key that the token is bound to.
        now: seconds since the epoch.
        limits: sizes, as for tokens.
        verify: the signature step.

    Raises:
        Refusal: ``invalid_dpop_proof``, or ``sender_mismatch`` where it is another key's.
    """
    proof = _opened(request.proofs, limits)
    key = _key(proof.jws)
    if not verify(proof.jws.algorithm, key, proof.jws.signing_input, proof.jws.signature):
        raise _invalid("its signature is not valid")
    claims = proof.claims
    identifier = claims.get("jti")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= _MAX_ID:
        raise _invalid("its jti is not a string of a sensible length")
    if claims.get("htm") != request.method:
        raise _invalid("it is of another method (htm)")
    if _target(claims.get("htu")) != _target(request.url):
        raise _invalid("it is of another URL (htu) than this gateway's")
    _check_time(claims.get("iat"), now)
    if claims.get("ath") != base64url.encode(hashlib.sha256(token).digest()).decode():
        raise _invalid("it is of another token (ath)")
    if key.thumbprint != thumbprint:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to another key (cnf.jkt) than the one that signed the proof.",
        )
    return Proof(identifier, claims.get("nonce"))


def _opened(proofs: tuple[bytes, ...], limits: Limits) -> Presented:
    if len(proofs) != 1:
        raise _invalid("exactly one DPoP header must be sent")
    try:
        proof = open_token(proofs[0], limits)
    except Refusal:
        raise _invalid("it is not a signed JWT") from None
    if proof.jws.header.get("typ") != "dpop+jwt":
        raise _invalid("its typ is not dpop+jwt")
    if proof.jws.algorithm not in PROOF_ALGORITHMS:
        raise _invalid(f"its alg is not one of {', '.join(PROOF_ALGORITHMS)}")
    return proof


def _key(jws: Jws) -> VerificationKey:
    try:
        key = read_key(jws.header.get("jwk"))
    except UnusableKey as error:
        raise _invalid(f"its key (jwk) cannot be used: {error}") from None
    if jws.algorithm not in key.algorithms:
        raise _invalid("its alg is not that of its key (jwk)")
    return key


def _check_time(issued: Any, now: float) -> None:
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        raise _invalid("its iat is not a number")
    if not now - WINDOW <= issued <= now + WINDOW:
        raise _invalid(f"its iat is more than {WINDOW} s from now")


def _target(url: Any) -> tuple[str, str, int | None, str] | None:
    """A URL without query and fragment, normalised as RFC 3986 6.2.2 and 6.2.3 have it."""
    if not isinstance(url, str):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or "@" in parts.netloc:
        return None
    return (
        parts.scheme,
        parts.hostname,
        _PORTS.get(parts.scheme) if port is None else port,
        unquote(parts.path) or "/",
    )


def _invalid(why: str) -> Refusal:
    return Refusal(Reason.INVALID_DPOP_PROOF, f"The proof of possession (DPoP) is no good: {why}.")
