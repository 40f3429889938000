"""A payload becomes a caller."""

from typing import Any

from rolecall.config import IssuerSettings
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.profiles import PROFILES


def caller_from(issuer: IssuerSettings, payload: dict[str, Any], expires: float = 0.0) -> Caller:
    """Read a caller out of a payload; whether to believe it is the verifier's business.

    Raises:
        Refusal: ``invalid_claim``.
    """
    profile = PROFILES[issuer.profile]
    subject = claim.name(payload, "sub")
    if subject is None:
        raise Refusal(Reason.INVALID_CLAIM, "The token has no sub, and so names nobody.")
    claim.name(payload, "jti")
    clients = [claim.name(payload, key) for key in profile.client_claims]
    return Caller(
        issuer=issuer.issuer,
        subject=subject,
        client=next((client for client in clients if client is not None), None),
        kind="workload" if profile.is_workload(payload) else "person",
        role_claims=claim.role_claims(payload, issuer),
        scopes=claim.scopes(payload, issuer),
        groups=claim.groups(payload, issuer),
        claims=payload,
        expires=expires,
    )
