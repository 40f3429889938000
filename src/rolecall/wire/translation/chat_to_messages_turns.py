"""The conversation of Chat Completions as Anthropic's system prompt and turns.

System and developer messages all go to the system prompt, in their order, also those that stand
later in the conversation: only some models take a system turn, and Anthropic's own OpenAI
compatibility does the same. Consecutive tool messages are one user turn, because every result of
an assistant's turn must stand in the next one.
"""

from typing import Any, Final

from rolecall.core import Refusal
from rolecall.wire import strict_json
from rolecall.wire.translation.chat_to_messages_parts import Block, cached, text_blocks
from rolecall.wire.translation.fields import a_list, a_name, a_string, an_object, invalid

Turn = dict[str, Any]

_THINKING: Final = {"thinking": ("thinking", "signature"), "redacted_thinking": ("data",)}


def conversation(messages: Any) -> tuple[list[Block], list[Turn]]:
    """The blocks of the system prompt, and the turns.

    Raises:
        Refusal: for a message that Anthropic cannot be given, and where no turn remains.
    """
    system: list[Block] = []
    turns: list[Turn] = []
    results: list[Block] | None = None
    for place, value in enumerate(a_list(messages, "messages")):
        path = f"messages[{place}]"
        message = an_object(value, path)
        role = message.get("role")
        if role in ("system", "developer"):
            system += _marked(text_blocks(message.get("content"), f"{path}.content"), message, path)
        elif role == "tool":
            if results is None:
                results = []
                turns.append({"role": "user", "content": results})
            results.append(_tool_result(message, path))
        else:
            results = None
            turns += _turn(role, message, path)
    if not turns:
        raise invalid("messages", "messages must hold something that a user said.")
    return system, turns


def _turn(role: Any, message: Turn, path: str) -> list[Turn]:
    if role == "user":
        blocks = text_blocks(message.get("content"), f"{path}.content", "image_url", "file")
        if not blocks:
            raise invalid(f"{path}.content", f"{path}.content is empty; this model needs words.")
    elif role == "assistant":
        blocks = _assistant(message, path)
    elif role == "function":
        raise invalid(f"{path}.role", "Function messages cannot be translated; use role tool.")
    else:
        raise invalid(
            f"{path}.role", f"{path}.role must be system, developer, user, assistant or tool."
        )
    # an assistant who said nothing adds no turn, and Anthropic refuses an empty one
    return [{"role": role, "content": _marked(blocks, message, path)}] if blocks else []


def _marked(blocks: list[Block], message: Turn, path: str) -> list[Block]:
    """A cache mark on a message means: up to its end."""
    if blocks:
        cached(blocks[-1], message, path)
    return blocks


def _tool_result(message: Turn, path: str) -> Block:
    result: Block = {
        "type": "tool_result",
        "tool_use_id": a_name(message.get("tool_call_id"), f"{path}.tool_call_id"),
    }
    content = text_blocks(message.get("content"), f"{path}.content", "image_url", "file")
    if isinstance(message["content"], str) and content:
        result["content"] = message["content"]
    elif content:
        result["content"] = content
    return cached(result, message, path)


def _assistant(message: Turn, path: str) -> list[Block]:
    for name in ("function_call", "audio"):
        if message.get(name) is not None:
            raise invalid(f"{path}.{name}", f"{path}.{name} cannot be translated; leave it out.")
    blocks = _thinking(message.get("thinking_blocks"), f"{path}.thinking_blocks")
    if message.get("content") is not None:
        blocks += text_blocks(message["content"], f"{path}.content", "refusal")
    if message.get("refusal") is not None:
        refusal = a_string(message["refusal"], f"{path}.refusal")
        blocks += text_blocks(refusal, f"{path}.refusal")
    if message.get("tool_calls") is not None:
        calls = a_list(message["tool_calls"], f"{path}.tool_calls")
        blocks += [_tool_use(call, f"{path}.tool_calls[{n}]") for n, call in enumerate(calls)]
    return blocks


def _thinking(value: Any, path: str) -> list[Block]:
    """Thoughts that a caller hands back signed, as our answers gave them."""
    blocks: list[Block] = []
    for place, item in enumerate(a_list(value, path) if value is not None else ()):
        where = f"{path}[{place}]"
        block = an_object(item, where)
        kind = a_string(block.get("type"), f"{where}.type")
        if kind not in _THINKING:
            raise invalid(f"{where}.type", f"{where}.type must be one of {', '.join(_THINKING)}.")
        fields = {name: a_string(block.get(name), f"{where}.{name}") for name in _THINKING[kind]}
        blocks.append({"type": kind, **fields})
    return blocks


def _tool_use(value: Any, path: str) -> Block:
    call = an_object(value, path)
    if call.get("type") != "function":
        raise invalid(f"{path}.type", f"{path}.type must be function.")
    function = an_object(call.get("function"), f"{path}.function")
    arguments = a_string(function.get("arguments"), f"{path}.function.arguments")
    return cached(
        {
            "type": "tool_use",
            "id": a_name(call.get("id"), f"{path}.id"),
            "name": a_name(function.get("name"), f"{path}.function.name"),
            "input": _input(arguments, f"{path}.function.arguments"),
        },
        call,
        path,
    )


def _input(arguments: str, path: str) -> Any:
    # models call a function without parameters with "" as often as with "{}"
    if not arguments.strip():
        return {}
    try:
        value = strict_json.loads(arguments.encode("utf-8", "surrogatepass"))
    except Refusal as refusal:
        raise invalid(path, f"{path}: {refusal.message}") from None
    if not isinstance(value, dict):
        raise invalid(path, f"{path} must be the JSON of an object.")
    return value
