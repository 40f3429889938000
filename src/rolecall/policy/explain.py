"""Why: the way from claim to role to rule, each step with the line it is written in."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from rolecall.config.conditions import ConditionError
from rolecall.config.instants import write_instant
from rolecall.core import (
    Authentication,
    Call,
    Caller,
    Circumstances,
    Decision,
    Rule,
    Source,
)
from rolecall.policy.bounds import bounds_of, demand_of
from rolecall.policy.ceilings import excesses
from rolecall.policy.evaluate import decide
from rolecall.policy.explain_roles import Step, role_steps
from rolecall.policy.nearest import Change, nearest_changes
from rolecall.policy.question import Question
from rolecall.policy.table import Table, concerns, covers, speaks_of
from rolecall.policy.view import Entry


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, the steps that led to it, and, for a refusal, what would change it."""

    decision: Decision
    steps: tuple[Step, ...]
    changes: tuple[Change, ...] = ()

    def of_own_roles(self) -> "Explanation":
        """The same without the rules that do not speak of the caller's roles."""
        return replace(self, steps=tuple(step for step in self.steps if not step.of_others))

    def as_json(self) -> dict[str, Any]:
        """The published form: ``docs/schema/explanation.json``."""
        decision = self.decision
        rule = decision.rule
        return {
            "decision": "allow" if decision.allowed else "deny",
            "reason": decision.reason,
            "roles": sorted(decision.roles),
            "rule": _place(rule.source) if rule else None,
            "ceilings": bounds_of(rule) if rule is not None and rule.ceilings is not None else None,
            "exceeded": [asdict(excess) for excess in decision.exceeded],
            "authentication": demand_of(rule) if rule is not None else None,
            "steps": [
                {
                    "subject": step.subject,
                    "outcome": step.outcome,
                    "source": _place(step.source) if step.source else None,
                }
                for step in self.steps
            ],
            "changes": [
                {"sentence": change.sentence, "source": _place(change.source)}
                for change in self.changes
            ],
        }


def explain(
    table: Table, caller: Caller, call: Call, around: Circumstances | None = None
) -> Explanation:
    """Decide a call, and say how the decision came about.

    Args:
        table: the compiled policy.
        caller: a caller whose roles are assigned.
        call: what is asked.
        around: what surrounds it.
    """
    decision = decide(table, caller, call, around)
    return Explanation(
        decision,
        (
            *_actor_steps(caller),
            *role_steps(table.roles, caller),
            *_rule_steps(table, caller, call, around),
        ),
        () if decision.allowed else nearest_changes(table, caller, call, around, decision),
    )


def _actor_steps(caller: Caller) -> Iterator[Step]:
    if caller.actors:
        yield Step("caller", caller.acting)


def _rule_steps(
    table: Table, caller: Caller, call: Call, around: Circumstances | None
) -> Iterator[Step]:
    for entry in table.entries:
        yield Step(
            title(entry.rule),
            _rule_outcome(entry, caller, call, around),
            entry.rule.source,
            of_others=not concerns(entry.rule, caller.roles),
            beside=not speaks_of(entry.rule, call.model),
        )


def title(rule: Rule) -> str:
    """A rule in one line: effect, roles, models, endpoints."""
    endpoints = "" if "*" in rule.endpoints else f" at {', '.join(rule.endpoints) or 'no endpoint'}"
    models = ", ".join(rule.models) or "no model"
    return f"{rule.effect} {', '.join(rule.roles)}: {models}{endpoints}"


def _rule_outcome(entry: Entry, caller: Caller, call: Call, around: Circumstances | None) -> str:
    rule = entry.rule
    held = caller.roles if rule.effect == "allow" else caller.roles | caller.doubtful_roles
    if not concerns(rule, held):
        names = ", ".join(sorted(caller.roles)) or "none"
        return f"does not match: the caller's roles are {names}"
    if not speaks_of(rule, call.model):
        return f"does not match: the model is {call.model!r}"
    if not covers(rule, call.endpoint):
        return f"does not match: the endpoint is {call.endpoint}"
    if around is not None and (late := _validity(rule, around)):
        return f"does not match: {late}"
    question = Question(caller, around)
    result = question.outcome(entry, call)
    if isinstance(result, ConditionError):
        effect = "so it denies" if rule.effect == "deny" else "so it does not allow"
        return f"its condition cannot be evaluated: {result}; {effect}"
    if not result:
        return f"does not match: its condition does not hold: {rule.when and rule.when.said}"
    if rule.effect == "deny":
        return f"matches: denies{_because(rule)}"
    if (demand := rule.authentication) is not None and not question.signed_in(rule):
        return f"does not admit the call: {_sign_in_lacks(demand, caller, around)}"
    return _within_ceilings(rule, call)


def _because(rule: Rule) -> str:
    """Why a deny rule that matches does so."""
    if rule.when is None:
        return ""
    return f": {rule.when.meaning}" if rule.when.meaning else f", since {rule.when.text} holds"


def _validity(rule: Rule, around: Circumstances) -> str | None:
    if rule.not_before is not None and around.now < rule.not_before:
        return f"it counts from {write_instant(rule.not_before)} on"
    if rule.expires is not None and around.now >= rule.expires:
        return f"it expired at {write_instant(rule.expires)}"
    return None


def _sign_in_lacks(demand: Authentication, caller: Caller, around: Circumstances | None) -> str:
    """What a rule demands of a sign-in, and what the token says of it."""
    said = caller.sign_in
    found = []
    if demand.acr_values:
        found.append("no acr" if said.acr is None else f"acr {said.acr!r}")
    if demand.max_age is not None:
        found.append(_age(said.at, around))
    return f"it demands a sign-in {demand.said}; the token says {' and '.join(found)}"


def _age(signed_in: float | None, around: Circumstances | None) -> str:
    if signed_in is None:
        return "no auth_time"
    when = f"auth_time {write_instant(signed_in)}"
    return when if around is None else f"{when}, {around.now - signed_in:.0f} s before the call"


def _within_ceilings(rule: Rule, call: Call) -> str:
    exceeded = excesses(rule.ceilings, call) if rule.ceilings else ()
    if not exceeded:
        return "matches: allows"
    what = "; ".join(f"{e.parameter} is {e.asked}, allowed is {e.allowed}" for e in exceeded)
    effect = "lowers the call" if rule.on_exceed == "clamp" else "does not admit the call"
    return f"matches, and {effect}: {what}"


def _place(source: Source) -> dict[str, Any]:
    return {"file": source.file, "line": source.line, "text": source.text}
