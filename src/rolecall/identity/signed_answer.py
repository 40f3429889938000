"""A signed answer of an introspection endpoint (RFC 9701), before anything in it is believed."""

from dataclasses import dataclass, replace
from typing import Final

from rolecall.config import IssuerSettings, Limits
from rolecall.core import Refusal
from rolecall.identity import claims as claim
from rolecall.identity.claim_values import Claims
from rolecall.identity.documents import MAX_BYTES, Answer, FetchError
from rolecall.identity.guard import Presented, open_token
from rolecall.identity.signature import Verify
from rolecall.identity.signing_key import SigningIssuer, signing_key

MEDIA_TYPE: Final = "application/token-introspection+jwt"

_TYPES: Final = ("token-introspection+jwt", MEDIA_TYPE)
# RFC 9701 5: an answer that had them could be taken for an access token
_NOT_IN_ANSWERS: Final = ("sub", "exp")
_DOTS_OF_JWE: Final = 4


@dataclass(frozen=True, slots=True)
class SignedAnswers:
    """Whose answers are believed, and by whom they must have been asked for.

    Attributes:
        issuer: who signs them, with a key of its key set.
        client_id: what the issuer calls the gateway.
        limits: sizes; an answer may be as long as one that is not signed.
        verify: the signature step.
    """

    issuer: SigningIssuer
    client_id: str
    limits: Limits
    verify: Verify


async def read(
    answer: Answer, expected: SignedAnswers, url: str, asked: float, now: float
) -> tuple[Claims, str]:
    """Read a signed answer; one that is not signed, or not as it should be, is none.

    Awaits only while the issuer is asked for a key that is not in its set.

    Args:
        answer: its status is 200.
        expected: who signs it, and for whom.
        url: who has answered, says the connection.
        asked: seconds since the epoch, when that was.
        now: seconds since the epoch.

    Returns:
        What is said of the token, and the thumbprint of the key that vouches for it.

    Raises:
        FetchError: it cannot be believed; the text says why, and holds nothing of it.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != MEDIA_TYPE:
        raise FetchError(
            f"{url} does not sign its answer (it is no {MEDIA_TYPE}); register an"
            " introspection_signed_response_alg for the gateway's client (RFC 9701 6)"
        )
    if answer.body.count(b".") == _DOTS_OF_JWE:
        raise FetchError(
            f"{url} encrypts its answer, which is not read here; register no"
            " introspection_encrypted_response_alg for the gateway's client (RFC 9701 6)"
        )
    try:
        presented = open_token(answer.body, replace(expected.limits, token=MAX_BYTES))
        key = await signing_key(presented, expected.issuer, expected.verify)
        claim.check_audience(presented.claims, (expected.client_id,), "")
    except Refusal as refusal:
        raise _unbelievable(url, refusal.reason) from None
    fault = _fault(presented, expected.issuer.settings, asked, now)
    if fault is not None:
        raise _unbelievable(url, fault)
    return presented.claims["token_introspection"], key.thumbprint


def _fault(presented: Presented, issuer: IssuerSettings, asked: float, now: float) -> str | None:
    claims = presented.claims
    typ = presented.jws.header.get("typ")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        return "its typ is not token-introspection+jwt"
    if claims.get("iss") != issuer.issuer:
        return "its iss is not the issuer"
    issued = claims.get("iat")
    # an answer is made when it is asked for: an older one is the copy of another
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return "its iat is not a number"
    if not int(asked) - issuer.leeway <= issued <= now + issuer.leeway:
        return "its iat is not the time at which it was asked for; compare the clocks"
    for name in _NOT_IN_ANSWERS:
        if name in claims:
            return f"it has {name} beside token_introspection"
    if not isinstance(claims.get("token_introspection"), dict):
        return "its token_introspection is no object"
    return None


def _unbelievable(url: str, why: str) -> FetchError:
    return FetchError(f"{url} answered with what cannot be believed: {why}")
