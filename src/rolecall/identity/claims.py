"""The claims of a token whose signature is right: for whom, from when, until when, what kind.

RFC 7519 section 4.1, RFC 9068, RFC 8725 section 3, OpenID Connect Core section 2.
"""

from typing import Final

from rolecall.config import IssuerSettings
from rolecall.config.claim_path import ClaimPath
from rolecall.core import Reason, Refusal
from rolecall.identity.claim_values import MAX_TEXT, Claims, at, strings, text

YEAR_9999: Final = 253_402_300_800
NUMBERS: Final = frozenset({int, float})
_CLOCKS: Final = "; the clocks of its issuer and of this gateway may differ."


def check_times(claims: Claims, now: float, leeway: int, max_lifetime: int | None) -> float:
    """Check ``exp`` (required), ``nbf`` and ``iat``; return ``exp`` in seconds since the epoch.

    Args:
        claims: the payload.
        now: seconds since the epoch.
        leeway: seconds that clocks may differ.
        max_lifetime: seconds that a token may be good for in all; None for any time.

    Raises:
        Refusal: ``expired``, ``not_yet_valid``, or ``invalid_claim``.
    """
    expires = _time(claims, "exp")
    if expires is None:
        raise Refusal(Reason.INVALID_CLAIM, "The token has no exp, and so would never expire.")
    if now >= expires + leeway:
        raise Refusal(Reason.EXPIRED, "The token has expired; sign in again to get a new one.")
    not_before = _time(claims, "nbf")
    if not_before is not None and not_before > now + leeway:
        raise Refusal(Reason.NOT_YET_VALID, f"The token is not valid yet (nbf){_CLOCKS}")
    issued = _time(claims, "iat")
    if issued is not None and issued > now + leeway:
        raise Refusal(Reason.NOT_YET_VALID, f"The token was issued in the future (iat){_CLOCKS}")
    begun = now if issued is None else issued
    if max_lifetime is not None and expires - begun > max_lifetime:
        raise Refusal(
            Reason.INVALID_CLAIM,
            f"The token is good for more than {max_lifetime} s, longer than this gateway accepts;"
            " ask for one that lives shorter.",
        )
    return expires


def _time(claims: Claims, name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    # bool is an int in Python, and never a NumericDate; parsed JSON holds no other subclass
    if type(value) not in NUMBERS:
        raise Refusal(Reason.INVALID_CLAIM, f"The token's {name} is not a number.")
    if not 0 <= value < YEAR_9999:
        raise Refusal(Reason.INVALID_CLAIM, f"The token's {name} is no plausible time.")
    return float(value)


def check_audience(claims: Claims, accepted: tuple[str, ...] | None, where_missing: str) -> None:
    """Check ``aud`` (RFC 7519 4.1.3): one of its values is accepted; None waives the check.

    ``where_missing`` says what to do at the identity provider if there is none.

    Raises:
        Refusal: ``wrong_audience`` or ``invalid_claim``.
    """
    value = claims.get("aud")
    values = [value] if isinstance(value, str) else strings(value)
    if values is None and value is not None:
        raise Refusal(
            Reason.INVALID_CLAIM, "The token's aud is neither a string nor a list of strings."
        )
    if accepted is None:
        return
    if values is None:
        raise Refusal(Reason.WRONG_AUDIENCE, f"The token has no aud; {where_missing}.")
    for item in values:
        if item in accepted:
            return
    raise Refusal(
        Reason.WRONG_AUDIENCE,
        "The token was issued for another application (aud); ask for one that is for this gateway.",
    )


def name(claims: Claims, key: str, within: str = "") -> str | None:
    """A claim that names somebody: absent, or a string of a sensible length.

    ``within`` is what stands before its key when it is spoken of: ``act.``.

    Raises:
        Refusal: ``invalid_claim``.
    """
    if key not in claims:
        return None
    value = claims[key]
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise Refusal(
            Reason.INVALID_CLAIM,
            f"The token's {within}{key} is not a string of a sensible length.",
        )
    return value


def first_name(claims: Claims, keys: tuple[str, ...]) -> str | None:
    """The first of these claims that is there; each of them must be a name.

    Raises:
        Refusal: ``invalid_claim``.
    """
    first = None
    for key in keys:
        if key in claims:
            value = name(claims, key)
            first = value if first is None else first
    return first


def name_at(claims: Claims, path: ClaimPath) -> str | None:
    """What `name` gives, for a claim of the configuration's choosing.

    Raises:
        Refusal: ``invalid_claim``.
    """
    inside = at(claims, path[:-1])
    return name(inside, path[-1]) if isinstance(inside, dict) else None


def check_required(claims: Claims, issuer: IssuerSettings) -> None:
    """Check the claims that the configuration requires a value of.

    Raises:
        Refusal: ``invalid_claim``.
    """
    for path, accepted in issuer.require:
        value = at(claims, path)
        values = value if isinstance(value, list) else [value]
        if not any(isinstance(item, str) and item in accepted for item in values):
            raise Refusal(
                Reason.INVALID_CLAIM,
                f"The token's {'.'.join(path)} is not one that this gateway accepts.",
            )


def check_email_domain(claims: Claims, issuer: IssuerSettings) -> None:
    """Check the domain of a verified e-mail address.

    Raises:
        Refusal: ``invalid_claim``.
    """
    if issuer.email_domains is None:
        return
    email = text(claims, issuer.email)
    # an unverified address is whatever its holder has typed
    if email is None or claims.get("email_verified", True) is not True:
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token has no verified e-mail address, which this gateway admits callers by.",
        )
    _, _, domain = email.partition("@")
    if domain.lower() not in issuer.email_domains:
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token's e-mail address is of a domain that this gateway does not accept.",
        )
