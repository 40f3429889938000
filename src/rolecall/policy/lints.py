"""What is valid in a policy and yet surely not meant: each kind has a code (``docs/lints.md``)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rolecall.config import Problem, Settings
from rolecall.config.conditions import compile_condition
from rolecall.config.globs import matches
from rolecall.config.instants import write_instant
from rolecall.config.patterns import Patterns, compile_patterns
from rolecall.core import MODEL_ENDPOINTS, Condition, Rule, Source
from rolecall.policy.table import Table


@dataclass(frozen=True, slots=True)
class Flat:
    """Rules of one effect that always count, by what they may be found with."""

    rules: Sequence[Rule]
    by_model: dict[str, list[Rule]]
    patterns: Patterns

    def about(self, model: str) -> Iterator[Rule]:
        """Those that speak of all of a model or a pattern."""
        seen: set[int] = set()
        for pattern in (*self.patterns.matching(model), *([model] if "*" in model else [])):
            for rule in self.by_model.get(pattern, ()):
                if id(rule) not in seen:
                    seen.add(id(rule))
                    yield rule


def lint(settings: Settings, table: Table, now: float) -> list[Problem]:
    """Every lint of a policy, in the order of the files.

    Args:
        settings: the configuration.
        table: its compiled policy.
        now: seconds since the epoch, for what has expired.
    """
    found = [
        *_roles(settings),
        *_unread(settings),
        *_rules(settings.rules, now),
        *_shadowed(settings.rules, table),
        *_in_vain(settings.rules, table),
        *_unreached(settings),
    ]
    return sorted(found, key=lambda problem: (problem.file, problem.line))


def _warn(source: Source, code: str, message: str) -> Problem:
    return Problem("warning", source.file, source.line, 0, "", message, code)


def _roles(settings: Settings) -> Iterator[Problem]:
    for mapping in settings.roles:
        refused = set(mapping.none_of)
        lost = [value for value in mapping.all_of if value in refused]
        if lost or (mapping.any_of and refused >= set(mapping.any_of)):
            yield _warn(
                mapping.source,
                "role-impossible",
                f"nobody can hold the role {mapping.role!r} by this entry: none_of refuses what it"
                " asks for.",
            )
        if mapping.when is not None:
            yield from _constant(mapping.when, "role", f"the role {mapping.role!r}")


def _unread(settings: Settings) -> Iterator[Problem]:
    """Conditions that look for what no issuer's tokens are asked for."""
    never = {
        name
        for name, given in (
            ("caller.teams", any(issuer.teams for issuer in settings.issuers)),
            ("caller.organization", any(issuer.organization for issuer in settings.issuers)),
        )
        if not given
    }
    conditions = (
        *((mapping.when, "role") for mapping in settings.roles),
        *((rule.when, "rule") for rule in settings.rules),
    )
    for condition, subject in conditions:
        if condition is None:
            continue
        program = compile_condition(condition.text, "role" if subject == "role" else "rule")
        for name in sorted(never & program.reads):
            key = name.removeprefix("caller.")
            yield _warn(
                condition.source,
                "condition-reads-nothing",
                f"the condition reads {name}, and no issuer says by which claim: it is always"
                f" {'empty' if key == 'teams' else 'null'}; write {key}: at an issuer.",
            )


def _rules(rules: Iterable[Rule], now: float) -> Iterator[Problem]:
    for rule in rules:
        if rule.expires is not None and rule.expires <= now:
            yield _warn(
                rule.source,
                "rule-expired",
                f"the rule expired at {write_instant(rule.expires)}, and does nothing; remove it.",
            )
        if not rule.models or not rule.endpoints:
            what = "model" if not rule.models else "endpoint"
            yield _warn(rule.source, "rule-never-matches", f"the rule speaks of no {what}.")
        if rule.when is not None:
            yield from _constant(rule.when, "rule", "the rule")


def _constant(condition: Condition, subject: str, whose: str) -> Iterator[Problem]:
    program = compile_condition(condition.text, "role" if subject == "role" else "rule")
    constant = program.constant()
    if constant is True:
        yield _warn(
            condition.source,
            "condition-always-holds",
            f"the condition of {whose} always holds: {condition.text}; remove it.",
        )
    elif constant is False:
        yield _warn(
            condition.source,
            "condition-never-holds",
            f"the condition of {whose} never holds: {condition.text}.",
        )


def _shadowed(rules: Sequence[Rule], table: Table) -> Iterator[Problem]:
    denials = _flat(rules, "deny")
    for rule in rules:
        if rule.effect != "allow" or not rule.models or not rule.endpoints:
            continue
        hidden = {
            model: found
            for model in rule.models
            if (found := _covering(rule, model, denials, table)) is not None
        }
        if len(hidden) == len(rule.models):
            by = " and ".join(dict.fromkeys(str(found.source) for found in hidden.values()))
            yield _warn(
                rule.source, "grant-shadowed", f"all that the rule allows is denied by {by}."
            )
            continue
        for model, found in hidden.items():
            foreign = found.source.file != rule.source.file
            code = "deny-hides-grant" if foreign else "grant-partly-shadowed"
            yield _warn(
                rule.source, code, f"the rule allows {model!r}, which {found.source} denies."
            )


def _in_vain(rules: Sequence[Rule], table: Table) -> Iterator[Problem]:
    demanding = [rule for rule in rules if rule.authentication is not None]
    if not demanding:
        return
    grants = _flat(rules, "allow")
    for rule in demanding:
        for model in rule.models:
            found = _covering(rule, model, grants, table)
            if found is not None:
                yield _warn(
                    rule.source,
                    "rule-demands-in-vain",
                    f"the rule demands a sign-in for {model!r}, which {found.source} allows without"
                    " one.",
                )


def _flat(rules: Iterable[Rule], effect: Literal["allow", "deny"]) -> Flat:
    """Rules without a condition, a time, a ceiling or a demand: they count whatever the call is."""
    flat = [
        rule
        for rule in rules
        if rule.effect == effect
        and rule.when is None
        and rule.not_before is None
        and rule.expires is None
        and rule.ceilings is None
        and rule.authentication is None
    ]
    by_model: dict[str, list[Rule]] = {}
    for rule in flat:
        for model in rule.models:
            by_model.setdefault(model, []).append(rule)
    return Flat(flat, by_model, compile_patterns(by_model))


def _covering(rule: Rule, model: str, others: Flat, table: Table) -> Rule | None:
    """A rule that speaks of all that another says of a model, if there is one."""
    for other in others.about(model):
        if _endpoints(other) >= _endpoints(rule) and all(
            _concerned(role, other, table) for role in rule.roles
        ):
            return other
    return None


def _concerned(role: str, rule: Rule, table: Table) -> bool:
    """Whether a rule speaks of everybody who holds a role (or one of a pattern)."""
    names = table.roles.closure.get(role, frozenset({role}))
    return any(matches(pattern, name) for pattern in rule.roles for name in names)


def _endpoints(rule: Rule) -> frozenset[str]:
    return frozenset(MODEL_ENDPOINTS if "*" in rule.endpoints else rule.endpoints)


def _unreached(settings: Settings) -> Iterator[Problem]:
    allowed = compile_patterns(
        model for rule in settings.rules if rule.effect == "allow" for model in rule.models
    )
    told: set[str] = set()
    for model in settings.models:
        if model.name not in told and not any(allowed.matching(model.name)):
            told.add(model.name)
            yield _warn(
                model.source,
                "model-unreached",
                f"no rule allows the model {model.name!r}: nobody can call it.",
            )
