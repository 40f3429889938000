"""What a body asks for, as far as policy may bound it: every spelling of it becomes one value.

Run only for calls whose rules have ceilings or look at the body. What cannot be read for certain is
refused, since an upstream might read it.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rolecall.core import EFFORTS, Parameters, Reason, Refusal
from rolecall.wire.content_kinds import kinds

MAX_TOKENS: Final = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "max_new_tokens",
    "n_predict",
    "num_predict",
)
ANSWERS: Final = ("n", "best_of", "num_return_sequences", "candidate_count")
EFFORT: Final = ("reasoning_effort",)
EFFORT_WITHIN: Final = (("reasoning", "effort"), ("output_config", "effort"))
BUDGET: Final = ("thinking_budget",)
BUDGET_WITHIN: Final = (("reasoning", "max_tokens"),)
TOOLS: Final = ("tools", "functions")
SEARCH: Final = ("web_search_options", "search_parameters", "plugins")

_READ: Final = frozenset(
    {
        *MAX_TOKENS,
        *ANSWERS,
        *EFFORT,
        *BUDGET,
        *TOOLS,
        *SEARCH,
        "reasoning",
        "output_config",
        "thinking",
        "mcp_servers",
        "service_tier",
        "temperature",
        "stream",
        "messages",
        "system",
        "input",
        "prompt",
    }
)
_UNREADABLE: Final = frozenset(
    {"generation_config", "options", "parameters", "chat_template_kwargs"}
)
"""Where some servers read such parameters once more."""

_FOLDED: Final = {name.replace("_", ""): name for name in (*_READ, *_UNREADABLE, "enable_thinking")}
MOST_BUDGET: Final = {"low": 1024, "medium": 8192}
"""The thinking tokens that count as no more than this effort; more of them count as high."""


def read_parameters(body: Mapping[str, Any], size: int) -> Parameters:
    """Read what policy may bound.

    Args:
        body: the parsed body.
        size: its length in bytes.

    Raises:
        Refusal: ``invalid_request`` for a value of the wrong type, or a name that only some
            servers would read.
    """
    for name in body:
        if name not in _READ:
            _check_name(name)
    tools = tuple(tool_names(body))
    budget = max(thinking_budgets(body), default=None)
    return Parameters(
        max_tokens=max(_whole(body, MAX_TOKENS), default=None),
        n=max(_whole(body, ANSWERS), default=1),
        reasoning_effort=_effort(body, budget),
        thinking_budget=budget,
        tools=tools,
        inputs=kinds(body),
        web_search=any(body.get(name) is not None for name in SEARCH)
        or any(name.startswith("web_search") for name in tools),
        service_tier=_text(body, "service_tier"),
        temperature=_number(body, "temperature"),
        size=size,
    )


def tool_names(body: Mapping[str, Any]) -> Iterator[str]:
    """The tools of a call: functions by their names, what the upstream runs itself by its type."""
    for field in TOOLS:
        for tool in _objects(body, field):
            yield tool_name(tool)
    for server in _objects(body, "mcp_servers"):
        yield server_name(server)


def tool_name(tool: Mapping[str, Any]) -> str:
    """What a tool is called where ceilings name it."""
    kind = tool.get("type")
    if isinstance(kind, str) and kind not in {"function", "custom"}:
        return kind
    inner = tool.get(kind) if isinstance(kind, str) else None
    name = inner.get("name") if isinstance(inner, dict) else tool.get("name")
    if not isinstance(name, str):
        raise _invalid("tools", "each tool must have a name or a type of its own")
    return name


def server_name(server: Mapping[str, Any]) -> str:
    """What a server of tools (Anthropic's ``mcp_servers``) is called where ceilings name it."""
    name = server.get("name")
    return f"mcp:{name}" if isinstance(name, str) else "mcp"


def _check_name(raw: str) -> None:
    folded = "".join(raw.split()).casefold().replace("-", "_").replace("_", "")
    name = _FOLDED.get(folded)
    if name is None:
        return
    if name in _UNREADABLE or name == raw == "enable_thinking":
        raise _invalid(
            raw, "a rule bounds what a call may ask for, and this field would say it once more"
        )
    raise _invalid(raw, f"a rule bounds what a call may ask for; write {name}")


def _whole(body: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[int]:
    for name in names:
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise _invalid(name, "it must be a whole number, and not negative")
        yield value


def _number(body: Mapping[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(name, "it must be a number")
    return float(value)


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _invalid(name, "it must be a string")


def _effort(body: Mapping[str, Any], budget: float | None) -> str | None:
    """The highest effort that is asked for in any way; thinking with a budget is one of them."""
    asked = [_text(body, name) for name in EFFORT]
    asked += [_text(_object(body, outer), inner) for outer, inner in EFFORT_WITHIN]
    named = [effort for effort in asked if effort is not None]
    # adaptive thinking, which has no budget, is steered by the effort that is named
    if budget and (budget < math.inf or not named):
        named.append(effort_of(budget))
    return max(named, key=effort_rank, default=None)


def effort_of(budget: float) -> str:
    """How much effort a budget of thinking tokens is."""
    return next((effort for effort, most in MOST_BUDGET.items() if budget <= most), "high")


def effort_rank(effort: str) -> int:
    """Where an effort stands among `EFFORTS`; one that is not known is above all."""
    return EFFORTS.index(effort) if effort in EFFORTS else len(EFFORTS)


def thinking_budgets(body: Mapping[str, Any]) -> list[float]:
    """Every budget of thinking that is named; infinite for thinking that names none."""
    budgets: list[float] = list(_whole(body, BUDGET))
    for outer, inner in BUDGET_WITHIN:
        budgets += _whole(_object(body, outer), (inner,))
    thinking = _object(body, "thinking")
    if thinking and thinking.get("type") != "disabled":
        # adaptive thinking has no bound of its own
        budgets.append(next(_whole(thinking, ("budget_tokens",)), math.inf))
    return budgets


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid(name, "it must be an object")
    return value


def _objects(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _invalid(name, "it must be a list of objects")
    return value


def _invalid(name: str, why: str) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, f"{name} cannot be used here: {why}.", param=name)
