"""Why: the way from claim to role to rule, each step with the line it is written in."""

from dataclasses import dataclass
from typing import Any

from rolecall.config.globs import matches
from rolecall.core import Call, Caller, Decision, Rule, Source
from rolecall.policy.evaluate import decide
from rolecall.policy.table import Table, concerns, covers


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at: what it is, what came of it, and where it is written."""

    subject: str
    outcome: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, and the steps that led to it."""

    decision: Decision
    steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """The published form: ``decision``, ``reason``, ``roles``, ``rule`` and ``steps``."""
        decision = self.decision
        return {
            "decision": "allow" if decision.allowed else "deny",
            "reason": decision.reason,
            "roles": sorted(decision.roles),
            "rule": _place(decision.rule.source) if decision.rule else None,
            "steps": [
                {
                    "subject": step.subject,
                    "outcome": step.outcome,
                    "source": _place(step.source) if step.source else None,
                }
                for step in self.steps
            ],
        }


def explain(table: Table, caller: Caller, call: Call) -> Explanation:
    """Decide a call, and say how the decision came about.

    Args:
        table: the compiled policy.
        caller: a caller whose roles are assigned.
        call: what is asked.
    """
    return Explanation(
        decide(table, caller, call),
        (
            *_claim_steps(table, caller),
            *(
                Step(_title(rule), _outcome(rule, caller, call), rule.source)
                for rule in table.rules
            ),
        ),
    )


def _claim_steps(table: Table, caller: Caller) -> list[Step]:
    if not caller.role_claims:
        return [Step("role claims", "the token holds none")]
    steps = []
    for claim in caller.role_claims:
        subject = f"claim {'.'.join(claim.path)} = {claim.value!r}"
        mappings = table.by_value.get(claim.value, ())
        if not mappings:
            steps.append(Step(subject, "leads to no role"))
        for mapping in mappings:
            counts = not mapping.issuers or caller.issuer in mapping.issuers
            outcome = (
                f"gives role {mapping.role}"
                if counts
                else f"gives role {mapping.role} to callers of other issuers only"
            )
            steps.append(Step(subject, outcome, mapping.source))
    return steps


def _title(rule: Rule) -> str:
    endpoints = "" if "*" in rule.endpoints else f" at {', '.join(rule.endpoints) or 'no endpoint'}"
    models = ", ".join(rule.models) or "no model"
    return f"{rule.effect} {', '.join(rule.roles)}: {models}{endpoints}"


def _outcome(rule: Rule, caller: Caller, call: Call) -> str:
    if not concerns(rule, caller.roles):
        held = ", ".join(sorted(caller.roles)) or "none"
        return f"does not match: the caller's roles are {held}"
    if not any(matches(pattern, call.model) for pattern in rule.models):
        return f"does not match: the model is {call.model!r}"
    if not covers(rule, call.endpoint):
        return f"does not match: the endpoint is {call.endpoint}"
    return "matches: denies" if rule.effect == "deny" else "matches: allows"


def _place(source: Source) -> dict[str, Any]:
    return {"file": source.file, "line": source.line, "text": source.text}
