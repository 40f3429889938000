"""The shape of a profile, and what holds for the tokens of every provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Claims = Mapping[str, Any]

ACCESS_TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt"})
# tuples, since a claim may be anything, also what has no hash
_FOREIGN_USES: Final = ("id", "refresh")
_FOREIGN_PAYLOAD_TYPES: Final = ("ID", "Refresh", "Offline", "Logout")


@dataclass(frozen=True, slots=True)
class Profile:
    """One provider's habits.

    Attributes:
        client_claims: where the OAuth client is named; the first that is there counts.
        not_access_token: why a token is not an access token, or None if it is one.
        is_workload: whether a program signed in by itself, without a person.
    """

    client_claims: tuple[str, ...]
    not_access_token: Callable[[Claims, Claims], str | None]
    is_workload: Callable[[Claims], bool]


def foreign_kind(header: Claims, claims: Claims) -> str | None:
    """What a token is when it is no access token, as far as all providers agree.

    The types that RFC 8725 3.11 keeps apart, and the marks of ID tokens (OpenID Connect Core
    2, 3.1.3.6), logout tokens and security events (RFC 8417).
    """
    typ = header.get("typ", "JWT")
    if (
        not isinstance(typ, str)
        or typ.lower().removeprefix("application/") not in ACCESS_TOKEN_TYPES
    ):
        return "its typ is not that of an access token"
    if claims.get("token_use") in _FOREIGN_USES:
        return "its token_use is not access"
    if claims.get("typ") in _FOREIGN_PAYLOAD_TYPES:
        return "its payload's typ is not that of an access token"
    if "events" in claims:
        return "it is a logout token or a security event"
    if "at_hash" in claims or "c_hash" in claims:
        return "it is an ID token"
    audience = claims.get("aud")
    client = claims.get("azp", audience)
    # aud may be a list of one (OpenID Connect Core 2)
    if "nonce" in claims and audience in (client, [client]):
        return "it is an ID token"
    return None
