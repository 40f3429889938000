"""Whether a decision is as a case expects it."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from rolecall.config.case_file import Case
from rolecall.core import Call, Caller, Circumstances
from rolecall.policy.evaluate import callable_models
from rolecall.policy.explain import Explanation, explain
from rolecall.policy.table import Table
from rolecall.wire import clamp


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case: what was decided and why, and what of it was not expected."""

    case: Case
    caller: Caller
    call: Call
    explanation: Explanation
    faults: tuple[str, ...]


def judge(  # noqa: PLR0913, PLR0917 - a case, and all that it is about
    case: Case,
    table: Table,
    caller: Caller,
    call: Call,
    around: Circumstances,
    doors: Mapping[str, Iterable[str]],
) -> Verdict:
    """Decide a case, and compare.

    Args:
        case: what is expected.
        table: the compiled policy.
        caller: the case's caller, its roles assigned.
        call: the case's call, its parameters read.
        around: its circumstances.
        doors: the models that are served, for the list.
    """
    explanation = explain(table, caller, call, around)
    found = _found(case, explanation, call)
    if "models" in case.expected:
        found["models"] = callable_models(table, caller, doors, around)
    faults = [
        f"expected {name} {_shown(wanted)}, got {_shown(found[name])}"
        for name, wanted in case.expected.items()
        if not _same(name, wanted, found[name])
    ]
    return Verdict(case, caller, call, explanation, tuple(faults))


def _found(case: Case, explanation: Explanation, call: Call) -> dict[str, Any]:
    decision = explanation.decision
    return {
        "decision": "allow" if decision.allowed else "deny",
        "reason": decision.reason and str(decision.reason),
        "rule": decision.rule and str(decision.rule.source),
        "roles": sorted(decision.roles),
        "exceeded": sorted(excess.parameter for excess in decision.exceeded),
        "body": _forwarded(case, explanation, call),
    }


def _forwarded(case: Case, explanation: Explanation, call: Call) -> dict[str, Any] | None:
    """The body as it would be forwarded; None for a call that is denied."""
    decision = explanation.decision
    if not decision.allowed:
        return None
    body = deepcopy(case.body)
    if decision.exceeded and decision.rule is not None and decision.rule.ceilings is not None:
        clamp(body, call.endpoint, decision.rule.ceilings, decision.exceeded)
    return body


def _same(name: str, wanted: Any, found: Any) -> bool:
    if name == "rule" and isinstance(wanted, int):
        return found is not None and found.endswith(f":{wanted}")
    if name == "rule" and wanted is not None:
        return found is not None and (found == wanted or found.endswith(f"/{wanted}"))
    if name == "body" and wanted is not None:
        return found is not None and all(
            found.get(field) == value for field, value in wanted.items()
        )
    if isinstance(wanted, list):
        return sorted(wanted) == sorted(found)
    return bool(wanted == found)


def _shown(value: Any) -> str:
    return "none" if value is None or value == [] else str(value)
