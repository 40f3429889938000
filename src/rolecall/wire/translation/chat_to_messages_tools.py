"""Functions of Chat Completions as tools of Messages, and the choice among them.

Sources: the OpenAI API reference, ``tools``, ``tool_choice``, ``parallel_tool_calls``; Anthropic's
"Define tools".
"""

from collections.abc import Mapping
from typing import Any, Final

from rolecall.wire.translation.chat_to_messages_parts import cached
from rolecall.wire.translation.fields import (
    a_boolean,
    a_list,
    a_name,
    a_string,
    an_object,
    invalid,
)

_CHOICES: Final = {"none": "none", "auto": "auto", "required": "any"}
_NO_PARAMETERS: Final = {"type": "object", "properties": {}}


def tools(body: Mapping[str, Any]) -> dict[str, Any]:
    """``tools`` and ``tool_choice`` of the request, each where there is one.

    Raises:
        Refusal: for a tool or a choice that Anthropic cannot express, and for a choice that
            forces a call where there is nothing to call.
    """
    offered = a_list(body["tools"], "tools") if body.get("tools") is not None else []
    choice = _choice(body.get("tool_choice"))
    parallel = body.get("parallel_tool_calls")
    serial = parallel is not None and not a_boolean(parallel, "parallel_tool_calls")
    if not offered:
        if choice is not None and choice["type"] in ("any", "tool"):
            raise invalid("tool_choice", "tool_choice asks for a tool, but tools has none.")
        return {}
    if serial and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    request: dict[str, Any] = {
        "tools": [_tool(tool, f"tools[{place}]") for place, tool in enumerate(offered)]
    }
    if choice is not None:
        request["tool_choice"] = choice
    return request


def _tool(value: Any, path: str) -> dict[str, Any]:
    entry = an_object(value, path)
    if entry.get("type") != "function":
        raise invalid(f"{path}.type", f"{path}.type must be function to be sent to this model.")
    path = f"{path}.function"
    function = an_object(entry.get("function"), path)
    tool: dict[str, Any] = {"name": a_name(function.get("name"), f"{path}.name")}
    if function.get("description") is not None:
        tool["description"] = a_string(function["description"], f"{path}.description")
    parameters = function.get("parameters")
    schema = an_object(parameters, f"{path}.parameters") if parameters is not None else {}
    # Anthropic wants the type spelled out; a function's parameters are an object in any case
    tool["input_schema"] = {"type": "object", **schema} if schema else _NO_PARAMETERS
    strict = function.get("strict")
    if strict is not None and a_boolean(strict, f"{path}.strict"):
        tool["strict"] = True
    return cached(cached(tool, function, path), entry, path.removesuffix(".function"))


def _choice(value: Any) -> dict[str, Any] | None:
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _CHOICES:
            raise invalid("tool_choice", f"tool_choice must be one of {', '.join(_CHOICES)}.")
        return {"type": _CHOICES[value]}
    choice = an_object(value, "tool_choice")
    if choice.get("type") != "function":
        raise invalid("tool_choice.type", "tool_choice.type must be function for this model.")
    function = an_object(choice.get("function"), "tool_choice.function")
    return {"type": "tool", "name": a_name(function.get("name"), "tool_choice.function.name")}
