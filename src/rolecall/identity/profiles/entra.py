"""Microsoft Entra ID, v1.0 and v2.0 tokens."""

from typing import Final

from rolecall.identity.claims import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    if "azp" not in claims and "appid" not in claims:
        # ID tokens share the header, and need not have a nonce
        return "it names no client (azp, appid), which every access token of Entra does"
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    # scp stands in a person's token only; idtyp is an optional claim
    return claims.get("idtyp") == "app" or "scp" not in claims


PROFILE: Final = Profile(
    client_claims=("azp", "appid"),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
)
