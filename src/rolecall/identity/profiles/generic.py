"""Any provider that keeps to OpenID Connect and RFC 9068."""

from typing import Final

from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind


def _is_workload(claims: Claims) -> bool:
    # RFC 9068 2.2: without a resource owner, sub names the client
    client = claims.get("client_id", claims.get("azp"))
    return client is not None and claims.get("sub") == client


PROFILE: Final = Profile(
    client_claims=("client_id", "azp", "cid", "appid"),
    not_access_token=foreign_kind,
    is_workload=_is_workload,
)
