"""What would allow a call that is refused: the smallest changes, each with its line."""

from collections.abc import Iterator
from dataclasses import dataclass

from rolecall.core import Call, Caller, Circumstances, Decision, Reason, Rule, Source
from rolecall.policy.question import Question
from rolecall.policy.table import Table, concerns, covers, speaks_of
from rolecall.policy.view import Entry

_MOST = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One change that would allow the call, and the line of the rule that would then do so."""

    sentence: str
    source: Source


def nearest_changes(
    table: Table, caller: Caller, call: Call, around: Circumstances | None, decision: Decision
) -> tuple[Change, ...]:
    """The nearest changes that would allow a refused call, at most three."""
    rule = decision.rule
    match decision.reason:
        case Reason.DENIED_BY_RULE if rule is not None:
            return (_without(rule, table, caller, call, around),)
        case Reason.CONDITION_ERROR if rule is not None:
            return (Change(f"correct the condition {_condition(rule)}", rule.source),)
        case Reason.CEILING_EXCEEDED if rule is not None:
            asked = ", ".join(f"{e.parameter} {e.allowed}" for e in decision.exceeded)
            return (Change(f"ask for less: {asked}", rule.source),)
        case Reason.INSUFFICIENT_USER_AUTHENTICATION if rule is not None and rule.authentication:
            return (Change(f"sign in again, {rule.authentication.said}", rule.source),)
    candidates = sorted(_candidates(table, caller, call, around), key=lambda found: found[0])
    return tuple(change for _, change in candidates[:_MOST])


def _without(
    rule: Rule, table: Table, caller: Caller, call: Call, around: Circumstances | None
) -> Change:
    allowing = next(
        (
            entry.rule
            for entry in table.entries
            if entry.rule.effect == "allow"
            and concerns(entry.rule, caller.roles)
            and speaks_of(entry.rule, call.model)
            and covers(entry.rule, call.endpoint)
            and Question(caller, around).outcome(entry, call) is True
        ),
        None,
    )
    if allowing is None:
        return Change(
            "no other rule allows it: the denial is not all that stands in the way", rule.source
        )
    because = ""
    if rule.when:
        why = f": {rule.when.meaning}" if rule.when.meaning else f" because {rule.when.text} holds"
        because = f" (it denies{why})"
    return Change(f"without this denial {allowing.source} would allow it{because}", rule.source)


def _candidates(
    table: Table, caller: Caller, call: Call, around: Circumstances | None
) -> Iterator[tuple[int, Change]]:
    """Allow rules that speak of the model, and what each of them lacks, the least first."""
    for entry in table.entries:
        rule = entry.rule
        if rule.effect != "allow" or not speaks_of(rule, call.model) or not rule.endpoints:
            continue
        lacking = list(_lacking(entry, caller, call, around))
        if lacking:
            yield len(lacking), Change("; ".join(lacking), rule.source)


def _lacking(
    entry: Entry, caller: Caller, call: Call, around: Circumstances | None
) -> Iterator[str]:
    rule = entry.rule
    if not concerns(rule, caller.roles):
        held = ", ".join(sorted(caller.roles)) or "no role"
        verb = "allows" if len(rule.roles) == 1 else "allow"
        yield f"{' or '.join(rule.roles)} {verb} it; you have {held}"
    if not covers(rule, call.endpoint):
        yield f"call it at {' or '.join(rule.endpoints)}"
    question = Question(caller, around)
    if rule.authentication is not None and not question.signed_in(rule):
        yield f"sign in again, {rule.authentication.said}"
    if question.outcome(entry, call) is not True:
        yield (
            f"the condition {_condition(rule)} must hold"
            if rule.when
            else "the rule must be within its time"
        )


def _condition(rule: Rule) -> str:
    return rule.when.text if rule.when else "of a role"
