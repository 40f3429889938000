"""What LiteLLM's configuration says of who may call what, in native terms.

``role_permissions`` open models and routes to roles; ``scope_mappings`` narrow them to the scopes
of the token, or open models by themselves where there are no permissions; ``access_groups`` are
names for several models; ``access_group_rules`` open such a group by a claim.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rolecall.config import claim_path, condition_source, schema
from rolecall.config.conditions.writing import quoted
from rolecall.config.document import Document, KeyPath
from rolecall.config.globs import matches
from rolecall.config.litellm_differences import permissions
from rolecall.core import MODEL_ENDPOINTS, Condition, RoleMapping, Rule, Source

ROUTES: Final[Mapping[str, tuple[str, ...]]] = {
    "llm_api_routes": MODEL_ENDPOINTS,
    "openai_routes": ("chat",),
    "anthropic_routes": ("messages",),
    "/v1/chat/completions": ("chat",),
    "/chat/completions": ("chat",),
    "/v1/messages": ("messages",),
    "/messages": ("messages",),
    # what these open needs no rule here, or is not here
    "info_routes": (),
    "public_routes": (),
    "management_routes": (),
    "spend_tracking_routes": (),
    "mcp_routes": (),
    "/v1/models": (),
    "/models": (),
}
_NO_MODELS: Final = "litellm-no-models"
_AUTH: Final[KeyPath] = ("general_settings", "litellm_jwtauth")
_GROUP_RULES: Final[KeyPath] = ("general_settings", "access_group_rules")


@dataclass(slots=True)
class Policy:
    """Roles and rules, each with its place in the file."""

    mappings: list[tuple[KeyPath, RoleMapping]] = field(default_factory=list)
    rules: list[tuple[KeyPath, Rule]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Grant:
    """Models and endpoints that one entry opens."""

    models: tuple[str, ...]
    endpoints: tuple[str, ...]


def policy(file: schema.File, given: Iterable[str], document: Document) -> Policy:
    """Everything that LiteLLM's sections say of who may call what.

    ``given`` are the roles that its keys give to callers.
    """
    found = Policy()
    auth = file.general_settings.litellm_jwtauth or schema.LiteLLMAuth()
    groups = _groups(file)
    meanings = _meanings(file, groups)
    opened = list(_permissions(file, auth, meanings, document))
    scopes = _scopes(auth, meanings, document)
    for path, role, grant in opened:
        if not auth.scope_mappings:
            found.rules.append((path, _rule((role,), grant, document.source(path))))
            continue
        for place, scope, narrowed in scopes:
            both = _within(grant, narrowed, place, document)
            when = _has(scope, place, document)
            if both.models and both.endpoints:
                rule = _rule((role,), both, document.source(path), when)
                found.rules.append((path, rule))
    if not opened:
        _open_scopes(
            scopes, tuple(dict.fromkeys(given)) if auth.enforce_rbac else None, document, found
        )
    _group_rules(file, groups, document, found)
    return found


def _open_scopes(
    scopes: list[tuple[KeyPath, str, _Grant]],
    roles: tuple[str, ...] | None,
    document: Document,
    found: Policy,
) -> None:
    """Let scopes open models by themselves: to whoever has one of these roles, or to everybody."""
    for place, scope, grant in scopes:
        source = document.source(place)
        if roles is None:
            role = f"scope:{scope}"
            mapping = RoleMapping(role, (), (), source, scopes=(scope,))
            found.mappings.append((place, mapping))
            found.rules.append((place, _rule((role,), grant, source)))
        elif roles:
            found.rules.append((place, _rule(roles, grant, source, _has(scope, place, document))))
        else:
            document.warn(
                place,
                "opens nothing: enforce_rbac asks for a role, and no key here gives one; name"
                " user_roles_jwt_field and user_allowed_roles.",
                code="role-unheld",
            )


def _has(scope: str, place: KeyPath, document: Document) -> Condition | None:
    return condition_source.written(f"{quoted(scope)} in caller.scopes", "rule", place, document)


def _rule(
    roles: tuple[str, ...], grant: _Grant, source: Source, when: Condition | None = None
) -> Rule:
    return Rule("allow", roles, grant.models, grant.endpoints, source, when)


def _groups(file: schema.File) -> Mapping[str, tuple[str, ...]]:
    """The models of each access group."""
    groups: dict[str, dict[str, None]] = {}
    for entry in file.model_list:
        name = entry.model_name or entry.model
        for group in entry.model_info.access_groups if name else ():
            groups.setdefault(group, {})[name or ""] = None
    return {group: tuple(names) for group, names in groups.items()}


def _meanings(
    file: schema.File, groups: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """What a group's name stands for among models: its models, and one that has its name."""
    served = {entry.model_name or entry.model for entry in file.model_list}
    return {
        group: (*((group,) if group in served else ()), *names) for group, names in groups.items()
    }


def _permissions(
    file: schema.File,
    auth: schema.LiteLLMAuth,
    meanings: Mapping[str, tuple[str, ...]],
    document: Document,
) -> Iterable[tuple[KeyPath, str, _Grant]]:
    bounds = {
        role: set(_endpoints(routes, (*_AUTH, key), document))
        for role, key, routes in (
            ("proxy_admin", "admin_allowed_routes", auth.admin_allowed_routes),
            ("team", "team_allowed_routes", auth.team_allowed_routes),
        )
        if routes is not None
    }
    for at, entry in permissions(file):
        if entry.models is None:
            document.warn(at, "names no models, and so allows none; add models.", code=_NO_MODELS)
        grant = _grant(entry.models, entry.routes, meanings, at, document)
        if entry.role in bounds:
            bounded = _laid_out(grant.endpoints) & bounds[entry.role]
            kept = tuple(name for name in MODEL_ENDPOINTS if name in bounded)
            grant = _Grant(grant.models, kept)
        yield at, entry.role, grant


def _scopes(
    auth: schema.LiteLLMAuth, meanings: Mapping[str, tuple[str, ...]], document: Document
) -> list[tuple[KeyPath, str, _Grant]]:
    if bool(auth.scope_mappings) != bool(auth.enforce_scope_based_access):
        key = "scope_mappings" if auth.scope_mappings else "enforce_scope_based_access"
        document.report(
            (*_AUTH, key),
            "needs enforce_scope_based_access: true and scope_mappings together.",
            at_key=True,
        )
    found = []
    for index, entry in enumerate(auth.scope_mappings):
        at: KeyPath = (*_AUTH, "scope_mappings", index)
        if entry.models is None:
            document.warn(at, "names no models, and so allows none; add models.", code=_NO_MODELS)
        found.append((at, entry.scope, _grant(entry.models, entry.routes, meanings, at, document)))
    return found


def _grant(
    models: list[str] | None,
    routes: list[str] | None,
    meanings: Mapping[str, tuple[str, ...]],
    at: KeyPath,
    document: Document,
) -> _Grant:
    """Names of groups stand for their models."""
    named: dict[str, None] = {}
    for name in models or ():
        named |= dict.fromkeys(meanings.get(name, (name,)))
    if routes is None:
        return _Grant(tuple(named), ("*",))
    return _Grant(tuple(named), _endpoints(routes, (*at, "routes"), document))


def _endpoints(routes: list[str], at: KeyPath, document: Document) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for index, route in enumerate(routes):
        if route not in ROUTES:
            document.report(
                (*at, index), f"is no route of Rolecall; choose among {', '.join(ROUTES)}."
            )
        found |= dict.fromkeys(ROUTES.get(route, ()))
    return tuple(found)


def _laid_out(endpoints: tuple[str, ...]) -> set[str]:
    return set(MODEL_ENDPOINTS if "*" in endpoints else endpoints)


def _within(one: _Grant, other: _Grant, at: KeyPath, document: Document) -> _Grant:
    """What both open; patterns that merely overlap cannot be told, and are an error."""
    models: dict[str, None] = {}
    for left in one.models:
        for right in other.models:
            if matches(right, left):
                models[left] = None
            elif matches(left, right):
                models[right] = None
            elif "*" in left and "*" in right:
                document.report(
                    at, f"overlaps with {left!r} in a way that cannot be told: {right!r}."
                )
    both = _laid_out(one.endpoints) & _laid_out(other.endpoints)
    return _Grant(tuple(models), tuple(name for name in MODEL_ENDPOINTS if name in both))


def _group_rules(
    file: schema.File,
    groups: Mapping[str, tuple[str, ...]],
    document: Document,
    found: Policy,
) -> None:
    for index, entry in enumerate(file.general_settings.access_group_rules):
        path: KeyPath = (*_GROUP_RULES, index)
        if (entry.contains is None) == (entry.equals is None):
            document.report(path, "needs either contains or equals.")
            continue
        if entry.access_group not in groups:
            document.warn(
                (*path, "access_group"),
                f"no model is of the access group {entry.access_group!r}: the rule grants nothing.",
            )
        grant = _Grant(groups.get(entry.access_group, ()), ("*",))
        source = document.source(path)
        if entry.attribute == "user_role":
            role = entry.equals or entry.contains or ""
        else:
            role = f"access_group:{entry.access_group}"
            text = _condition(entry, path, document)
            when = None if text is None else condition_source.written(text, "role", path, document)
            if when is None:
                continue
            mapping = RoleMapping(role, (), (), source, when=when)
            found.mappings.append((path, mapping))
        if grant.models:
            found.rules.append((path, _rule((role,), grant, source)))


def _condition(entry: schema.AccessGroupRule, path: KeyPath, document: Document) -> str | None:
    value = quoted(entry.equals if entry.equals is not None else entry.contains or "")
    if entry.attribute == "user_id":
        return f"caller.subject == {value}"
    prefix, _, rest = entry.attribute.partition(".")
    if prefix != "jwt_claims" or not rest:
        document.report(
            (*path, "attribute"), "must be user_id, user_role, or jwt_claims. and a dotted path."
        )
        return None
    try:
        keys = claim_path.parse(rest)
    except ValueError as error:
        document.report((*path, "attribute"), f"{error}.")
        return None
    place, there = "claims", []
    for key in keys:
        # a claim that is missing grants nothing, and is no error
        there.append(f"{quoted(key)} in {place}")
        place += f"[{quoted(key)}]"
    test = f"{place} == {value}" if entry.equals is not None else f"{value} in {place}"
    return " && ".join((*there, test))
