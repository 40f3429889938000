"""Okta's custom authorization servers.

The org server's access tokens are for Okta alone; the configuration refuses it as an issuer.
Source: Okta's "Access token payload" and "ID token payload".
"""

from typing import Final

from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    if "cid" not in claims:
        return "it names no client (cid), which every access token of Okta does"
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    return "uid" not in claims and claims.get("sub") == claims.get("cid")


PROFILE: Final = Profile(
    client_claims=("cid",),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
    # sub is the login name, which can be changed and given to another; uid stays
    subject_claims=("uid", "sub"),
)
