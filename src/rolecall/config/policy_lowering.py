"""``roles:`` and ``rules:`` become role mappings and rules."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

from rolecall.config import condition_source, policy_schema
from rolecall.config.authentication import authentication
from rolecall.config.document import Document, KeyPath
from rolecall.config.name_lists import Lists, expand
from rolecall.core import MODEL_ENDPOINTS, Ceilings, RoleMapping, Rule

ENDPOINT_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "*": ("*",),
    "openai": ("chat",),
    "anthropic": ("messages",),
    "text": ("chat", "messages"),
}
"""Names for several endpoints at once."""


def roles(
    sections: Sequence[policy_schema.Role],
    document: Document,
    known_issuers: Collection[str],
    lists: Lists,
) -> list[tuple[KeyPath, RoleMapping]]:
    """``roles:``; a role that names no values is held by those whose claim has its own name."""
    return [
        (path, _role(section, path, document, known_issuers, lists))
        for index, section in enumerate(sections)
        for path in [("roles", index)]
    ]


def _role(
    section: policy_schema.Role,
    path: KeyPath,
    document: Document,
    known_issuers: Collection[str],
    lists: Lists,
) -> RoleMapping:
    def names(key: str) -> tuple[str, ...]:
        return expand(getattr(section, key), lists, (*path, key), document)

    issuers = names("issuers")
    for place, issuer in enumerate(issuers):
        if issuer not in known_issuers:
            document.report((*path, "issuers", place), "is no configured issuer.")
    positive = [section.any_of, section.all_of, section.groups, section.scopes, section.clients]
    when = None
    if section.when is not None:
        when = condition_source.read(section.when, (*path, "when"), "role", document)
    implied = all(given is None for given in positive) and section.when is None
    return RoleMapping(
        role=section.role,
        any_of=(section.role,) if implied else names("any_of"),
        issuers=issuers,
        source=document.source(path),
        all_of=names("all_of"),
        none_of=names("none_of"),
        groups=names("groups"),
        scopes=names("scopes"),
        clients=names("clients"),
        when=when,
        includes=tuple(section.includes or ()),
        claims=tuple(section.claims or ()),
    )


def check_includes(mappings: Sequence[tuple[Document, KeyPath, RoleMapping]]) -> None:
    """Report roles that include what is no role, or, through others, themselves."""
    included: dict[str, set[str]] = {}
    for _, _, mapping in mappings:
        included.setdefault(mapping.role, set()).update(mapping.includes)
    for document, path, mapping in mappings:
        for place, name in enumerate(mapping.includes):
            if name not in included:
                document.report((*path, "includes", place), f"{name!r} is no role that is given.")
            elif circle := _way(name, mapping.role, included):
                document.report(
                    (*path, "includes", place),
                    f"a role includes itself: {' → '.join((mapping.role, *circle))}.",
                )


def _way(start: str, goal: str, included: Mapping[str, set[str]]) -> list[str] | None:
    """The roles from one to another along what they include, if there is such a way."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == goal:
            return way
        further = sorted(included.get(way[-1], set()) - seen)
        seen.update(further)
        ways.extend([*way, name] for name in further)
    return None


def rules(
    sections: Sequence[policy_schema.RuleEntry], document: Document, lists: Lists
) -> list[tuple[KeyPath, Rule]]:
    """``rules:``."""
    result = []
    for index, section in enumerate(sections):
        path: KeyPath = ("rules", index)
        if (section.allow is None) == (section.deny is None):
            document.report(path, "needs either allow or deny: a list of roles.")
            continue
        result.append((path, _rule(section, path, document, lists)))
    return result


def _rule(
    section: policy_schema.RuleEntry, path: KeyPath, document: Document, lists: Lists
) -> Rule:
    effect: Literal["allow", "deny"] = "allow" if section.allow is not None else "deny"
    when = None
    if section.when is not None:
        when = condition_source.read(section.when, (*path, "when"), "rule", document)
    if section.ceilings is not None and effect == "deny":
        document.report(
            (*path, "ceilings"), "belong to allow rules; a deny rule denies the call as a whole."
        )
    if section.authentication is not None and effect == "deny":
        document.report(
            (*path, "authentication"),
            "belongs to allow rules: write it into each that allows these models, or at the issuers"
            " for all their tokens.",
        )
    if section.on_exceed is not None and section.ceilings is None:
        document.report((*path, "on_exceed"), "needs ceilings beside it.")
    if (
        section.not_before is not None
        and section.expires is not None
        and section.not_before >= section.expires
    ):
        document.report((*path, "expires"), "is not later than not_before: the rule never counts.")
    return Rule(
        effect=effect,
        roles=expand(section.allow or section.deny, lists, (*path, effect), document),
        models=expand(section.models, lists, (*path, "models"), document),
        endpoints=_endpoints(section, path, document, lists),
        source=document.source(path),
        when=when,
        not_before=section.not_before,
        expires=section.expires,
        ceilings=_ceilings(section.ceilings, path, document, lists),
        on_exceed=section.on_exceed or "deny",
        authentication=authentication(section.authentication, (*path, "authentication"), document),
    )


def _endpoints(
    section: policy_schema.RuleEntry, path: KeyPath, document: Document, lists: Lists
) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for place, name in enumerate(expand(section.endpoints, lists, (*path, "endpoints"), document)):
        if name in ENDPOINT_GROUPS:
            names |= dict.fromkeys(ENDPOINT_GROUPS[name])
        elif name in MODEL_ENDPOINTS:
            names[name] = None
        else:
            groups = (group for group in ENDPOINT_GROUPS if group != "*")
            known = ", ".join((*MODEL_ENDPOINTS, *groups))
            document.report(
                (*path, "endpoints", place), f"is no endpoint; choose among {known}, or * for all."
            )
    return tuple(names)


def _ceilings(
    section: policy_schema.CeilingsSection | None, path: KeyPath, document: Document, lists: Lists
) -> Ceilings | None:
    if section is None:
        return None
    ceilings = Ceilings(
        max_tokens=section.max_tokens,
        n=section.n,
        reasoning_effort=section.reasoning_effort,
        thinking_budget=section.thinking_budget,
        tools=None
        if section.tools is None
        else expand(section.tools, lists, (*path, "ceilings", "tools"), document),
        inputs=None if section.inputs is None else frozenset(section.inputs),
        web_search=section.web_search is not False,
        service_tier=None if section.service_tier is None else tuple(section.service_tier),
        temperature=section.temperature,
        input_bytes=section.input_bytes,
        stream=section.stream,
    )
    if ceilings == Ceilings():
        document.report((*path, "ceilings"), "bound nothing; name a ceiling, or remove the key.")
    return ceilings
