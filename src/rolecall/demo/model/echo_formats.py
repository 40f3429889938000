"""The two formats that the echo model speaks, as values: a call in, answers and events out.

Tokens are words here: a call's ``max_tokens`` cuts the echo after so many words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

CREATED: Final = 1_735_689_600
"""When the echo model was made, in seconds since 1970: a fixed date keeps answers the same."""

_ANSWER_ID: Final = "echo-1"


class BadCall(Exception):
    """The call's body is not what the format asks for; the message says what is."""


@dataclass(frozen=True, slots=True)
class Echo:
    """What is answered: the words with the white space behind them, and how they were counted."""

    model: str
    words: tuple[str, ...]
    cut: bool
    prompt_tokens: int
    stream: bool
    include_usage: bool

    @property
    def text(self) -> str:
        """The words in one piece."""
        return "".join(self.words)


class Format(Protocol):
    """One wire format: reading a call, and writing its answer or a refusal."""

    def read(self, body: Any) -> Echo:
        """Read a call's JSON; raises ``BadCall``."""

    def answer(self, echo: Echo) -> dict[str, Any]:
        """Write the whole answer."""

    def events(self, echo: Echo) -> Iterator[str]:
        """Write the answer as server-sent events, one word each."""

    def models(self, names: tuple[str, ...]) -> dict[str, Any]:
        """List models."""

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Write a refusal."""


class OpenAI:
    """Chat completions."""

    def read(self, body: Any) -> Echo:
        """Read ``model``, ``messages``, ``max_tokens`` and ``stream``."""
        fields = _object(body)
        limit = fields.get("max_completion_tokens")
        limit = fields.get("max_tokens") if limit is None else limit
        options = fields.get("stream_options") or {}
        usage = isinstance(options, dict) and options.get("include_usage") is True
        return _echo(fields, limit, prompt=[], include_usage=usage)

    def answer(self, echo: Echo) -> dict[str, Any]:
        """A ``chat.completion``."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": echo.text},
            "logprobs": None,
            "finish_reason": self._finish(echo),
        }
        head = self._head(echo, "chat.completion")
        return head | {"choices": [choice], "usage": self._usage(echo)}

    def events(self, echo: Echo) -> Iterator[str]:
        """``chat.completion.chunk`` events, and ``[DONE]``."""
        head = self._head(echo, "chat.completion.chunk")
        if echo.include_usage:
            head["usage"] = None

        def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return _event(head | {"choices": [choice]})

        yield chunk({"role": "assistant", "content": ""})
        for word in echo.words:
            yield chunk({"content": word})
        yield chunk({}, self._finish(echo))
        if echo.include_usage:
            yield _event(head | {"choices": [], "usage": self._usage(echo)})
        yield "data: [DONE]\n\n"

    def models(self, names: tuple[str, ...]) -> dict[str, Any]:
        """A ``list`` of ``model`` objects."""
        data = [
            {"id": name, "object": "model", "created": CREATED, "owned_by": "rolecall"}
            for name in names
        ]
        return {"object": "list", "data": data}

    def error(self, status: int, message: str) -> dict[str, Any]:
        """An ``error`` object."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    @staticmethod
    def _head(echo: Echo, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{_ANSWER_ID}",
            "object": kind,
            "created": CREATED,
            "model": echo.model,
        }

    @staticmethod
    def _finish(echo: Echo) -> str:
        return "length" if echo.cut else "stop"

    @staticmethod
    def _usage(echo: Echo) -> dict[str, int]:
        completion = len(echo.words)
        return {
            "prompt_tokens": echo.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": echo.prompt_tokens + completion,
        }


class Anthropic:
    """Messages."""

    def read(self, body: Any) -> Echo:
        """Read ``model``, ``system``, ``messages``, ``max_tokens`` (required) and ``stream``."""
        fields = _object(body)
        if fields.get("max_tokens") is None:
            raise BadCall("max_tokens: Field required")
        system = [_text(fields["system"])] if "system" in fields else []
        return _echo(fields, fields["max_tokens"], prompt=system, include_usage=True)

    def answer(self, echo: Echo) -> dict[str, Any]:
        """A ``message``."""
        return self._message(echo) | {
            "content": [{"type": "text", "text": echo.text}],
            "stop_reason": self._stop(echo),
            "usage": self._usage(echo, len(echo.words)),
        }

    def events(self, echo: Echo) -> Iterator[str]:
        """From ``message_start`` to ``message_stop``."""
        yield _named("message_start", message=self._message(echo))
        yield _named("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield _named("ping")
        for word in echo.words:
            delta = {"type": "text_delta", "text": word}
            yield _named("content_block_delta", index=0, delta=delta)
        yield _named("content_block_stop", index=0)
        yield _named(
            "message_delta",
            delta={"stop_reason": self._stop(echo), "stop_sequence": None},
            usage={"output_tokens": len(echo.words)},
        )
        yield _named("message_stop")

    def models(self, names: tuple[str, ...]) -> dict[str, Any]:
        """One page that holds them all."""
        data = [
            {
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": "2025-01-01T00:00:00Z",
            }
            for name in names
        ]
        return {"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}

    def error(self, status: int, message: str) -> dict[str, Any]:
        """An ``error`` object in an ``error`` envelope."""
        kinds = {404: "not_found_error", 413: "request_too_large"}
        kind = kinds.get(status, "invalid_request_error" if status < 500 else "api_error")
        error = {"type": kind, "message": message}
        return {"type": "error", "error": error, "request_id": f"req_{_ANSWER_ID}"}

    @classmethod
    def _message(cls, echo: Echo) -> dict[str, Any]:
        return {
            "id": f"msg_{_ANSWER_ID}",
            "type": "message",
            "role": "assistant",
            "model": echo.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": cls._usage(echo, 0),
        }

    @staticmethod
    def _stop(echo: Echo) -> str:
        return "max_tokens" if echo.cut else "end_turn"

    @staticmethod
    def _usage(echo: Echo, output: int) -> dict[str, int]:
        return {"input_tokens": echo.prompt_tokens, "output_tokens": output}


def _object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadCall("The body must be a JSON object.")
    return body


def _echo(fields: dict[str, Any], limit: Any, *, prompt: list[str], include_usage: bool) -> Echo:
    model, messages = fields.get("model"), fields.get("messages")
    if not isinstance(model, str) or not model:
        raise BadCall("model must be a string that is not empty.")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise BadCall("messages must be a list of objects.")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise BadCall("max_tokens must be a whole number from 1.")
    asked = [_text(each.get("content")) for each in messages if each.get("role") == "user"]
    if not asked:
        raise BadCall("messages must hold a message of the user.")
    everything = prompt + [_text(each.get("content")) for each in messages]
    words = re.findall(r"\s*\S+\s*|\s+", asked[-1])
    return Echo(
        model=model,
        words=tuple(words[:limit]),
        cut=limit is not None and len(words) > limit,
        prompt_tokens=sum(len(text.split()) for text in everything),
        stream=fields.get("stream") is True,
        include_usage=include_usage,
    )


def _text(content: Any) -> str:
    """Join a message's text: a string, or parts of which those with text count."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise BadCall("content must be a string or a list of parts.")
    texts = [part.get("text") for part in content if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise BadCall("The text of a text part must be a string.")
    return " ".join(str(text) for text in texts)


def _event(data: dict[str, Any]) -> str:
    return f"data: {orjson.dumps(data).decode()}\n\n"


def _named(kind: str, **fields: Any) -> str:
    return f"event: {kind}\n{_event({'type': kind} | fields)}"
