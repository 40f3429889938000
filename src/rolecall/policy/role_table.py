"""From claims to roles: which mappings a caller's values lead to, and which of them hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rolecall.config.conditions import ConditionError, Program, compile_condition
from rolecall.core import Caller, RoleMapping
from rolecall.policy.facts import holds_for_caller

_NONE: Final[frozenset[str]] = frozenset()
_Numbers = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class RoleEntry:
    """A role mapping, ready to be asked."""

    mapping: RoleMapping
    program: Program | None


@dataclass(frozen=True, slots=True)
class RoleTable:
    """Every role mapping, by what a caller must hold for it to be looked at.

    Attributes:
        mappings: in the order of the file.
        entries: the same, ready to be asked.
        by_value, by_group, by_scope, by_client: numbers of entries by the first thing that they ask
            for.
        always: numbers of those that ask for nothing that could be looked up.
        closure: for each role all roles that it includes, itself among them.
        scoped: the roles that an OAuth scope may give, each with all scopes that may do so.
    """

    mappings: tuple[RoleMapping, ...]
    entries: tuple[RoleEntry, ...]
    by_value: _Numbers
    by_group: _Numbers
    by_scope: _Numbers
    by_client: _Numbers
    always: tuple[int, ...]
    closure: Mapping[str, frozenset[str]]
    scoped: Mapping[str, frozenset[str]]


def compile_roles(mappings: Sequence[RoleMapping]) -> RoleTable:
    """Compile role mappings.

    Raises:
        NotACondition: a condition does not compile.
    """
    by_key: dict[str, dict[str, tuple[int, ...]]] = {}
    always: list[int] = []
    for number, mapping in enumerate(mappings):
        kind, values = _first_asked(mapping)
        if not kind:
            always.append(number)
        for value in values:
            numbers = by_key.setdefault(kind, {})
            numbers[value] = (*numbers.get(value, ()), number)
    entries = tuple(
        RoleEntry(m, compile_condition(m.when.text, "role") if m.when else None) for m in mappings
    )
    closure = _closure(mappings)
    return RoleTable(
        mappings=tuple(mappings),
        entries=entries,
        by_value=by_key.get("value", {}),
        by_group=by_key.get("group", {}),
        by_scope=by_key.get("scope", {}),
        by_client=by_key.get("client", {}),
        always=tuple(always),
        closure=closure,
        scoped=_scoped(entries, closure),
    )


def assign_roles(table: RoleTable, caller: Caller) -> Caller:
    """The caller with the roles that its claims lead to; the roles of all sources are united.

    A role whose condition cannot be evaluated is doubtful: it helps nobody, and deny rules that
    speak of it count.
    """
    values = frozenset([claim.value for claim in caller.role_claims])
    roles = doubtful = _NONE
    for number in _candidates(table, caller, values):
        entry = table.entries[number]
        if unmet(entry.mapping, caller, values) is not None:
            continue
        try:
            if entry.program is None or holds_for_caller(entry.program, caller):
                roles = _united(roles, table.closure[entry.mapping.role])
        except ConditionError:
            doubtful = _united(doubtful, table.closure[entry.mapping.role])
    return caller.with_roles(roles, doubtful and doubtful - roles)


def _united(some: frozenset[str], more: frozenset[str]) -> frozenset[str]:
    # thousands of remembered callers hold the same roles: the same set will do
    return some | more if some and some != more else more


def with_included(table: RoleTable, roles: Iterable[str]) -> frozenset[str]:
    """Roles and all that they include."""
    return frozenset(held for role in roles for held in table.closure.get(role, {role}))


def unmet(mapping: RoleMapping, caller: Caller, values: frozenset[str]) -> str | None:
    """What of a mapping the caller does not meet, its condition apart; None if nothing.

    Args:
        mapping: the mapping.
        caller: a verified caller.
        values: the values of the caller's role claims.
    """
    if mapping.claims:
        values = frozenset(c.value for c in caller.role_claims if c.path in mapping.claims)
    if mapping.issuers and caller.issuer not in mapping.issuers:
        return "the caller is another issuer's"
    if mapping.any_of and values.isdisjoint(mapping.any_of):
        return f"none of the role claims is {_listed(mapping.any_of, 'or')}"
    if missing := [value for value in mapping.all_of if value not in values]:
        return f"the role claims lack {_listed(missing, 'and')}"
    if found := [value for value in mapping.none_of if value in values]:
        return f"the role claims hold {_listed(found, 'and')}"
    if mapping.groups and caller.groups.isdisjoint(mapping.groups):
        return f"the caller is not in {_listed(mapping.groups, 'or')}"
    if mapping.scopes and caller.scopes.isdisjoint(mapping.scopes):
        return f"the token lacks the scope {_listed(mapping.scopes, 'or')}"
    if mapping.clients and caller.client not in mapping.clients:
        return f"the client is not {_listed(mapping.clients, 'or')}"
    return None


def _listed(words: Iterable[str], joint: str) -> str:
    return f" {joint} ".join(map(repr, words))


def _first_asked(mapping: RoleMapping) -> tuple[str, tuple[str, ...]]:
    if mapping.any_of:
        return "value", mapping.any_of
    if mapping.all_of:
        return "value", mapping.all_of[:1]
    if mapping.groups:
        return "group", mapping.groups
    if mapping.scopes:
        return "scope", mapping.scopes
    if mapping.clients:
        return "client", mapping.clients
    return "", ()


def _candidates(table: RoleTable, caller: Caller, values: frozenset[str]) -> set[int]:
    found = set(table.always)
    for numbers, held in (
        (table.by_value, values),
        (table.by_group, caller.groups),
        (table.by_scope, caller.scopes),
    ):
        if numbers:
            for value in held:
                found.update(numbers.get(value, ()))
    if caller.client is not None:
        found.update(table.by_client.get(caller.client, ()))
    return found


def _scoped(
    entries: Iterable[RoleEntry], closure: Mapping[str, frozenset[str]]
) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for entry in entries:
        named = frozenset(entry.mapping.scopes)
        if entry.program is not None:
            named |= entry.program.scopes
        for role in closure[entry.mapping.role] if named else ():
            found[role] = found.get(role, _NONE) | named
    return found


def _closure(mappings: Sequence[RoleMapping]) -> Mapping[str, frozenset[str]]:
    included: dict[str, set[str]] = {}
    for mapping in mappings:
        included.setdefault(mapping.role, set()).update(mapping.includes)
    closure = {}
    for role in included:
        found, ahead = {role}, [role]
        while ahead:
            further = included.get(ahead.pop(), set()) - found
            found |= further
            ahead.extend(further)
        closure[role] = frozenset(found)
    return closure
