"""From claim to role: what each claim leads to, and why the other roles are not held."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from rolecall.config.conditions import ConditionError
from rolecall.core import Caller, RoleMapping, Source
from rolecall.policy.facts import holds_for_caller
from rolecall.policy.role_table import RoleEntry, RoleTable, unmet


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: what it is, what came of it, and where it is written.

    ``of_others`` marks a rule that does not speak of the caller's roles, ``beside`` one that does
    not speak of the model.
    """

    subject: str
    outcome: str
    source: Source | None = None
    of_others: bool = field(default=False, compare=False)
    beside: bool = field(default=False, compare=False)


def role_steps(table: RoleTable, caller: Caller) -> Iterator[Step]:
    """One step for each role claim and mapping that it leads to, one for every other mapping."""
    values = frozenset(claim.value for claim in caller.role_claims)
    told: set[int] = set()
    if not caller.role_claims:
        yield Step("role claims", "the token holds none")
    for note in caller.notes:
        yield Step("role claims", note)
    for claim in caller.role_claims:
        subject = f"claim {'.'.join(claim.path)} = {claim.value!r}"
        found = [
            number
            for number, mapping in enumerate(table.mappings)
            if (claim.value in mapping.any_of or claim.value in mapping.all_of)
            and (not mapping.claims or claim.path in mapping.claims)
        ]
        told.update(found)
        if not found:
            yield Step(subject, "leads to no role")
        for number in found:
            entry = table.entries[number]
            outcome = _outcome(table, entry, caller, values)
            yield Step(subject, outcome, entry.mapping.source)
    for number, entry in enumerate(table.entries):
        mapping = entry.mapping
        if number not in told and not mapping.any_of and not mapping.all_of:
            subject = f"role {mapping.role}"
            yield Step(subject, _outcome(table, entry, caller, values), mapping.source)


def _outcome(table: RoleTable, entry: RoleEntry, caller: Caller, values: frozenset[str]) -> str:
    mapping = entry.mapping
    role = f"role {mapping.role}"
    if mapping.issuers and caller.issuer not in mapping.issuers:
        return f"gives {role} to callers of other issuers only"
    if why := unmet(mapping, caller, values):
        return f"does not give {role}: {why}"
    if entry.program is not None:
        try:
            if not holds_for_caller(entry.program, caller):
                return f"does not give {role}: its condition does not hold: {entry.program.text}"
        except ConditionError as error:
            return f"does not give {role}: its condition cannot be evaluated: {error}"
    return f"gives {role}{_included(table, mapping)}"


def _included(table: RoleTable, mapping: RoleMapping) -> str:
    others = sorted(table.closure[mapping.role] - {mapping.role})
    return f", and so {', '.join(others)}" if others else ""
