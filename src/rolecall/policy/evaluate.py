"""The evaluator: the one place where a call is allowed or denied. Pure, and fails closed."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rolecall.core import (
    Authentication,
    Call,
    Caller,
    Circumstances,
    Decision,
    Excess,
    Reason,
    Rule,
)
from rolecall.policy.ceilings import can_clamp, excesses, generosity
from rolecall.policy.question import Question, possible
from rolecall.policy.role_table import assign_roles as assign
from rolecall.policy.role_table import with_included
from rolecall.policy.table import Table
from rolecall.policy.view import Cell


def assign_roles(table: Table, caller: Caller) -> Caller:
    """The caller with the roles that its claims lead to; the roles of all sources are united."""
    return assign(table.roles, caller)


def included_roles(table: Table, roles: Iterable[str]) -> frozenset[str]:
    """Roles and all that they include: what a static key holds that is given these."""
    return with_included(table.roles, roles)


def looks_at_the_call(table: Table, caller: Caller) -> bool:
    """Whether `decide` needs more than endpoint and model: parameters and circumstances."""
    return table.view(caller.roles, caller.doubtful_roles).looks_at_the_call


def decide(
    table: Table, caller: Caller, call: Call, around: Circumstances | None = None
) -> Decision:
    """Allow or deny a call. Deny wins over every allow; where no rule speaks the answer is no.

    Args:
        table: the compiled policy.
        caller: a caller whose roles are assigned.
        call: what is asked, with its parameters where `looks_at_the_call` says so.
        around: what surrounds it, likewise; what is not known helps nobody.
    """
    if not caller.roles:
        return _without_role(caller)
    view = table.view(caller.roles, caller.doubtful_roles)
    cell = table.cell(view, call.endpoint, call.model)
    if cell.settled is not None:
        return cell.settled
    return _weigh(cell, Question(caller, around), call)


def callable_models(
    table: Table,
    caller: Caller,
    doors: Mapping[str, Iterable[str]],
    around: Circumstances | None = None,
) -> list[str]:
    """The models that the caller may call.

    A model is listed if some call of it is allowed: where a rule looks at the body, a body that
    it allows is taken to exist.

    Args:
        table: the compiled policy.
        caller: a caller whose roles are assigned.
        doors: the model names that are served, and the endpoints that serve each.
        around: what surrounds the question.
    """
    if not caller.roles:
        return []
    view = table.view(caller.roles, caller.doubtful_roles)
    question = Question(caller, around)
    return [
        name
        for name, open_cells in table.listing(view, doors)
        if open_cells is None
        or any(possible(cell, question, Call(at, name)) for at, cell in open_cells)
    ]


def may_call(table: Table, caller: Caller, call: Call, around: Circumstances | None = None) -> bool:
    """Whether some call of this model at this endpoint is allowed, whatever its body."""
    if not caller.roles:
        return False
    view = table.view(caller.roles, caller.doubtful_roles)
    return possible(table.cell(view, call.endpoint, call.model), Question(caller, around), call)


def _without_role(caller: Caller) -> Decision:
    reason = Reason.CONDITION_ERROR if caller.doubtful_roles else Reason.NO_ROLE
    return Decision(allowed=False, reason=reason, rule=None, roles=caller.roles)


def _weigh(cell: Cell, question: Question, call: Call) -> Decision:
    caller = question.caller
    failed: Rule | None = None
    for entry in cell.deny:
        held = question.outcome(entry, call)
        if held is True:
            return _denied(Reason.DENIED_BY_RULE, entry.rule, caller)
        if held is not False:
            failed = failed or entry.rule
    if failed is not None:
        return _denied(Reason.CONDITION_ERROR, failed, caller)
    return cell.free or _allowing(cell, question, call)


def _allowing(cell: Cell, question: Question, call: Call) -> Decision:
    caller = question.caller
    failed: Rule | None = None
    matching: list[Rule] = []
    demanding: list[Rule] = []
    for entry in cell.allow:
        held = question.outcome(entry, call)
        if held is True:
            rule = entry.rule
            if rule.authentication is not None and not question.signed_in(rule):
                demanding.append(rule)
            elif rule.ceilings is None or not excesses(rule.ceilings, call):
                return Decision(allowed=True, reason=None, rule=rule, roles=caller.roles)
            else:
                matching.append(rule)
        elif held is not False:
            failed = failed or entry.rule
    if matching or demanding:
        return _beyond(matching, demanding, caller, call)
    if failed is not None:
        return _denied(Reason.CONDITION_ERROR, failed, caller)
    if any(question.outcome(entry, call) is True for entry in cell.elsewhere):
        return replace(cell.otherwise, reason=Reason.ENDPOINT_NOT_ALLOWED)
    return cell.otherwise


def _beyond(matching: list[Rule], demanding: list[Rule], caller: Caller, call: Call) -> Decision:
    """No rule admits the call as it is: it is lowered to the most generous, or denied.

    Args:
        matching: rules whose ceilings it exceeds.
        demanding: rules that match but for the sign-in that they demand.
        caller: who calls.
        call: what is asked.
    """
    lowering = [rule for rule in matching if _lowers(rule, call)]
    if lowering:
        best = max(lowering, key=_generosity)
        return Decision(
            allowed=True,
            reason=None,
            rule=best,
            roles=caller.roles,
            exceeded=_exceeded(best, call),
        )
    open_once_signed_in = [rule for rule in demanding if _admits(rule, call)]
    if open_once_signed_in:
        least = min(open_once_signed_in, key=_strictness)
        return _denied(Reason.INSUFFICIENT_USER_AUTHENTICATION, least, caller)
    nearest = min((*matching, *demanding), key=lambda rule: _distance(_exceeded(rule, call)))
    denied = _denied(Reason.CEILING_EXCEEDED, nearest, caller)
    return replace(denied, exceeded=_exceeded(nearest, call))


def _exceeded(rule: Rule, call: Call) -> tuple[Excess, ...]:
    return excesses(rule.ceilings, call) if rule.ceilings is not None else ()


def _lowers(rule: Rule, call: Call) -> bool:
    return rule.on_exceed == "clamp" and can_clamp(_exceeded(rule, call))


def _admits(rule: Rule, call: Call) -> bool:
    """Whether a rule would admit a call, as it is or lowered, or may, where its body is unread."""
    return call.parameters is None or not _exceeded(rule, call) or _lowers(rule, call)


def _strictness(rule: Rule) -> tuple[Any, ...]:
    """What orders rules by how much they demand of a sign-in; their order does not decide."""
    demand = rule.authentication or Authentication()
    age = math.inf if demand.max_age is None else demand.max_age
    return bool(demand.acr_values) + (demand.max_age is not None), -age, demand.acr_values


def _generosity(rule: Rule) -> tuple[Any, ...]:
    return generosity(rule.ceilings) if rule.ceilings is not None else ()


def _distance(exceeded: tuple[Excess, ...]) -> tuple[Any, ...]:
    """How far a call is from a rule; among equals the order of the rules does not decide."""
    return len(exceeded), [(excess.parameter, excess.allowed) for excess in exceeded]


def _denied(reason: Reason, rule: Rule, caller: Caller) -> Decision:
    return Decision(allowed=False, reason=reason, rule=rule, roles=caller.roles)
