"""Bounds of a rule as they are shown: its ceilings, and the sign-in that it demands."""

from dataclasses import asdict
from typing import Any

from rolecall.core import Rule


def bounds_of(rule: Rule) -> dict[str, Any]:
    """The ceilings that a rule sets, by their names, as JSON has them."""
    if rule.ceilings is None:
        return {}
    return {
        name: _plain(value)
        for name, value in asdict(rule.ceilings).items()
        if value is not None and not (name == "web_search" and value)
    }


def demand_of(rule: Rule) -> dict[str, Any] | None:
    """The sign-in that a rule demands, as JSON has it; None for any."""
    demand = rule.authentication
    if demand is None:
        return None
    return {"acr_values": list(demand.acr_values), "max_age": demand.max_age}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
