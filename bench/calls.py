"""What the callers ask: the bodies of the requests."""

import json
from dataclasses import dataclass
from typing import Any, Final

PATH: Final = "/v1/chat/completions"
ALLOWED: Final = "gpt-4o-mini"
DENIED: Final = "gpt-4o"
LARGE: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One request, and the status that is right for it."""

    body: bytes
    status: int = 200


def _body(model: str, messages: list[dict[str, str]], **more: Any) -> bytes:
    return json.dumps({"model": model, "messages": messages, **more}).encode()


_MESSAGES: Final = [
    {"role": "system", "content": "You are a helpful assistant of the company. Answer briefly."},
    {
        "role": "user",
        "content": "What does our travel policy say about trains? I have to be in Lyon on Monday,"
        " and the flight leaves at six in the morning.",
    },
]
_SAMPLING: Final = {"temperature": 0.2, "max_tokens": 256, "top_p": 0.9}


def _large() -> bytes:
    # a long conversation: text with line breaks and quotation marks, as it is in practice
    turn = 'He said "the train is late",\nand the meeting was moved to Tuesday.\n\n' * 40
    messages: list[dict[str, str]] = list(_MESSAGES)
    while len(_body(ALLOWED, messages, **_SAMPLING)) < LARGE:
        role = "assistant" if len(messages) % 2 else "user"
        messages.append({"role": role, "content": turn})
    return _body(ALLOWED, messages, **_SAMPLING)


CHAT: Final = Call(_body(ALLOWED, _MESSAGES, **_SAMPLING))
STREAM: Final = Call(_body(ALLOWED, _MESSAGES, **_SAMPLING, stream=True))
FORBIDDEN: Final = Call(_body(DENIED, _MESSAGES, **_SAMPLING), 403)
LONG: Final = Call(_large())
