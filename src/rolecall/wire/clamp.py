"""A body is lowered to ceilings: what is forwarded is what was authorised."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from rolecall.config.globs import matches
from rolecall.core import Ceilings, Excess
from rolecall.wire.clamp_thinking import lower_effort, lower_thinking
from rolecall.wire.parameters import ANSWERS, MAX_TOKENS, SEARCH, TOOLS, server_name, tool_name

_MAX_TOKENS_OF: Final = {"chat": "max_completion_tokens", "responses": "max_output_tokens"}


def clamp(
    body: dict[str, Any], endpoint: str, ceilings: Ceilings, exceeded: tuple[Excess, ...]
) -> None:
    """Lower what a body asks for, in place, to what is allowed.

    Args:
        body: the parsed body, whose parameters could be read.
        endpoint: the endpoint's name.
        ceilings: the ceilings of the rule that allows the call.
        exceeded: those of them that the body exceeds.
    """
    for excess in exceeded:
        match excess.parameter:
            case "max_tokens" if ceilings.max_tokens is not None:
                _lower_max_tokens(body, endpoint, ceilings.max_tokens)
            case "n" if ceilings.n is not None:
                _lower(body, ANSWERS, ceilings.n)
            case "reasoning_effort" if ceilings.reasoning_effort is not None:
                lower_effort(body, ceilings.reasoning_effort)
            case "thinking_budget" if ceilings.thinking_budget is not None:
                _lower_thinking(body, ceilings.thinking_budget, ceilings.reasoning_effort)
            case "tools" if ceilings.tools is not None:
                _keep_tools(body, partial(_is_one_of, ceilings.tools))
            case "web_search":
                _stop_searching(body)
            case "service_tier" if ceilings.service_tier is not None:
                body["service_tier"] = ceilings.service_tier[0]
            case "temperature" if ceilings.temperature is not None:
                low, high = ceilings.temperature
                body["temperature"] = min(max(body["temperature"], low), high)
            case _:
                raise ValueError(f"{excess.parameter} cannot be lowered")


def _lower(body: dict[str, Any], names: tuple[str, ...], most: int) -> None:
    for name in names:
        if body.get(name) is not None:
            body[name] = min(body[name], most)


def _lower_max_tokens(body: dict[str, Any], endpoint: str, most: int) -> None:
    _lower(body, MAX_TOKENS, most)
    if all(body.get(name) is None for name in MAX_TOKENS):
        body[_MAX_TOKENS_OF.get(endpoint, "max_tokens")] = most
    thinking = body.get("thinking")
    # what is thought counts against max_tokens, and must be less of it
    if isinstance(thinking, dict) and thinking.get("budget_tokens", 0) >= most:
        lower_thinking(body, most - 1)


def _lower_thinking(body: dict[str, Any], most: int, effort: str | None) -> None:
    lower_thinking(body, most)
    if effort is not None:
        # adaptive thinking, which an effort steers, has become a budget beside it
        lower_effort(body, effort)


def _is_one_of(patterns: tuple[str, ...], name: str) -> bool:
    return any(matches(pattern, name) for pattern in patterns)


def _stop_searching(body: dict[str, Any]) -> None:
    for name in SEARCH:
        body.pop(name, None)
    _keep_tools(body, lambda name: not name.startswith("web_search"))


def _keep_tools(body: dict[str, Any], keep: Callable[[str], bool]) -> None:
    """Take tools out, and what would force one of them."""
    for field, name_of in (*((field, tool_name) for field in TOOLS), ("mcp_servers", server_name)):
        if body.get(field) is None:
            continue
        body[field] = [tool for tool in body[field] if keep(name_of(tool))]
        if not body[field]:
            del body[field]
    for field in ("tool_choice", "function_call"):
        choice = body.get(field)
        forced = tool_name(choice) if isinstance(choice, dict) and _names_one(choice) else None
        if not any(name in body for name in TOOLS) or (forced is not None and not keep(forced)):
            body.pop(field, None)
    if "tools" not in body:
        body.pop("parallel_tool_calls", None)


def _names_one(choice: dict[str, Any]) -> bool:
    """Whether a choice of tools forces one: OpenAI's and Anthropic's shapes."""
    return choice.get("type") in {"function", "custom"} or "name" in choice
