"""Keycloak: the payload has a typ of its own, since ID and access tokens share the header's.

Sources: Keycloak's Server Administration Guide ("Audience support", "Client advanced settings"),
and its ``TokenUtil``.
"""

from typing import Final

from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind

_SERVICE_ACCOUNT: Final = "service-account-"


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    # a tuple: what stands there may have no hash
    if claims.get("typ") not in ("Bearer", "DPoP"):
        return (
            "its payload's typ is not Bearer (ID, refresh, offline and logout tokens differ there)"
        )
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    user = claims.get("preferred_username")
    return isinstance(user, str) and user.startswith(_SERVICE_ACCOUNT) and "client_id" in claims


PROFILE: Final = Profile(
    client_claims=("azp", "client_id"),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
    where_audience_is_missing=(
        "Keycloak writes it only where a role of this gateway's client or an audience mapper in a"
        " client scope says so, and never into a lightweight access token: ask the realm's"
        " administrator for an audience mapper, or to switch lightweight tokens off (or let the"
        " gateway introspect them: tokens: all)"
    ),
    where_subject_is_missing=(
        " (a lightweight access token of Keycloak has none: switch it off at the client, or let the"
        " gateway introspect them: tokens: all)"
    ),
)
