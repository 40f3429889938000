"""Which rules, roles and conditions were decided by no case."""

from collections.abc import Iterable
from dataclasses import dataclass

from rolecall.config.conditions import ConditionError
from rolecall.core import Source
from rolecall.policy.explain import title
from rolecall.policy.facts import holds_for_caller
from rolecall.policy.question import Question
from rolecall.policy.table import Table, concerns, covers, speaks_of
from rolecall.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Gap:
    """What no case shows: a sentence, and the line that it is about."""

    sentence: str
    source: Source


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a policy its cases show.

    Every rule counts once (that it decided), every role once (that somebody held it), and every
    condition twice (that it held, and that it did not).
    """

    total: int
    gaps: tuple[Gap, ...]

    @property
    def percent(self) -> float:
        """From 0 to 100; a policy with nothing in it is covered."""
        return 100.0 * (self.total - len(self.gaps)) / self.total if self.total else 100.0


def coverage(table: Table, verdicts: Iterable[tuple[Verdict, Question]]) -> Coverage:
    """Compare a policy with what its cases decided.

    Args:
        table: the compiled policy.
        verdicts: every case that was judged by it, and who asked under which circumstances.
    """
    decided: set[Source] = set()
    held: set[str] = set()
    said: set[tuple[Source, bool]] = set()
    for verdict, question in verdicts:
        if verdict.explanation.decision.rule is not None:
            decided.add(verdict.explanation.decision.rule.source)
        held |= question.caller.roles
        said |= _conditions_of_roles(table, question)
        said |= _conditions_of_rules(table, verdict, question)
    gaps = [
        *(
            Gap(f"no case is decided by: {title(rule)}", rule.source)
            for rule in table.rules
            if rule.source not in decided
        ),
        *(
            Gap(f"no case's caller holds the role {mapping.role}", mapping.source)
            for mapping in table.roles.mappings
            if mapping.role not in held
        ),
    ]
    conditions = [
        condition
        for condition in (*(m.when for m in table.roles.mappings), *(r.when for r in table.rules))
        if condition is not None
    ]
    gaps += [
        Gap(f"in no case it {verb}: {condition.text}", condition.source)
        for condition in conditions
        for value, verb in ((True, "holds"), (False, "fails to hold"))
        if (condition.source, value) not in said
    ]
    total = len(table.rules) + len(table.roles.mappings) + 2 * len(conditions)
    return Coverage(total, tuple(gaps))


def _conditions_of_roles(table: Table, question: Question) -> set[tuple[Source, bool]]:
    said = set()
    for entry in table.roles.entries:
        if entry.program is not None and entry.mapping.when is not None:
            try:
                holds = holds_for_caller(entry.program, question.caller)
            except ConditionError:
                continue
            said.add((entry.mapping.when.source, holds))
    return said


def _conditions_of_rules(
    table: Table, verdict: Verdict, question: Question
) -> set[tuple[Source, bool]]:
    said = set()
    caller, call = question.caller, verdict.call
    for entry in table.entries:
        rule = entry.rule
        if (
            rule.when is None
            or not concerns(rule, caller.roles)
            or not covers(rule, call.endpoint)
            or not speaks_of(rule, call.model)
        ):
            continue
        held = question.outcome(entry, call)
        if isinstance(held, bool):
            said.add((rule.when.source, held))
    return said
