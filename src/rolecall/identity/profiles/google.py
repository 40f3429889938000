"""Google, whose access tokens are opaque: here the ID token is the credential.

So its audience has to be this gateway's alone, and a claim must be required besides: a service
account of anybody's can have an ID token for whatever audience it asks for.
Source: Google's "OpenID Connect" and "Service account ID tokens".
"""

from typing import Final

from rolecall.config import IssuerSettings
from rolecall.core import Reason, Refusal
from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile

_SERVICE_ACCOUNT: Final = ".gserviceaccount.com"


def _not_id_token(header: Claims, claims: Claims) -> str | None:
    typ = header.get("typ", "JWT")
    if not isinstance(typ, str) or typ.lower() != "jwt":
        return "its typ is not that of Google's ID tokens"
    if "events" in claims:
        return "it is a security event"
    return None


def _check(claims: Claims, _issuer: IssuerSettings) -> None:
    if "email" in claims and claims.get("email_verified") is not True:
        raise Refusal(
            Reason.INVALID_CLAIM,
            "Google has not verified the token's e-mail address (email_verified).",
        )


def _is_workload(claims: Claims) -> bool:
    email = claims.get("email")
    return isinstance(email, str) and email.endswith(_SERVICE_ACCOUNT)


PROFILE: Final = Profile(
    client_claims=("azp",),
    not_access_token=_not_id_token,
    is_workload=_is_workload,
    check=_check,
)
