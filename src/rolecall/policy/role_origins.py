"""Where each of a caller's roles comes from, as its holder may be told."""

from collections.abc import Iterator

from rolecall.config.conditions import ConditionError
from rolecall.core import KEYS_ISSUER, Caller, RoleMapping
from rolecall.policy.facts import holds_for_caller
from rolecall.policy.role_table import RoleEntry, unmet
from rolecall.policy.table import Table


def role_origins(table: Table, caller: Caller) -> dict[str, list[str]]:
    """What gives the caller each of its roles: claims, groups, scopes, the client, other roles.

    Args:
        table: the policy.
        caller: a caller whose roles are assigned.
    """
    found: dict[str, list[str]] = {role: [] for role in caller.roles}
    if caller.issuer == KEYS_ISSUER:
        return {role: ["the static key"] for role in found}
    values = frozenset(claim.value for claim in caller.role_claims)
    for entry in table.roles.entries:
        if not _gives(entry, caller, values):
            continue
        given = entry.mapping.role
        found[given].extend(_origins(entry.mapping, caller))
        for other in table.roles.closure[given] - {given}:
            found[other].append(f"role {given}")
    return {role: list(dict.fromkeys(origins)) for role, origins in found.items()}


def _gives(entry: RoleEntry, caller: Caller, values: frozenset[str]) -> bool:
    if unmet(entry.mapping, caller, values) is not None:
        return False
    try:
        return entry.program is None or holds_for_caller(entry.program, caller)
    except ConditionError:
        return False


def _origins(mapping: RoleMapping, caller: Caller) -> Iterator[str]:
    asked = {*mapping.any_of, *mapping.all_of}
    for claim in caller.role_claims:
        if claim.value in asked and (not mapping.claims or claim.path in mapping.claims):
            yield f"claim {'.'.join(claim.path)} = {claim.value!r}"
    for kind, held, wanted in (
        ("group", caller.groups, mapping.groups),
        ("scope", caller.scopes, mapping.scopes),
    ):
        for value in sorted(held.intersection(wanted)):
            yield f"{kind} {value!r}"
    if mapping.clients:
        yield f"client {caller.client!r}"
    if mapping.when is not None:
        yield "a condition over the caller"
    elif not (asked or mapping.groups or mapping.scopes or mapping.clients):
        yield "every caller"
