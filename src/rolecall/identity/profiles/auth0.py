"""Auth0: its own token profile (``azp``), and that of RFC 9068 (``client_id``).

Source: Auth0's "Access token profiles".
"""

from typing import Final

from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind

_CLIENTS: Final = "@clients"


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    if "azp" not in claims and "client_id" not in claims:
        return "it names no client (azp, client_id), which every access token of Auth0 does"
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    subject = claims.get("sub")
    return claims.get("gty") == "client-credentials" or (
        isinstance(subject, str) and subject.endswith(_CLIENTS)
    )


PROFILE: Final = Profile(
    client_claims=("azp", "client_id"),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
    where_audience_is_missing=(
        "ask for a token with the parameter audience, set to this gateway's API identifier"
    ),
)
