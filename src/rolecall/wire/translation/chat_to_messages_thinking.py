"""``reasoning_effort`` of Chat Completions as Anthropic's thinking.

Anthropic has two ways, and no model before 4.6 takes the newer one: adaptive thinking steered by
``output_config.effort``, or a budget of tokens. The models that want a budget, and those that do
not think at all, are closed lists of the past, so every name that is not among them gets the newer
way and Anthropic says if a model cannot.

Sources: Anthropic's "Thinking", "Extended thinking", "Effort" and "Thinking in tool and multi-turn
workflows".
"""

import re
from itertools import takewhile
from typing import Any, Final

from rolecall.wire.translation.fields import invalid, one_of

_WITHOUT: Final = re.compile(r"claude-(?:instant|[12](?!\d)|3-(?:5|opus|sonnet|haiku))")
_BUDGETED: Final = re.compile(
    r"claude-(?:3-7|(?:opus|sonnet|haiku)-4(?!-(?:[6-9]|\d\d)(?!\d)))(?!\d)"
)
_EFFORT: Final = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}
_PERCENT: Final = {"minimal": 10, "low": 20, "medium": 50, "high": 80, "xhigh": 90, "max": 90}
"""The share of ``max_tokens`` that may go into thinking; the rest is left for the answer."""
_LEAST_BUDGET: Final = 1024
_MOST_BUDGET: Final = 32_000
"""More than this should not be asked of one request that waits ("Extended thinking")."""

DEFAULT_MAX_TOKENS_WITH_THINKING: Final = 16_000
"""Tokens; what is thought counts against ``max_tokens`` too, so that the usual default is small."""


def wants_thinking(effort: Any) -> bool:
    """Whether this value of ``reasoning_effort`` asks for any.

    Raises:
        Refusal: for a value that is none of OpenAI's.
    """
    if effort is None:
        return False
    return one_of(effort, "reasoning_effort", ("none", *_EFFORT)) != "none"


def thinking(effort: Any, request: dict[str, Any]) -> dict[str, Any]:
    """What the request must say besides, by its model: ``thinking`` and ``output_config``.

    Args:
        effort: ``reasoning_effort`` as sent; only a caller who asks for thinking gets it.
        request: the request to Anthropic so far.

    Raises:
        Refusal: where the model cannot think, or not together with another field.
    """
    wanted = wants_thinking(effort)
    if effort is None:
        return {}
    model = request["model"]
    if _WITHOUT.search(model):
        if wanted:
            raise invalid(
                "reasoning_effort",
                "This model does not think; leave reasoning_effort out, or set it to none.",
            )
        return {}
    if _BUDGETED.search(model):
        return _budget(effort, request) if wanted else {}
    if not wanted:
        return {"thinking": {"type": "disabled"}}
    return {"thinking": {"type": "adaptive"}, "output_config": {"effort": _EFFORT[effort]}}


def _budget(effort: str, request: dict[str, Any]) -> dict[str, Any]:
    if request.get("temperature", 1) != 1:
        raise invalid("temperature", "temperature must be 1 when this model thinks.")
    if request.get("top_p", 1) < 0.95:
        raise invalid("top_p", "top_p must be at least 0.95 when this model thinks.")
    if request.get("tool_choice", {}).get("type") in ("any", "tool"):
        raise invalid("tool_choice", "tool_choice cannot force a tool when this model thinks.")
    limit: int = request["max_tokens"]
    if limit <= _LEAST_BUDGET:
        raise invalid(
            "reasoning_effort",
            f"This model thinks with at least {_LEAST_BUDGET} tokens; allow more tokens than that.",
        )
    if _in_a_loop_without_thoughts(request["messages"]):
        return {}
    budget = min(max(limit * _PERCENT[effort] // 100, _LEAST_BUDGET), _MOST_BUDGET)
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _in_a_loop_without_thoughts(turns: list[dict[str, Any]]) -> bool:
    """Whether a tool's result is handed in, but not the thoughts that led to the call.

    A model with a budget may not begin to think in the middle of a turn, and most clients of
    Chat Completions have no place for signed thoughts: thinking rests until the turn is over.
    """
    trailing = list(takewhile(lambda turn: turn["role"] == "user", reversed(turns)))
    if len(trailing) == len(turns):
        return False
    handed_in = any(
        block["type"] == "tool_result" for turn in trailing for block in turn["content"]
    )
    first = turns[-len(trailing) - 1]["content"][0]["type"]
    return handed_in and first not in ("thinking", "redacted_thinking")
