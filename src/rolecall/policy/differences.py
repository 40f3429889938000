"""Two policies compared: who gains, who loses, and what merely changes its terms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rolecall.config.conditions import compile_condition
from rolecall.core import MODEL_ENDPOINTS, Call, Caller, Circumstances, RoleMapping, Rule
from rolecall.policy.access import Access, Level, access, models_of, roles_of, terms
from rolecall.policy.evaluate import may_call
from rolecall.policy.table import Table
from rolecall.policy.view import Entry
from rolecall.policy.ways import way_to

Kind = Literal["gains", "loses", "changes"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a comparison.

    Attributes:
        kind: whether the subject gains, loses, or is differently bound.
        subject: the role, or the caller.
        what: the model, or, where the ways to a role changed, nothing.
        endpoints: where; empty for the ways to a role.
        before: the terms before, as they are shown.
        after: the terms after.
    """

    kind: Kind
    subject: str
    what: str
    endpoints: tuple[str, ...]
    before: str = ""
    after: str = ""


def differences(
    old: Table, new: Table, served: tuple[Iterable[str], Iterable[str]]
) -> list[Difference]:
    """What changes for every role, over models and endpoints, and in the ways to a role.

    Conditions are compared by their syntax: what is written otherwise and says the same is told
    as a change only if its tree is another.

    Args:
        old: the policy before.
        new: the policy after.
        served: the models that are served before and after.
    """
    models = list(dict.fromkeys((*models_of(old, served[0]), *models_of(new, served[1]))))
    roles = list(dict.fromkeys((*roles_of(old), *roles_of(new))))
    found: list[Difference] = []
    for role in roles:
        found += _ways(role, old, new)
        for model in models:
            found += _of_model(role, model, old, new)
    return found


def differences_for(
    old: tuple[Table, Mapping[str, Caller]],
    new: tuple[Table, Mapping[str, Caller]],
    models: Iterable[str],
    around: Circumstances,
) -> list[Difference]:
    """What changes for given callers.

    Args:
        old: the policy before, and the callers with the roles that it gives them.
        new: the same after.
        models: the models that are asked for.
        around: the circumstances of every call.
    """
    found: list[Difference] = []
    for name, before in old[1].items():
        after = new[1][name]
        changed: dict[tuple[Kind, str], list[str]] = {}
        for model in models:
            for endpoint in MODEL_ENDPOINTS:
                call = Call(endpoint, model)
                could = may_call(old[0], before, call, around)
                can = may_call(new[0], after, call, around)
                if could != can:
                    changed.setdefault(("gains" if can else "loses", model), []).append(endpoint)
        found += [Difference(kind, name, model, tuple(at)) for (kind, model), at in changed.items()]
    return found


def _ways(role: str, old: Table, new: Table) -> list[Difference]:
    before = [m for m in old.roles.mappings if role in old.roles.closure[m.role]]
    after = [m for m in new.roles.mappings if role in new.roles.closure[m.role]]
    if {_mapping_key(m, role) for m in before} == {_mapping_key(m, role) for m in after}:
        return []
    return [
        Difference(
            "gains" if not before else "loses" if not after else "changes",
            role,
            "",
            (),
            _told_ways(before, role),
            _told_ways(after, role),
        )
    ]


def _told_ways(mappings: Sequence[RoleMapping], role: str) -> str:
    return "; or ".join(
        way_to(m) if m.role == role else f"with {m.role}, by {way_to(m)}" for m in mappings
    )


def _mapping_key(mapping: RoleMapping, role: str) -> tuple[Any, ...]:
    return (
        mapping.role == role,
        *(
            frozenset(names)
            for names in (
                mapping.any_of,
                mapping.all_of,
                mapping.none_of,
                mapping.groups,
                mapping.scopes,
                mapping.clients,
                mapping.issuers,
                mapping.claims,
            )
        ),
        compile_condition(mapping.when.text, "role").tree if mapping.when else None,
    )


def _of_model(role: str, model: str, old: Table, new: Table) -> list[Difference]:
    """The differences of one role and model; endpoints that differ alike stand together."""
    found: dict[Difference, list[str]] = {}
    for endpoint in MODEL_ENDPOINTS:
        before = access(old, role, model, endpoint)
        after = access(new, role, model, endpoint)
        kind = _kind(before, after)
        if kind is not None:
            line = Difference(kind, role, model, (), _told(before), _told(after))
            found.setdefault(line, []).append(endpoint)
    return [
        Difference(line.kind, role, model, tuple(at), line.before, line.after)
        for line, at in found.items()
    ]


def _kind(before: Access, after: Access) -> Kind | None:
    could, can = before.level > Level.DENIED, after.level > Level.DENIED
    if could != can:
        return "gains" if can else "loses"
    if before.level == after.level == Level.ALLOWED:
        return None
    # a denial counts even where the role itself allows nothing: its holders may have other roles
    if _keys(before.deny) != _keys(after.deny):
        return "loses" if not before.deny else "gains" if not after.deny else "changes"
    return "changes" if can and _keys(before.allow) != _keys(after.allow) else None


def _keys(entries: Iterable[Entry]) -> frozenset[Any]:
    return frozenset(
        (
            entry.program.tree if entry.program else None,
            entry.rule.not_before,
            entry.rule.expires,
            entry.rule.ceilings,
            entry.rule.on_exceed,
            entry.rule.authentication,
        )
        for entry in entries
    )


def _told(one: Access) -> str:
    if one.level is Level.DENIED:
        return "denied"
    allowed = [", ".join(terms(entry.rule)) for entry in one.allow]
    text = "; or ".join(dict.fromkeys(allowed)) or "no"
    if "" in allowed:
        text = "yes"
    return text + "".join(dict.fromkeys(f"; {_denied(entry.rule)}" for entry in one.deny))


def _denied(rule: Rule) -> str:
    told = ", ".join(terms(rule))
    return told if rule.when is not None and rule.when.meaning else f"not {told}"
