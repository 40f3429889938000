"""Policy as finished tables: built once from the configuration, only looked up afterwards."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from rolecall.config.globs import compile_glob, matches
from rolecall.core import MODEL_ENDPOINTS, RoleMapping, Rule

_MOST_VIEWS: Final = 4096


@dataclass(frozen=True, slots=True)
class Names:
    """The model names that some rules speak of, with the first rule in the file for each."""

    exact: dict[str, tuple[int, Rule]]
    globs: tuple[tuple[re.Pattern[str], int, Rule], ...]

    def first(self, name: str) -> Rule | None:
        """The first rule of the file that speaks of this name."""
        index, rule = self.exact.get(name, (-1, None))
        for pattern, place, candidate in self.globs:
            if rule is not None and place > index:
                break
            if pattern.fullmatch(name):
                return candidate
        return rule


@dataclass(frozen=True, slots=True)
class View:
    """The rules that concern one set of roles, by endpoint."""

    allow: dict[str, Names]
    deny: dict[str, Names]


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled policy.

    Attributes:
        mappings: every role mapping, in the order of the file.
        by_value: the mappings that a role claim's value may lead to.
        rules: every rule, in the order of the file.
    """

    mappings: tuple[RoleMapping, ...]
    by_value: dict[str, tuple[RoleMapping, ...]]
    rules: tuple[Rule, ...]
    _views: dict[frozenset[str], View] = field(default_factory=dict)

    def view(self, roles: frozenset[str]) -> View:
        """The rules that concern these roles; remembered, since few sets of roles occur."""
        view = self._views.get(roles)
        if view is None:
            view = _view(self.rules, roles)
            if len(self._views) >= _MOST_VIEWS:
                self._views.clear()
            self._views[roles] = view
        return view


def compile_policy(mappings: Sequence[RoleMapping], rules: Sequence[Rule]) -> Table:
    """Compile the configuration's roles and rules."""
    by_value: dict[str, list[RoleMapping]] = {}
    for mapping in mappings:
        for value in mapping.any_of:
            by_value.setdefault(value, []).append(mapping)
    return Table(
        mappings=tuple(mappings),
        by_value={value: tuple(found) for value, found in by_value.items()},
        rules=tuple(rules),
    )


def concerns(rule: Rule, roles: Iterable[str]) -> bool:
    """Whether a rule speaks of one of these roles."""
    return any(matches(pattern, role) for role in roles for pattern in rule.roles)


def covers(rule: Rule, endpoint: str) -> bool:
    """Whether a rule speaks of this endpoint."""
    return endpoint in rule.endpoints or "*" in rule.endpoints


def _view(rules: Sequence[Rule], roles: frozenset[str]) -> View:
    mine = [(index, rule) for index, rule in enumerate(rules) if concerns(rule, roles)]
    return View(
        allow={name: _names(mine, "allow", name) for name in MODEL_ENDPOINTS},
        deny={name: _names(mine, "deny", name) for name in MODEL_ENDPOINTS},
    )


def _names(rules: Sequence[tuple[int, Rule]], effect: str, endpoint: str) -> Names:
    exact: dict[str, tuple[int, Rule]] = {}
    globs: list[tuple[re.Pattern[str], int, Rule]] = []
    for index, rule in rules:
        if rule.effect != effect or not covers(rule, endpoint):
            continue
        for model in rule.models:
            if "*" in model:
                globs.append((compile_glob(model), index, rule))
            else:
                exact.setdefault(model, (index, rule))
    return Names(exact, tuple(globs))
