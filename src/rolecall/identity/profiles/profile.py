"""The shape of a profile, and what holds for the tokens of every provider."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from rolecall.config import IssuerSettings
from rolecall.identity.claim_values import Claims

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
        subject_claims: where the caller is named, unique within the issuer and its kind; the first
            that is there counts.
        check: refuses what only this provider's tokens can get wrong.
        key_serves: whether a key whose set names an issuer for it may sign a token with these
            claims; the name is None where the set has none.
        leaves_groups_out: whether a token has no room for the groups that this issuer's callers are
            judged by.
        audience_may_be_missing: whether access tokens have no ``aud``, so that the client decides.
        where_audience_is_missing: what to do at this provider about a token without ``aud``.
        where_subject_is_missing: why its tokens may lack ``sub``, as the end of a sentence.
    """

    client_claims: tuple[str, ...]
    not_access_token: Callable[[Claims, Claims], str | None]
    is_workload: Callable[[Claims], bool]
    subject_claims: tuple[str, ...] = ("sub",)
    check: Callable[[Claims, IssuerSettings], None] = lambda _claims, _issuer: None
    key_serves: Callable[[str | None, Claims], bool] = lambda _name, _claims: True
    leaves_groups_out: Callable[[Claims, IssuerSettings], bool] = lambda _claims, _issuer: False
    audience_may_be_missing: bool = False
    where_audience_is_missing: str = (
        "ask your identity provider's administrator to add this gateway's audience to it"
    )
    where_subject_is_missing: str = ""


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
