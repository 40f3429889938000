"""How much a model thinks is lowered: effort and budget, in each of their spellings."""

import math
from typing import Any, Final

from rolecall.wire.parameters import (
    BUDGET,
    BUDGET_WITHIN,
    EFFORT,
    EFFORT_WITHIN,
    MOST_BUDGET,
    effort_of,
    effort_rank,
    thinking_budgets,
)

_LEAST_BUDGET: Final = 1024
"""Tokens; Anthropic thinks with no fewer ("Extended thinking")."""

_OF_ANTHROPIC: Final = frozenset({"low", "medium", "high", "xhigh", "max"})


def lower_effort(body: dict[str, Any], most: str) -> None:
    """Lower every effort that is named, and thinking that amounts to more."""
    named = [_lower_named(body, name, most) for name in EFFORT]
    for outer, inner in EFFORT_WITHIN:
        place = body.get(outer)
        if isinstance(place, dict):
            named.append(_lower_named(place, inner, most))
            if outer == "output_config" and place.get(inner, "low") not in _OF_ANTHROPIC:
                del place[inner]
                _stop_thinking(body)
    budget = max((n for n in thinking_budgets(body) if n < math.inf), default=0)
    if budget and effort_rank(effort_of(budget)) > effort_rank(most):
        lower_thinking(body, MOST_BUDGET.get(most, 0))
    if math.inf in thinking_budgets(body) and not any(named):
        _steer_thinking(body, most)


def _lower_named(place: dict[str, Any], name: str, most: str) -> bool:
    """Lower one effort; whether it was there."""
    if place.get(name) is None:
        return False
    if effort_rank(place[name]) > effort_rank(most):
        place[name] = most
    return True


def _steer_thinking(body: dict[str, Any], most: str) -> None:
    """Adaptive thinking is steered by an effort beside it."""
    if most in _OF_ANTHROPIC:
        body["output_config"] = {**(body.get("output_config") or {}), "effort": most}
    else:
        _stop_thinking(body)


def lower_thinking(body: dict[str, Any], most: int) -> None:
    """Lower the budget of thinking; where so little cannot be thought, thinking stops."""
    for name in BUDGET:
        if body.get(name) is not None:
            body[name] = min(body[name], most)
    for outer, inner in BUDGET_WITHIN:
        place = body.get(outer)
        if isinstance(place, dict) and place.get(inner) is not None:
            place[inner] = min(place[inner], most)
    thinking = body.get("thinking")
    if not isinstance(thinking, dict) or thinking.get("type") == "disabled":
        return
    if most < _LEAST_BUDGET:
        _stop_thinking(body)
    else:
        budget = thinking.get("budget_tokens")
        asked = most if budget is None else min(budget, most)
        body["thinking"] = {**thinking, "type": "enabled", "budget_tokens": asked}


def _stop_thinking(body: dict[str, Any]) -> None:
    if body.get("thinking") is not None:
        body["thinking"] = {"type": "disabled"}
