"""What LiteLLM's ``litellm_jwtauth`` says of issuers, claims and roles, in native terms.

Where LiteLLM takes the first role that matches, here all that match are united.
"""

from typing import Any, Final

from rolecall.config import claim_path, issuer_keys, issuers, jwt_environment, schema
from rolecall.config.claim_path import ClaimPath
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Issuer
from rolecall.config.profiles import DEFAULTS
from rolecall.config.settings import Profile
from rolecall.core import Condition, RoleMapping

AT: Final[KeyPath] = ("general_settings", "litellm_jwtauth")
INTERNAL_USER: Final = "internal_user"
_PROXY_ADMIN: Final = "proxy_admin"
_TEAM: Final = "team"
_HAS_A_TEAM: Final = "size(caller.teams) > 0"
_PATHS: Final = {
    "user_id_jwt_field": "subject",
    "user_email_jwt_field": "email",
    "end_user_id_jwt_field": "end_user",
    "org_id_jwt_field": "organization",
}
"""LiteLLM's names for claims of one value, and ours."""

Placed = tuple[KeyPath, RoleMapping]
_Claims = schema.LiteLLMAuth | schema.LiteLLMIssuer


def claims(auth: schema.LiteLLMAuth, document: Document) -> dict[str, Any]:
    """The keys of ``issuers[]`` that every issuer has unless it says otherwise."""
    found = _claims(auth, AT, document)
    if auth.object_id_jwt_field is not None:
        _object_id(auth, found, document)
    if auth.user_allowed_email_domain is not None:
        domains = [part.strip() for part in auth.user_allowed_email_domain.split(",")]
        found["email_domains"] = [domain for domain in domains if domain]
    if auth.public_key_ttl is not None:
        found["refresh"] = auth.public_key_ttl
    if auth.public_key_stale_ttl is not None:
        found["max_stale"] = auth.public_key_stale_ttl
    return found


def _claims(section: _Claims, at: KeyPath, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for theirs, ours in _PATHS.items():
        if path := _path(getattr(section, theirs), (*at, theirs), document):
            found[ours] = path
    teams = [
        path
        for key in ("team_id_jwt_field", "team_ids_jwt_field")
        if (path := _path(getattr(section, key), (*at, key), document))
    ]
    if teams:
        found["teams"] = teams
    return found


def _object_id(auth: schema.LiteLLMAuth, found: dict[str, Any], document: Document) -> None:
    """``object_id_jwt_field`` is the team's ID or the user's, as ``role_mappings`` say."""
    at: KeyPath = (*AT, "object_id_jwt_field")
    if not auth.role_mappings:
        document.report(at, "needs role_mappings beside it, which say whose ID it is.")
    path = _path(auth.object_id_jwt_field, at, document)
    if path is None:
        return
    found.setdefault("subject", path)
    if any(mapping.internal_role == _TEAM for mapping in auth.role_mappings):
        found["teams"] = [*found.get("teams", ()), path]


def _path(spelling: str | None, at: KeyPath, document: Document) -> ClaimPath | None:
    if spelling is None:
        return None
    try:
        return claim_path.parse(spelling)
    except ValueError as error:
        document.report(at, f"{error}.")
        return None


def role_paths(auth: schema.LiteLLMAuth, document: Document) -> tuple[ClaimPath, ...] | None:
    """The claims of roles that every issuer has unless it says otherwise."""
    if (auth.user_roles_jwt_field is None) != (auth.user_allowed_roles is None):
        document.report(AT, "needs user_roles_jwt_field and user_allowed_roles together.")
    if (auth.roles_jwt_field is None) != (not auth.role_mappings):
        document.report(AT, "needs roles_jwt_field and role_mappings together.")
    keys = ("user_roles_jwt_field", "roles_jwt_field")
    found = [_path(getattr(auth, key), (*AT, key), document) for key in keys]
    return tuple(dict.fromkeys(path for path in found if path is not None)) or None


def roles(
    auth: schema.LiteLLMAuth, paths: tuple[ClaimPath, ...] | None, document: Document
) -> list[Placed]:
    """Who is an ``internal_user``, a ``team`` or a ``proxy_admin``; ``paths`` as `role_paths`."""
    placed: list[Placed] = []

    def give(role: str, path: KeyPath, **what: Any) -> None:
        whole = {"any_of": (), "issuers": (), **what}
        placed.append((path, RoleMapping(role=role, source=document.source(path), **whole)))

    if auth.admin_jwt_scope is not None:
        give(_PROXY_ADMIN, (*AT, "admin_jwt_scope"), scopes=(auth.admin_jwt_scope,))
    # two claims are not mixed: a value of one is none of the other
    of_users, of_roles = (
        (_path(getattr(auth, key), (*AT, key), document),) if paths and len(paths) > 1 else ()
        for key in ("user_roles_jwt_field", "roles_jwt_field")
    )
    if auth.user_allowed_roles is not None and paths:
        allowed = tuple(auth.user_allowed_roles)
        give(INTERNAL_USER, (*AT, "user_allowed_roles"), any_of=allowed, claims=of_users)
    for index, mapping in enumerate(auth.role_mappings):
        place = (*AT, "role_mappings", index)
        give(mapping.internal_role, place, any_of=(mapping.role,), claims=of_roles)
    sections: list[tuple[KeyPath, _Claims, tuple[str, ...]]] = [
        (AT, auth, ()),
        *((path, entry, (entry.issuer,)) for path, entry in _entries(auth)),
    ]
    for at, section, issuer in sections:
        if section.team_id_jwt_field is not None:
            path = (*at, "team_id_jwt_field")
            when = Condition(_HAS_A_TEAM, document.source(path))
            give(_TEAM, path, issuers=issuer, when=when)
        if section.user_id_jwt_field is not None and auth.user_allowed_roles is None:
            give(INTERNAL_USER, (*at, "user_id_jwt_field"), issuers=issuer)
    return placed


def _entries(auth: schema.LiteLLMAuth) -> list[tuple[KeyPath, schema.LiteLLMIssuer]]:
    return [((*AT, "issuers", index), entry) for index, entry in enumerate(auth.issuers)]


def listed_issuers(
    auth: schema.LiteLLMAuth, document: Document, defaults: dict[str, Any]
) -> list[tuple[KeyPath, Issuer]]:
    """``litellm_jwtauth.issuers[]`` as entries of ``issuers:``."""
    return [
        (path, section)
        for path, entry in _entries(auth)
        if (section := _native(entry, path, document, defaults)) is not None
    ]


def _native(
    entry: schema.LiteLLMIssuer, path: KeyPath, document: Document, defaults: dict[str, Any]
) -> Issuer | None:
    if entry.disable_audience_validation and entry.audience is not None:
        document.report((*path, "audience"), "cannot stand beside disable_audience_validation.")
    profile = _profile(entry)
    if DEFAULTS[profile].discriminating:
        document.report(
            (*path, "issuer"),
            "issues tokens for whatever audience their holder asks for; write it under issuers:"
            f" with profile: {profile} and require:.",
        )
        return None
    audience = [issuers.ANY] if entry.disable_audience_validation else entry.audience
    return Issuer.model_construct(
        **{
            **defaults,
            "issuer": entry.issuer,
            "profile": profile,
            "audience": audience,
            "jwks_url": entry.jwks_url,
            **_claims(entry, path, document),
        },
    )


def _profile(entry: schema.LiteLLMIssuer) -> Profile:
    for name, defaults in DEFAULTS.items():
        if defaults.issuer == entry.issuer:
            return name
    by_keys, _ = jwt_environment.infer(entry.jwks_url or issuer_keys.well_known(entry.issuer))
    return by_keys
