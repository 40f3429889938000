"""How and when a person has signed in, and whether that will do (RFC 9470)."""

from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.core import UNSAID, Caller, SignIn, step_up
from rolecall.identity.claim_values import Claims, text
from rolecall.identity.claims import NUMBERS, YEAR_9999

_ACR: Final = ("acr",)


def sign_in(claims: Claims, issuer: IssuerSettings) -> SignIn:
    """What a payload says of a sign-in: ``acr``, ``auth_time`` (RFC 9470 6; OpenID Connect Core 2).

    A value of another type says nothing.
    """
    acr, at = text(claims, _ACR), _moment(claims.get("auth_time"))
    return UNSAID if acr is None and at is None else SignIn(acr, at, issuer.leeway)


def _moment(value: Any) -> float | None:
    # bool is an int in Python, and never a NumericDate; parsed JSON holds no other subclass
    return float(value) if type(value) in NUMBERS and 0 <= value < YEAR_9999 else None


def check_sign_in(claims: Claims, issuer: IssuerSettings, now: float) -> None:
    """Check what the configuration demands of the sign-in behind each token of an issuer.

    Raises:
        Refusal: ``insufficient_user_authentication``.
    """
    demand = issuer.authentication
    if demand is not None and not demand.met_by(sign_in(claims, issuer), now):
        raise step_up(demand, "This gateway")


def good_until(caller: Caller, issuer: IssuerSettings) -> float:
    """Until when a caller is what its issuer's tokens must be, in seconds since the epoch."""
    demand, signed_in = issuer.authentication, caller.sign_in.at
    if demand is None or demand.max_age is None or signed_in is None:
        return caller.expires
    return min(caller.expires, signed_in + demand.max_age)
