"""An answer of Anthropic's Messages as a completion of OpenAI's Chat Completions.

Sources: Anthropic's "Create a Message" and "Handling stop reasons"; the OpenAI API reference, "The
chat completion object". ``reasoning_content`` and ``thinking_blocks`` are the names under which
other gateways give thoughts, as a text to show and as signed blocks to hand back.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from rolecall.wire import strict_json
from rolecall.wire.translation.contract import UpstreamFormatError

T = TypeVar("T")

_FINISH_REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def completion(body: Any, *, created: int) -> dict[str, Any]:
    """The completion for a parsed message.

    Args:
        body: Anthropic's message.
        created: seconds since the epoch.

    Raises:
        UpstreamFormatError: for a body that is no message.
    """
    message = expect(body, dict, "the answer")
    return {
        "id": completion_id(message),
        "object": "chat.completion",
        "created": created,
        "model": expect(message.get("model"), str, "model"),
        "choices": [
            {
                "index": 0,
                "message": _message(expect(message.get("content"), list, "content")),
                "logprobs": None,
                "finish_reason": finish_reason(message.get("stop_reason")),
            }
        ],
        "usage": token_usage(expect(message.get("usage"), dict, "usage")),
    }


def _message(blocks: list[Any]) -> dict[str, Any]:
    texts: list[str] = []
    thoughts: list[str] = []
    signed: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []
    for place, item in enumerate(blocks):
        where = f"content[{place}]"
        block = expect(item, dict, where)
        kind = block.get("type")
        if kind == "text":
            texts.append(expect(block.get("text"), str, f"{where}.text"))
        elif kind == "tool_use":
            calls.append(_call(block, where))
        elif kind == "thinking":
            thoughts.append(expect(block.get("thinking"), str, f"{where}.thinking"))
            signed += signed_thought(thoughts[-1], block.get("signature"))
        elif kind == "redacted_thinking":
            signed.append({"type": kind, "data": block.get("data")})
        # what Anthropic's own tools did on its side has no place in a completion
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if calls and not texts else "".join(texts),
        "refusal": None,
    }
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if signed:
        message["thinking_blocks"] = signed
    if calls:
        message["tool_calls"] = calls
    return message


def _call(block: dict[str, Any], where: str) -> dict[str, Any]:
    arguments = expect(block.get("input"), dict, f"{where}.input")
    return {
        "id": expect(block.get("id"), str, f"{where}.id"),
        "type": "function",
        "function": {
            "name": expect(block.get("name"), str, f"{where}.name"),
            "arguments": strict_json.dumps(arguments).decode(),
        },
    }


def signed_thought(thought: str, signature: Any) -> list[dict[str, Any]]:
    """The thought as a block that can be handed back; none without a signature."""
    if not isinstance(signature, str) or not signature:
        return []
    return [{"type": "thinking", "thinking": thought, "signature": signature}]


def completion_id(message: Mapping[str, Any]) -> str:
    """OpenAI's form of the message's ID, from which Anthropic's can be read again."""
    return "chatcmpl-" + expect(message.get("id"), str, "id").removeprefix("msg_")


def finish_reason(stop_reason: Any) -> str:
    """OpenAI's word for why the model stopped; ``stop`` for a reason that is not known."""
    return _FINISH_REASONS.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def token_usage(counts: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's usage in tokens; Anthropic counts what a cache gave or took beside the input."""
    read = _count(counts, "cache_read_input_tokens")
    written = _count(counts, "cache_creation_input_tokens")
    prompt = _count(counts, "input_tokens") + read + written
    output = _count(counts, "output_tokens")
    usage: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
    }
    details = counts.get("output_tokens_details")
    if details is not None:
        thought = _count(expect(details, dict, "output_tokens_details"), "thinking_tokens")
        usage["completion_tokens_details"] = {"reasoning_tokens": thought}
    return usage


def _count(counts: Mapping[str, Any], name: str) -> int:
    value = counts.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UpstreamFormatError(f"{name} is not a number of tokens.")
    return value


def expect(value: Any, kind: type[T], where: str) -> T:
    """The value, if it is of the type that the upstream's format says.

    Raises:
        UpstreamFormatError: naming the place, never the content.
    """
    if not isinstance(value, kind):
        raise UpstreamFormatError(f"{where} is not of type {kind.__name__}.")
    return value
