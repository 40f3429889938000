"""What the mock provider answers, in OpenAI's shape."""

import json
from typing import Final

import orjson

PROVIDER_KEY: Final = "sk-of-the-company"
"""The mock refuses whoever does not bring it: the caller's token must have been swapped."""

EVENTS: Final = 100
PACE: Final = 0.005
"""Seconds between two events of a stream: 200 tokens a second, a fast model."""

COMPLETION: Final = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello! How can I help you today?"},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 57, "completion_tokens": 9, "total_tokens": 66},
    }
)


def event(number: int) -> bytes:
    """One event of a streamed answer."""
    word = {"content": f" word{number}"}
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "delta": word, "logprobs": None, "finish_reason": None}],
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


TEXT: Final = "".join(f" word{number}" for number in range(EVENTS))
"""What all events of a stream say together."""


def text_of(body: bytes) -> str:
    """What the events of a streamed answer say.

    Raises:
        ValueError: it is no such answer, or it does not end with ``[DONE]``.
    """
    *events, end = [line[6:] for line in body.splitlines() if line.startswith(b"data: ")] or [b""]
    if end != b"[DONE]":
        raise ValueError("the stream does not end with [DONE]")
    choices = [choice for event in events for choice in orjson.loads(event)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)
