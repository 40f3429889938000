"""Ceilings: what a call asks for beyond them, and which of several is the most generous."""

import math
from collections.abc import Iterator
from typing import Any, Final

from rolecall.config.globs import matches
from rolecall.core import Call, Ceilings, Excess, Parameters
from rolecall.wire.parameters import effort_rank

CLAMPED: Final = frozenset(
    {
        "max_tokens",
        "n",
        "reasoning_effort",
        "thinking_budget",
        "tools",
        "web_search",
        "service_tier",
        "temperature",
    }
)
"""Parameters that can be lowered; the others are what was asked, and are refused."""


def excesses(ceilings: Ceilings, call: Call) -> tuple[Excess, ...]:
    """Every ceiling that a call exceeds.

    A call whose parameters were not read exceeds them all: nothing is known of it.
    """
    if call.parameters is None:
        return (Excess("parameters", "unknown", "known ones"),)
    return (*_numbers(ceilings, call.parameters), *_words(ceilings, call.parameters, call.stream))


def _numbers(ceilings: Ceilings, asked: Parameters) -> Iterator[Excess]:
    # what is left open is up to the upstream, and so has no bound
    tokens = asked.max_tokens
    if ceilings.max_tokens is not None and (tokens is None or tokens > ceilings.max_tokens):
        yield Excess("max_tokens", _shown(tokens), f"at most {ceilings.max_tokens}")
    if ceilings.n is not None and asked.n > ceilings.n:
        yield Excess("n", str(asked.n), f"at most {ceilings.n}")
    budget = asked.thinking_budget or 0
    if ceilings.thinking_budget is not None and budget > ceilings.thinking_budget:
        allowed = f"at most {ceilings.thinking_budget}" if ceilings.thinking_budget else "none"
        yield Excess("thinking_budget", _shown(budget), allowed)
    if ceilings.input_bytes is not None and asked.size > ceilings.input_bytes:
        yield Excess("input_bytes", str(asked.size), f"at most {ceilings.input_bytes}")
    if ceilings.temperature is not None and asked.temperature is not None:
        low, high = ceilings.temperature
        if not low <= asked.temperature <= high:
            yield Excess("temperature", f"{asked.temperature:g}", f"{low:g} to {high:g}")


def _words(ceilings: Ceilings, asked: Parameters, stream: bool) -> Iterator[Excess]:  # noqa: FBT001
    effort = asked.reasoning_effort
    if (
        ceilings.reasoning_effort is not None
        and effort is not None
        and effort_rank(effort) > effort_rank(ceilings.reasoning_effort)
    ):
        yield Excess("reasoning_effort", effort, f"at most {ceilings.reasoning_effort}")
    if ceilings.tools is not None:
        refused = [name for name in asked.tools if not tool_allowed(ceilings.tools, name)]
        if refused:
            yield Excess("tools", ", ".join(refused), ", ".join(ceilings.tools) or "none")
    if ceilings.inputs is not None and not asked.inputs <= ceilings.inputs:
        allowed = ", ".join(("text", *sorted(ceilings.inputs)))
        yield Excess("inputs", ", ".join(sorted(asked.inputs - ceilings.inputs)), allowed)
    if not ceilings.web_search and asked.web_search:
        yield Excess("web_search", "a search", "none")
    tiers = ceilings.service_tier
    if tiers is not None and asked.service_tier is not None and asked.service_tier not in tiers:
        yield Excess("service_tier", asked.service_tier, ", ".join(tiers))
    if ceilings.stream is not None and stream != (ceilings.stream == "only"):
        yield Excess("stream", str(stream).lower(), str(not stream).lower())


def tool_allowed(allowed: tuple[str, ...], name: str) -> bool:
    """Whether a tool is among those that are allowed."""
    return any(matches(pattern, name) for pattern in allowed)


def can_clamp(exceeded: tuple[Excess, ...]) -> bool:
    """Whether all that is exceeded can be lowered."""
    return all(excess.parameter in CLAMPED for excess in exceeded)


def generosity(ceilings: Ceilings) -> tuple[Any, ...]:
    """What orders ceilings by how much they leave to a call that is lowered to them.

    Those that leave as much and yet otherwise are ordered by their values, so that the order of the
    rules does not decide what is forwarded.
    """
    low, high = ceilings.temperature or (0.0, math.inf)
    tools, tiers = ceilings.tools, ceilings.service_tier
    return (
        _bound(ceilings.max_tokens),
        _bound(ceilings.n),
        math.inf if ceilings.reasoning_effort is None else effort_rank(ceilings.reasoning_effort),
        _bound(ceilings.thinking_budget),
        math.inf if tools is None else len(tools),
        ceilings.web_search,
        math.inf if tiers is None else len(tiers),
        high - low,
        high,
        sorted(tools or ()),
        tiers or (),
    )


def _bound(limit: int | None) -> float:
    return math.inf if limit is None else limit


def _shown(value: float | None) -> str:
    if value is None or value == math.inf:
        return "without a bound"
    return str(int(value))
