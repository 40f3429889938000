"""Amazon Cognito user pools, whose access tokens have no ``aud`` but name their client.

Source: Amazon's "Understanding the access token" and "Verifying JSON web tokens".
"""

from typing import Final

from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    if claims.get("token_use") != "access":
        return "its token_use is not access"
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    return "username" not in claims and claims.get("sub") == claims.get("client_id")


PROFILE: Final = Profile(
    client_claims=("client_id",),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
    audience_may_be_missing=True,
)
