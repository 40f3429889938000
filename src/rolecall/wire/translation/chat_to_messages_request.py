"""A request of OpenAI's Chat Completions as one of Anthropic's Messages.

What Anthropic cannot express and what would change the answer is refused, never dropped in
silence; what is only for OpenAI's own housekeeping is left out; a field that neither list knows is
forwarded as it is, so that Anthropic's own (``top_k``, ``thinking``, ``cache_control``) work.

Sources: the OpenAI API reference, "Create chat completion"; Anthropic's "Create a Message".
"""

from collections.abc import Mapping
from typing import Any, Final

from rolecall.wire.translation.chat_to_messages_format import output_format
from rolecall.wire.translation.chat_to_messages_thinking import (
    DEFAULT_MAX_TOKENS_WITH_THINKING,
    thinking,
    wants_thinking,
)
from rolecall.wire.translation.chat_to_messages_tools import tools
from rolecall.wire.translation.chat_to_messages_turns import conversation
from rolecall.wire.translation.fields import (
    a_boolean,
    a_fraction,
    a_list,
    a_positive_integer,
    a_string,
    an_object,
    invalid,
    one_of,
)

ANTHROPIC_VERSION: Final = "2023-06-01"
"""The ``anthropic-version`` that these requests are for: 2026-10-21 has no sampling parameters."""

DEFAULT_MAX_TOKENS: Final = 4096
"""Tokens; Anthropic demands a limit, and this is the most that every Claude accepts."""

_ONLY_DEFAULT: Final[Mapping[str, Any]] = {
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "logit_bias": {},
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "seed": None,
    "audio": None,
    "modalities": ["text"],
    "verbosity": "medium",
    "web_search_options": None,
    "moderation": None,
    "functions": [],
    "function_call": "none",
}
"""What Anthropic cannot express, with the one value besides null that asks for nothing."""

_LEFT_OUT: Final = frozenset(
    {
        "metadata",
        "prediction",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "store",
    }
)
"""What changes neither the answer nor who it is for: labels, storage and caching at OpenAI."""

_TRANSLATED: Final = frozenset(
    {
        "max_completion_tokens",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "user",
    }
)
_KNOWN: Final = _TRANSLATED | _LEFT_OUT | _ONLY_DEFAULT.keys()
_SERVICE_TIERS: Final = {"auto": "auto", "default": "standard_only"}


def chat_to_messages(body: Mapping[str, Any], *, model: str) -> dict[str, Any]:
    """The request to Anthropic; the body is not changed.

    Args:
        body: a parsed request of Chat Completions.
        model: the model's name at the upstream.

    Raises:
        Refusal: ``invalid_request`` with the path of the field that is malformed, or that
            Anthropic cannot express.
    """
    for name, default in _ONLY_DEFAULT.items():
        _refuse_unless_default(name, body.get(name), default)
    system, turns = conversation(body.get("messages"))
    request: dict[str, Any] = {
        "model": model,
        "max_tokens": _max_tokens(body),
        "messages": turns,
    }
    if system:
        request["system"] = system
    request |= _sampling(body) | tools(body) | _identity(body) | _stream(body)
    request |= thinking(body.get("reasoning_effort"), request)
    wanted = output_format(body.get("response_format"))
    if wanted is not None:
        request["output_config"] = {**request.get("output_config", {}), "format": wanted}
    return request | _forwarded(body, request)


def _refuse_unless_default(name: str, value: Any, default: Any) -> None:
    # to Python, true is 1 and false is 0; to JSON they are not
    same = value == default and isinstance(value, bool) == isinstance(default, bool)
    if value is None or same:
        return
    raise invalid(name, f"{name} cannot be expressed for this model; leave it out.")


def _max_tokens(body: Mapping[str, Any]) -> int:
    limits = {
        name: a_positive_integer(body[name], name)
        for name in ("max_completion_tokens", "max_tokens")
        if body.get(name) is not None
    }
    if len(set(limits.values())) > 1:
        raise invalid("max_tokens", "max_tokens and max_completion_tokens differ; send one.")
    if limits:
        return next(iter(limits.values()))
    if wants_thinking(body.get("reasoning_effort")):
        return DEFAULT_MAX_TOKENS_WITH_THINKING
    return DEFAULT_MAX_TOKENS


def _sampling(body: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {}
    for name in ("temperature", "top_p"):
        if body.get(name) is not None:
            request[name] = a_fraction(body[name], name)
    stop = body.get("stop")
    if stop is None or stop == []:
        return request
    sequences = [stop] if isinstance(stop, str) else a_list(stop, "stop")
    for place, sequence in enumerate(sequences):
        path = "stop" if isinstance(stop, str) else f"stop[{place}]"
        if not a_string(sequence, path).strip():
            raise invalid(path, f"{path} must hold more than white space for this model.")
    request["stop_sequences"] = sequences
    return request


def _identity(body: Mapping[str, Any]) -> dict[str, Any]:
    """Who asks and at which tier; ``safety_identifier`` is OpenAI's successor of ``user``."""
    request: dict[str, Any] = {}
    for name in ("user", "safety_identifier"):
        if body.get(name) is not None:
            request["metadata"] = {"user_id": a_string(body[name], name)}
    if body.get("service_tier") is not None:
        tier = one_of(body["service_tier"], "service_tier", tuple(_SERVICE_TIERS))
        request["service_tier"] = _SERVICE_TIERS[tier]
    return request


def _stream(body: Mapping[str, Any]) -> dict[str, Any]:
    includes_usage(body)
    if body.get("stream") is None:
        return {}
    return {"stream": a_boolean(body["stream"], "stream")}


def includes_usage(body: Mapping[str, Any]) -> bool:
    """Whether the caller wants the chunk with the token usage at the end of a stream.

    Raises:
        Refusal: for ``stream_options`` of the wrong type.
    """
    if body.get("stream_options") is None:
        return False
    options = an_object(body["stream_options"], "stream_options")
    wanted = options.get("include_usage")
    return wanted is not None and a_boolean(wanted, "stream_options.include_usage")


def _forwarded(body: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in body.items() if name not in _KNOWN}
    for name in fields:
        if name in request:
            raise invalid(name, f"{name} is already given by another field; send one of the two.")
    return fields
