"""Microsoft Entra ID, v1.0 and v2.0 tokens.

Sources: Microsoft's "Access token claims reference", "Secure applications and APIs by validating
claims" and "Signing key rollover".
"""

from typing import Final

from rolecall.config import IssuerSettings
from rolecall.config.issuer_schema import GUID
from rolecall.core import Reason, Refusal
from rolecall.identity.claim_values import Claims
from rolecall.identity.profiles.profile import Profile, foreign_kind

_PLACE_OF_TENANT: Final = "{tenantid}"
_GROUPS: Final = ("groups",)


def _not_access_token(header: Claims, claims: Claims) -> str | None:
    if "azp" not in claims and "appid" not in claims:
        # ID tokens share the header, and need not have a nonce
        return "it names no client (azp, appid), which every access token of Entra does"
    return foreign_kind(header, claims)


def _is_workload(claims: Claims) -> bool:
    # scp stands in a person's token only; idtyp is an optional claim
    return claims.get("idtyp") == "app" or "scp" not in claims


def _check(claims: Claims, issuer: IssuerSettings) -> None:
    tenant = claims.get("tid")
    if (
        not isinstance(tenant, str)
        or not GUID.fullmatch(tenant)
        or f"/{tenant}/" not in f"{claims.get('iss', issuer.issuer)}/"
    ):
        raise Refusal(
            Reason.INVALID_CLAIM, "The token's tenant (tid) is not the one that issued it (iss)."
        )
    if issuer.group_overage is None and _leaves_groups_out(claims, issuer):
        # "no groups" would be wrong: a deny rule may speak of one
        raise Refusal(
            Reason.INVALID_CLAIM,
            "The token leaves its groups out because they are too many (group overage); ask the"
            " administrator of your Entra ID to limit the groups claim to those assigned to the"
            " application, or to use app roles.",
        )


def _leaves_groups_out(claims: Claims, issuer: IssuerSettings) -> bool:
    """Whether a token had no room for its groups, if anybody asks for them.

    The address that it holds instead is never asked: it is the token's word, and of an interface
    that is gone.
    """
    if "groups" in claims or _GROUPS not in (*issuer.groups, *issuer.roles):
        return False
    elsewhere = claims.get("_claim_names")
    return bool(claims.get("hasgroups")) or (isinstance(elsewhere, dict) and "groups" in elsewhere)


def _key_serves(name: str | None, claims: Claims) -> bool:
    """Whether a key is for the token's tenant.

    The keys that all tenants share are published with a place for the tenant in their issuer;
    those of personal accounts name the tenant of personal accounts. Either version's name will
    do: what must not happen is one tenant's key under another's name.
    """
    if name is None:
        return True
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not GUID.fullmatch(tenant):
        return False
    return name.replace(_PLACE_OF_TENANT, tenant) in (
        claims.get("iss"),
        f"https://login.microsoftonline.com/{tenant}/v2.0",
        f"https://sts.windows.net/{tenant}/",
    )


PROFILE: Final = Profile(
    client_claims=("azp", "appid"),
    not_access_token=_not_access_token,
    is_workload=_is_workload,
    # sub differs from application to application; oid is the directory's own name for the caller
    subject_claims=("oid", "sub"),
    check=_check,
    key_serves=_key_serves,
    leaves_groups_out=_leaves_groups_out,
)
