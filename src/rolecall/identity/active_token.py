"""What an issuer says of a token when it is asked becomes a caller."""

from dataclasses import replace
from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.access_token import accept, check_client
from rolecall.identity.actors import check_actor
from rolecall.identity.caller import caller_from
from rolecall.identity.claim_values import Claims
from rolecall.identity.guard import Jws, Presented
from rolecall.identity.sign_in import check_sign_in

# no token is taken apart: its issuer has done so
_NO_JWS: Final = Jws("", None, {}, b"", b"", b"")
_ACCESS: Final = ("access", "access_token")
# an answer that differs in one of these speaks of another token
_SAME: Final = ("iss", "sub", "act", "jti", "sid", "exp", "cnf")
# what the signature vouches for, where the answer does not say it: above all to whom a token is
# bound, who acts with it, and the sign-in that it comes from. Roles and groups are what the issuer
# says of them today
_KEPT: Final = (*_SAME, "aud", "azp", "client_id", "iat", "nbf", "typ", "acr", "auth_time")


def introspected(answer: Claims, issuer: IssuerSettings, now: float, ttl: float) -> Caller:
    """The caller of a token that an introspection endpoint calls active (RFC 7662 2.2).

    What is said of it is checked like the claims of a signed token.

    Args:
        answer: whose ``active`` is true.
        issuer: who has answered, and what is expected of its tokens.
        now: seconds since the epoch.
        ttl: seconds for which a token is believed that has no ``exp``.

    Raises:
        Refusal: 401 with the reason.
    """
    _check_issuer(answer, issuer)
    _check_type(answer, issuer)
    claims: dict[str, Any] = {"exp": now + ttl, **answer}
    del claims["active"]
    if not {"sub", "username"} & claims.keys() and "client_id" in claims:
        # RFC 9068 2.2: without a resource owner the client is the subject
        claims["sub"] = claims["client_id"]
    return accept(Presented(_NO_JWS, claims), replace(issuer, rfc9068=False), now)


def confirmed(answer: Claims, presented: Presented, issuer: IssuerSettings, now: float) -> Caller:
    """The caller of a signed token, as its issuer describes it when it is asked.

    Args:
        answer: of the introspection endpoint (``active`` is true) or of the userinfo endpoint.
        presented: the token; its signature was verified with a key of its issuer.
        issuer: who has answered; it is asked about all its tokens.
        now: seconds since the epoch.

    Raises:
        Refusal: 401 with the reason.
    """
    said = presented.claims
    for name in _SAME:
        if name in said and answer.get(name, said[name]) != said[name]:
            raise Refusal(
                Reason.INVALID_CLAIM,
                f"The token's issuer, asked about it, speaks of another one ({name}).",
            )
    claims = {name: said[name] for name in _KEPT if name in said} | dict(answer)
    if issuer.opaque is not None and issuer.opaque.client is not None:
        return introspected(claims, issuer, now, 0.0)
    _check_issuer(claims, issuer)
    # userinfo may name no audience
    audience = issuer.audience if "aud" in claims else None
    presented = Presented(_NO_JWS, claims)
    return accept(presented, replace(issuer, audience=audience, rfc9068=False), now)


def described(answer: Claims, issuer: IssuerSettings, now: float, ttl: float) -> Caller:
    """The person of whom a userinfo endpoint speaks (OpenID Connect Core 5.3.2).

    It says nothing of the token: not until when it is good, nor for whom it was issued.

    Args:
        answer: claims about a person.
        issuer: who has answered.
        now: seconds since the epoch.
        ttl: seconds for which that is believed.

    Raises:
        Refusal: 401 with the reason.
    """
    _check_issuer(answer, issuer)
    if "aud" in answer:
        claim.check_audience(answer, issuer.audience, "its issuer's userinfo says so")
    claim.check_required(answer, issuer)
    claim.check_email_domain(answer, issuer)
    check_sign_in(answer, issuer, now)
    caller = replace(caller_from(issuer, answer, now + ttl), kind="person")
    check_client(caller, issuer)
    check_actor(caller, issuer)
    return caller


def _check_issuer(answer: Claims, issuer: IssuerSettings) -> None:
    # a tuple: what stands there may have no hash
    if answer.get("iss", issuer.issuer) not in (issuer.issuer, *issuer.aliases):
        raise Refusal(
            Reason.UNKNOWN_ISSUER, "The token's issuer says that another one has issued it (iss)."
        )


def _check_type(answer: Claims, issuer: IssuerSettings) -> None:
    kind = answer.get("token_type", "Bearer")
    kind = kind.lower() if isinstance(kind, str) else ""
    if kind == "dpop" and issuer.dpop is None:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to its holder's key (DPoP), and no proof of possession can be"
            " checked here; ask for a bearer token.",
        )
    if kind == "dpop" and "cnf" not in answer:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token's issuer says that it is bound to a key (DPoP), and not to which one (cnf).",
        )
    if kind not in {"bearer", "dpop"} or answer.get("token_use", _ACCESS[0]) not in _ACCESS:
        raise Refusal(
            Reason.WRONG_TOKEN_KIND,
            "The token is not an access token, says its issuer; send the access token.",
        )
