"""The claims of a token whose signature is right: for whom, from when, until when, what kind.

RFC 7519 section 4.1, RFC 9068, RFC 8725 section 3, OpenID Connect Core section 2.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.config.claim_path import ClaimPath
from rolecall.core import Reason, Refusal, RoleClaim

Claims = Mapping[str, Any]

MAX_NAME: Final = 1024
MAX_VALUES: Final = 1000
_YEAR_9999: Final = 253_402_300_800


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
        raise Refusal(Reason.NOT_YET_VALID, "The token is not valid yet (nbf).")
    issued = _time(claims, "iat")
    if issued is not None and issued > now + leeway:
        raise Refusal(
            Reason.NOT_YET_VALID, "The token says that it was issued in the future (iat)."
        )
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
    # bool is an int in Python, and never a NumericDate
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(Reason.INVALID_CLAIM, f"The token's {name} is not a number.")
    if not 0 <= value < _YEAR_9999 or not math.isfinite(value):
        raise Refusal(Reason.INVALID_CLAIM, f"The token's {name} is no plausible time.")
    return float(value)


def check_audience(claims: Claims, accepted: tuple[str, ...] | None, where_missing: str) -> None:
    """Check ``aud`` (RFC 7519 4.1.3): one of its values is accepted; None waives the check.

    ``where_missing`` says what to do at the identity provider if there is none.

    Raises:
        Refusal: ``wrong_audience`` or ``invalid_claim``.
    """
    value = claims.get("aud")
    values = [value] if isinstance(value, str) else value
    if values is not None and (
        not isinstance(values, list) or not all(isinstance(item, str) for item in values)
    ):
        raise Refusal(
            Reason.INVALID_CLAIM, "The token's aud is neither a string nor a list of strings."
        )
    if accepted is None:
        return
    if values is None:
        raise Refusal(Reason.WRONG_AUDIENCE, f"The token has no aud; {where_missing}.")
    if not any(item in accepted for item in values):
        raise Refusal(Reason.WRONG_AUDIENCE, "The token was issued for another application (aud).")


def name(claims: Claims, key: str) -> str | None:
    """A claim that names somebody: absent, or a string of a sensible length.

    Raises:
        Refusal: ``invalid_claim``.
    """
    if key not in claims:
        return None
    value = claims[key]
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise Refusal(
            Reason.INVALID_CLAIM, f"The token's {key} is not a string of a sensible length."
        )
    return value


def first_name(claims: Claims, keys: tuple[str, ...]) -> str | None:
    """The first of these claims that is there; each of them must be a name.

    Raises:
        Refusal: ``invalid_claim``.
    """
    found = [name(claims, key) for key in keys]
    return next((value for value in found if value is not None), None)


def role_claims(claims: Claims, issuer: IssuerSettings) -> tuple[RoleClaim, ...]:
    """The values of all role claims; a claim that is not a list of strings gives none."""
    return tuple(
        RoleClaim(path, value) for path in issuer.roles for value in _strings(claims, path)
    )


def groups(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """The values of all group claims."""
    return frozenset(value for path in issuer.groups for value in _strings(claims, path))


def scopes(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """OAuth scopes: a list, or words separated by spaces (RFC 9068 2.2.3)."""
    found: set[str] = set()
    for path in issuer.scopes:
        value = _at(claims, path)
        if isinstance(value, str):
            found.update(value.split(" "))
        else:
            found.update(_strings(claims, path))
    return frozenset(found - {""})


def _strings(claims: Claims, path: ClaimPath) -> list[str]:
    value = _at(claims, path)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return []
    if len(value) > MAX_VALUES:
        raise Refusal(
            Reason.INVALID_CLAIM,
            f"The token's {'.'.join(path)} holds more than {MAX_VALUES} values.",
        )
    return value


def _at(claims: Any, path: ClaimPath) -> Any:
    for key in path:
        if not isinstance(claims, dict):
            return None
        claims = claims.get(key)
    return claims
