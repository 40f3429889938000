"""What makes a JWT whose signature is right an access token for this gateway, a check a line."""

from collections.abc import Callable
from typing import Final, Literal

from rolecall.config import IssuerSettings
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.actors import check_actor
from rolecall.identity.binding import bound_to
from rolecall.identity.caller import caller_from
from rolecall.identity.guard import Presented
from rolecall.identity.payload import Payload
from rolecall.identity.profiles import PROFILES
from rolecall.identity.sign_in import check_sign_in

# RFC 9068 2.1, 2.2
_ACCESS_TOKEN_TYPES: Final = ("at+jwt", "application/at+jwt")
_REQUIRED: Final = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")


def accept(presented: Presented, issuer: IssuerSettings, now: float) -> Caller:
    """Check everything that a token says, and read its caller.

    Args:
        presented: a token whose signature was verified with a key of its issuer.
        issuer: what is expected of the issuer's tokens.
        now: seconds since the epoch.

    Raises:
        Refusal: 401 with the reason.
    """
    for _, check in CHECKS:
        check(presented, issuer, now)
    claims = presented.claims
    kept = Payload(presented.jws.payload, claims) if presented.jws.payload else None
    caller = caller_from(issuer, claims, float(claims["exp"]), kept)
    check_client(caller, issuer)
    check_actor(caller, issuer)
    return caller


def _check_kind(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    foreign = PROFILES[issuer.profile].not_access_token(presented.jws.header, presented.claims)
    if foreign is not None:
        raise Refusal(
            Reason.WRONG_TOKEN_KIND,
            f"The token is not an access token: {foreign}; send the access token.",
        )


def _check_rfc9068(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    if not issuer.rfc9068:
        return
    typ = presented.jws.header.get("typ")
    if not isinstance(typ, str) or typ.lower() not in _ACCESS_TOKEN_TYPES:
        raise Refusal(
            Reason.WRONG_TOKEN_KIND,
            "The token is not an access token: its typ is not at+jwt (RFC 9068), which its issuer"
            " is held to.",
        )
    for name in _REQUIRED:
        if name not in presented.claims:
            raise Refusal(
                Reason.INVALID_CLAIM,
                f"The token has no {name}, which an access token must have (RFC 9068 2.2).",
            )


def _check_binding(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    # whether its holder has sent it is seen later
    binding = bound_to(presented.claims)
    if binding is None:
        raise Refusal(
            Reason.SENDER_MISMATCH,
            "The token is bound to its holder in a way (cnf) that cannot be checked here; ask for"
            " one that is bound to a DPoP key (jkt) or a client certificate (x5t#S256).",
        )
    _check_bound("holder's key", "with a DPoP proof", binding.key, issuer.dpop)
    _check_bound(
        "client certificate",
        "over a connection with one",
        binding.certificate,
        issuer.certificate_bound,
    )


def _check_bound(
    what: str, how: str, thumbprint: str | None, wanted: Literal["optional", "required"] | None
) -> None:
    if thumbprint is None:
        if wanted == "required":
            raise Refusal(
                Reason.SENDER_MISMATCH,
                f"The token is not bound to its {what} (cnf), as its issuer's must be; ask for it"
                f" {how}.",
            )
    elif wanted is None:
        # RFC 9449 7.1, RFC 8705 3: as a bearer token it would lose its protection
        raise Refusal(
            Reason.SENDER_MISMATCH,
            f"The token is bound to its {what} (cnf), and no proof of possession can be"
            " checked here; ask for a bearer token.",
        )


def _check_times(presented: Presented, issuer: IssuerSettings, now: float) -> None:
    claim.check_times(presented.claims, now, issuer.leeway, issuer.max_lifetime)


def _check_audience(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    claims, profile = presented.claims, PROFILES[issuer.profile]
    # where there is no aud the client stands for it, and so must be checked
    if "aud" in claims or not profile.audience_may_be_missing or issuer.clients is None:
        claim.check_audience(claims, issuer.audience, profile.where_audience_is_missing)


def _check_profile(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    PROFILES[issuer.profile].check(presented.claims, issuer)


def _check_required(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    claim.check_required(presented.claims, issuer)


def _check_email_domain(presented: Presented, issuer: IssuerSettings, _: float) -> None:
    claim.check_email_domain(presented.claims, issuer)


def _check_authentication(presented: Presented, issuer: IssuerSettings, now: float) -> None:
    check_sign_in(presented.claims, issuer, now)


CHECKS: Final[tuple[tuple[str, Callable[[Presented, IssuerSettings, float], None]], ...]] = (
    ("kind", _check_kind),
    ("RFC 9068", _check_rfc9068),
    ("binding", _check_binding),
    ("times", _check_times),
    ("audience", _check_audience),
    ("profile", _check_profile),
    ("require", _check_required),
    ("email_domains", _check_email_domain),
    ("authentication", _check_authentication),
)
"""What is checked before a caller is read, in this order; each raises `Refusal`."""


OF_ITSELF: Final = frozenset({"kind", "RFC 9068", "binding", "times"})
"""The checks that need nothing but the token."""


def check_itself(presented: Presented, issuer: IssuerSettings, now: float) -> None:
    """Check what a token alone can be judged by, before its issuer is asked about it.

    Raises:
        Refusal: 401 with the reason.
    """
    for name, check in CHECKS:
        if name in OF_ITSELF:
            check(presented, issuer, now)


def check_client(caller: Caller, issuer: IssuerSettings) -> None:
    """Check that the token was issued to a client that the configuration accepts.

    Raises:
        Refusal: ``wrong_audience``.
    """
    if issuer.clients is not None and caller.client not in issuer.clients:
        raise Refusal(
            Reason.WRONG_AUDIENCE,
            "The token was issued to a client that this gateway does not accept.",
        )
