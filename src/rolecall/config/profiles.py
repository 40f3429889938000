"""What each identity provider's issuers are unless the configuration says otherwise.

Behaviour is in `rolecall.identity.profiles`; these are values, which ``check`` reads too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rolecall.config.claim_path import ClaimPath
from rolecall.config.settings import ALGORITHMS, Profile

_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR
_RS256: Final = ("RS256",)


@dataclass(frozen=True, slots=True)
class Defaults:
    """One provider's values.

    Attributes:
        algorithms: what it signs with; one algorithm a key where the keys do not say (RFC 8725).
        roles: claims that are lists of roles.
        role_values: claims that are one role each.
        groups: claims that are lists of groups.
        scopes: claims that hold scopes.
        max_lifetime: seconds; the longest that it issues tokens for without being told to.
        issuer: the one ``iss`` that it has for all its customers, if it has.
        aliases: other ``iss`` values that it has used for the same.
        discriminating: where the audience is of the token holder's own choosing, one of these
            claims must be required: otherwise every customer of the provider would be let in.
    """

    algorithms: tuple[str, ...] = ALGORITHMS
    roles: tuple[ClaimPath, ...] = (("roles",),)
    role_values: tuple[ClaimPath, ...] = ()
    groups: tuple[ClaimPath, ...] = (("groups",),)
    scopes: tuple[ClaimPath, ...] = (("scope",), ("scp",))
    max_lifetime: int = _DAY
    issuer: str | None = None
    aliases: tuple[str, ...] = ()
    discriminating: tuple[str, ...] = ()


DEFAULTS: Final[Mapping[Profile, Defaults]] = MappingProxyType(
    {
        "generic": Defaults(),
        "keycloak": Defaults(roles=(("realm_access", "roles"),)),
        "entra": Defaults(
            algorithms=_RS256,
            scopes=(("scp",),),
            # continuous access evaluation: up to 28 hours
            max_lifetime=28 * _HOUR,
        ),
        "okta": Defaults(algorithms=_RS256, roles=(("groups",),), scopes=(("scp",),)),
        "auth0": Defaults(algorithms=("RS256", "PS256"), roles=(("permissions",),)),
        "google": Defaults(
            algorithms=_RS256,
            roles=(),
            role_values=(("email",),),
            issuer="https://accounts.google.com",
            aliases=("accounts.google.com",),
            discriminating=("hd", "email", "sub"),
        ),
        "cognito": Defaults(
            algorithms=_RS256,
            roles=(("cognito:groups",),),
            groups=(("cognito:groups",),),
        ),
        "github-actions": Defaults(
            algorithms=_RS256,
            roles=(),
            role_values=(("repository_id",),),
            issuer="https://token.actions.githubusercontent.com",
            discriminating=(
                "repository_id",
                "repository_owner_id",
                "enterprise_id",
                "repository",
                "repository_owner",
                "enterprise",
                "job_workflow_ref",
                "sub",
            ),
        ),
        "gitlab-ci": Defaults(
            algorithms=_RS256,
            roles=(),
            role_values=(("project_id",),),
            discriminating=("project_id", "namespace_id", "project_path", "namespace_path", "sub"),
        ),
        "kubernetes": Defaults(
            algorithms=("RS256", "ES256"), roles=(), role_values=(("sub",),), groups=()
        ),
    }
)
