"""What a role may call, without any caller: by which rules, and under which conditions."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rolecall.config.instants import write_instant
from rolecall.core import MODEL_ENDPOINTS, Rule
from rolecall.policy.bounds import bounds_of
from rolecall.policy.table import Table
from rolecall.policy.view import Entry


class Level(IntEnum):
    """How far a model is open to a role, from not at all on."""

    NONE = 0
    DENIED = 1
    CONDITIONAL = 2
    LIMITED = 3
    ALLOWED = 4


@dataclass(frozen=True, slots=True)
class Access:
    """What the rules say of one role, model and endpoint.

    Attributes:
        level: how far it is open.
        allow: the rules that may allow it.
        deny: the rules that may deny it.
    """

    level: Level
    allow: tuple[Entry, ...]
    deny: tuple[Entry, ...]


def access(table: Table, role: str, model: str, endpoint: str) -> Access:
    """What the rules say of a role by itself, with the roles that it includes.

    A pattern may stand for the model: the rules that speak of all of it are found.
    """
    held = table.roles.closure.get(role, frozenset({role}))
    view = table.view(held)
    cell = table.cell(view, endpoint, model)
    return Access(_level(cell.allow, cell.deny), cell.allow, cell.deny)


def _level(allow: tuple[Entry, ...], deny: tuple[Entry, ...]) -> Level:
    if any(not entry.conditional for entry in deny):
        return Level.DENIED
    if not allow:
        return Level.NONE
    if deny:
        return Level.CONDITIONAL
    if any(not entry.conditional for entry in allow):
        return Level.ALLOWED
    return Level.LIMITED if any(_only_limited(entry.rule) for entry in allow) else Level.CONDITIONAL


def _only_limited(rule: Rule) -> bool:
    return (
        rule.when is None
        and rule.not_before is None
        and rule.expires is None
        and rule.authentication is None
    )


def roles_of(table: Table) -> list[str]:
    """Every role that somebody may hold or a rule names, in the order of the file."""
    named = (role for rule in table.rules for role in rule.roles if "*" not in role)
    return list(dict.fromkeys((*(m.role for m in table.roles.mappings), *named)))


def models_of(table: Table, served: Iterable[str]) -> list[str]:
    """Every model that is served or that a rule names; patterns as they are written."""
    named = (model for rule in table.rules for model in rule.models)
    return list(dict.fromkeys((*served, *named)))


def terms(rule: Rule) -> list[str]:
    """Under which terms a rule counts: its condition, its time, the sign-in, its ceilings."""
    found = []
    if rule.when is not None:
        found.append(rule.when.meaning or f"if {rule.when.text}")
    if rule.not_before is not None:
        found.append(f"from {write_instant(rule.not_before)} on")
    if rule.expires is not None:
        found.append(f"until {write_instant(rule.expires)}")
    if rule.authentication is not None:
        found.append(f"after a sign-in {rule.authentication.said}")
    if rule.ceilings is not None:
        bounds = ", ".join(f"{name} {_shown(value)}" for name, value in bounds_of(rule).items())
        found.append(f"{'lowered to' if rule.on_exceed == 'clamp' else 'within'} {bounds}")
    return found


def _shown(value: Any) -> str:
    if value is False or value == []:
        return "none"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def everywhere(endpoints: Iterable[str]) -> bool:
    """Whether endpoints are all that there are."""
    return set(endpoints) == set(MODEL_ENDPOINTS)
