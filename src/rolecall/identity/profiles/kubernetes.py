"""Kubernetes: projected tokens of service accounts.

Those that are mounted by themselves are for the API server and good for a year, and the legacy ones
have neither ``exp`` nor ``aud``: audience and longest lifetime keep both out.
Source: Kubernetes' "Managing service accounts" and KEP-1205.
"""

from typing import Final

from rolecall.config import IssuerSettings
from rolecall.core import Reason, Refusal
from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind


def _check(claims: Claims, _issuer: IssuerSettings) -> None:
    bound = claims.get("kubernetes.io")
    account = bound.get("serviceaccount") if isinstance(bound, dict) else None
    if (
        not isinstance(bound, dict)
        or not isinstance(account, dict)
        or claims.get("sub")
        != f"system:serviceaccount:{bound.get('namespace')}:{account.get('name')}"
    ):
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token is not bound to the service account that its sub names; mount a projected"
            " token for this gateway's audience.",
        )


PROFILE: Final = Profile(
    client_claims=(),
    not_access_token=foreign_kind,
    is_workload=lambda _claims: True,
    check=_check,
    where_audience_is_missing="mount a projected token for this gateway's audience",
)
