"""Where LiteLLM's keys mean something else here than in LiteLLM, on purpose (``docs/litellm.md``).

Each difference is a note, once, at the first key that it concerns, and only where the configuration
uses what differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath

SENTENCES: Final[Mapping[str, str]] = {
    "litellm-always": "whatever else stands here: issuer and audience are checked, an unknown key"
    " ID is looked up once, clocks may differ by 60 s, a call that names no model is refused, and"
    " /v1/models lists what the caller may call and nothing else.",
    "litellm-master-key": "its holder has the role proxy_admin, and calls what a rule allows that"
    " role; LiteLLM lets it call everything.",
    "litellm-issuers-closed": "the list is closed but for the issuer that JWT_PUBLIC_KEY_URL is of;"
    " LiteLLM checks the tokens of every other issuer with the keys of that URL.",
    "litellm-rbac-always": "without enforce_rbac: true LiteLLM does not look at role_permissions;"
    " here rules are always enforced.",
    "litellm-user-id-gives-no-role": "names the caller, and makes nobody an internal_user beside"
    " user_allowed_roles; in LiteLLM whoever has that claim is one.",
    "litellm-teams-united": "a caller is of all these teams at once; LiteLLM chooses one of them"
    " for each call.",
    "litellm-email-verified": "no address counts that the token says is not verified; LiteLLM does"
    " not look at that.",
    "litellm-roles-united": "whoever meets several holds all of {}; LiteLLM takes the first that"
    " fits.",
    "litellm-role-without-permissions": "{} has no entry in role_permissions, and so calls what"
    " rules: allow it alone; LiteLLM asks nothing more of it.",
    "litellm-admin-calls-models": "a proxy_admin calls these models; LiteLLM keeps it from them"
    " unless admin_allowed_routes says otherwise.",
    "litellm-admin-scope": "no scope makes a proxy_admin unless admin_jwt_scope names it; LiteLLM's"
    " is litellm_proxy_admin.",
    "litellm-scope-routes": "the scope opens its models at these routes alone; LiteLLM does not"
    " look at them.",
    "litellm-times": "is read as it is written; LiteLLM takes a time without quotes for a number of"
    " seconds, unless it begins with 0.",
    "litellm-patterns": "{!r} stands for every model that it matches; LiteLLM compares it as it"
    " is.",
    "litellm-groups": "{!r} stands for the models of that access group; LiteLLM compares it with"
    " the model's name alone.",
}
"""What is said of each difference, by its code."""

Found = tuple[KeyPath, str, str]
"""The key, the code, and what the sentence speaks of."""

_GENERAL: Final[KeyPath] = ("general_settings",)
_AUTH: Final[KeyPath] = ("general_settings", "litellm_jwtauth")
_ADMIN: Final = "proxy_admin"


def note(file: schema.File, given: Sequence[tuple[KeyPath, str]], document: Document) -> None:
    """Note every difference that a configuration meets.

    Args:
        file: the configuration.
        given: the roles that LiteLLM's keys give, and where.
        document: where it is noted.
    """
    auth = file.general_settings.litellm_jwtauth
    told: set[str] = set()
    for path, code, subject in chain(
        _of_all(file),
        () if auth is None else _of_identity(auth),
        _of_roles(file, given),
        _of_permissions(file),
    ):
        if code not in told:
            told.add(code)
            message = SENTENCES[code].format(subject)
            document.report(path, message, level="note", at_key=True, code=code)


def permissions(file: schema.File) -> Iterator[tuple[KeyPath, schema.RolePermission]]:
    """Every entry of ``role_permissions``, wherever they stand."""
    general = file.general_settings
    auth = general.litellm_jwtauth or schema.LiteLLMAuth()
    for path, entries in (
        ((*_GENERAL, "role_permissions"), general.role_permissions),
        ((*_AUTH, "role_permissions"), auth.role_permissions),
        (("role_permissions",), file.role_permissions),
    ):
        for index, entry in enumerate(entries):
            yield (*path, index), entry


def _of_all(file: schema.File) -> Iterator[Found]:
    general = file.general_settings
    if general.enable_jwt_auth:
        yield (*_GENERAL, "enable_jwt_auth"), "litellm-always", ""
    if general.master_key is not None:
        yield (*_GENERAL, "master_key"), "litellm-master-key", ""


def _of_identity(auth: schema.LiteLLMAuth) -> Iterator[Found]:
    if auth.issuers:
        yield (*_AUTH, "issuers"), "litellm-issuers-closed", ""
    if auth.enforce_rbac is None:
        yield _AUTH, "litellm-rbac-always", ""
    if auth.user_allowed_roles is not None and (path := _user_id(auth)):
        yield path, "litellm-user-id-gives-no-role", ""
    if auth.team_ids_jwt_field is not None:
        yield (*_AUTH, "team_ids_jwt_field"), "litellm-teams-united", ""
    if auth.user_allowed_email_domain is not None:
        yield (*_AUTH, "user_allowed_email_domain"), "litellm-email-verified", ""


def _user_id(auth: schema.LiteLLMAuth) -> KeyPath | None:
    if auth.user_id_jwt_field is not None:
        return (*_AUTH, "user_id_jwt_field")
    for index, entry in enumerate(auth.issuers):
        if entry.user_id_jwt_field is not None:
            return (*_AUTH, "issuers", index, "user_id_jwt_field")
    return None


def _of_roles(file: schema.File, given: Sequence[tuple[KeyPath, str]]) -> Iterator[Found]:
    auth = file.general_settings.litellm_jwtauth or schema.LiteLLMAuth()
    places: dict[str, KeyPath] = {}
    for path, role in given:
        places.setdefault(role, path)
    if len(places) > 1:
        yield list(places.values())[1], "litellm-roles-united", ", ".join(places)
    permitted: dict[str, KeyPath] = {}
    for path, entry in permissions(file):
        permitted.setdefault(entry.role, path)
    # where nothing but scopes opens models, they do so there and here
    if permitted or not auth.scope_mappings:
        for role, path in places.items():
            if role not in permitted:
                yield path, "litellm-role-without-permissions", role
    if _ADMIN in permitted and auth.admin_allowed_routes is None:
        yield permitted[_ADMIN], "litellm-admin-calls-models", ""
    if _ADMIN in permitted and _ADMIN not in places and file.general_settings.master_key is None:
        yield permitted[_ADMIN], "litellm-admin-scope", ""


def _of_permissions(file: schema.File) -> Iterator[Found]:
    auth = file.general_settings.litellm_jwtauth or schema.LiteLLMAuth()
    groups = {group for entry in file.model_list for group in entry.model_info.access_groups}
    scopes: list[tuple[KeyPath, schema.ScopeMapping]] = [
        ((*_AUTH, "scope_mappings", index), entry)
        for index, entry in enumerate(auth.scope_mappings)
    ]
    for path, scope in scopes:
        if scope.routes is not None:
            yield (*path, "routes"), "litellm-scope-routes", ""
    named = [(path, entry.models) for path, entry in permissions(file)]
    named += [(path, scope.models) for path, scope in scopes]
    for path, models in named:
        for index, name in enumerate(models or ()):
            if "*" in name:
                yield (*path, "models", index), "litellm-patterns", name
            if name in groups:
                yield (*path, "models", index), "litellm-groups", name
