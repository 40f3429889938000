"""A payload becomes a caller."""

from typing import Final

from rolecall.config import IssuerSettings
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity import claim_values
from rolecall.identity import claims as claim
from rolecall.identity.actors import actors_of
from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles import PROFILES
from rolecall.identity.sign_in import sign_in

# whatever a profile reads, these name somebody in every token (RFC 7519, RFC 9068, OIDC Core)
_NAMES: Final = ("sub", "jti", "client_id", "azp")
# nobody sees these but whoever asks offline
_REFUSED: Final = "the token leaves its groups out (group overage), and the gateway refuses it"
_ASKED_FOR: Final = (
    "the token leaves its groups out (group overage); the gateway asks Microsoft Graph for them,"
    " and here nobody does: this is said without them"
)


def caller_from(
    issuer: IssuerSettings, payload: Claims, expires: float = 0.0, kept: Claims | None = None
) -> Caller:
    """Read a caller out of a payload; whether to believe it is `access_token`'s business.

    Args:
        issuer: who has said it.
        payload: what was said.
        expires: seconds since the epoch.
        kept: the same as it is to be kept; None for as it is.

    Raises:
        Refusal: ``invalid_claim``.
    """
    profile = PROFILES[issuer.profile]
    for key in _NAMES:
        if key in payload:
            claim.name(payload, key)
    path = issuer.subject
    subject = (
        claim.first_name(payload, profile.subject_claims)
        if path is None
        else claim.name_at(payload, path)
    )
    if subject is None:
        raise Refusal(
            Reason.INVALID_CLAIM,
            f"The token has no {'.'.join(path or ('sub',))}, and so names nobody"
            f"{profile.where_subject_is_missing}.",
        )
    role_claims, notes = claim_values.role_claims(payload, issuer)
    if profile.leaves_groups_out(payload, issuer):
        notes += (_REFUSED if issuer.group_overage is None else _ASKED_FOR,)
    return Caller(
        issuer=issuer.issuer,
        subject=subject,
        client=claim.first_name(payload, profile.client_claims),
        kind="workload" if profile.is_workload(payload) else "person",
        role_claims=role_claims,
        scopes=claim_values.scopes(payload, issuer),
        groups=claim_values.groups(payload, issuer),
        claims=payload if kept is None else kept,
        expires=expires,
        email=claim_values.text(payload, issuer.email),
        organization=claim_values.text(payload, issuer.organization),
        teams=claim_values.teams(payload, issuer),
        end_user=claim_values.text(payload, issuer.end_user),
        notes=notes,
        actors=actors_of(payload, issuer),
        sign_in=sign_in(payload, issuer),
    )
