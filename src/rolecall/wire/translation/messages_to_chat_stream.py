"""A streamed answer of Anthropic's Messages as chunks of OpenAI's Chat Completions.

Sources: Anthropic's "Streaming messages"; the OpenAI API reference, "The chat completion chunk
object".
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from rolecall.core import Refusal
from rolecall.wire import sse, strict_json
from rolecall.wire.translation.contract import UpstreamFormatError
from rolecall.wire.translation.messages_to_chat_answer import (
    completion_id,
    expect,
    finish_reason,
    signed_thought,
    token_usage,
)
from rolecall.wire.translation.messages_to_chat_error import error_json

_FIRST: Final = {"role": "assistant", "content": "", "refusal": None}


@dataclass(slots=True)
class _Block:
    """One content block between its start and its stop."""

    kind: str
    start: dict[str, Any]
    call: int = 0
    parts: list[str] = field(default_factory=list)
    signature: str = ""


class MessagesToChatStream:
    """Writes chunks while Anthropic's events come in.

    Args:
        created: seconds since the epoch.
        include_usage: whether a chunk with the token usage ends the stream.
    """

    def __init__(self, *, created: int, include_usage: bool) -> None:
        self._created = created
        self._include_usage = include_usage
        self._decoder = sse.Decoder()
        self._out: list[bytes] = []
        self._head = b""
        self._usage: dict[str, Any] = {}
        self._stop_reason: Any = None
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._reading = True
        self._complete = False

    def feed(self, data: bytes) -> bytes:
        """See ``StreamTranslation.feed``."""
        if not self._reading:
            return b""
        try:
            for event in self._decoder.feed(data):
                self._event(event)
                if self._complete:
                    break
        except sse.EventTooLargeError as error:
            self._reading = False
            raise UpstreamFormatError(str(error)) from None
        except UpstreamFormatError:
            self._reading = False
            raise
        return self._take()

    def end(self) -> bytes:
        """See ``StreamTranslation.end``."""
        if not self._complete:
            self._error(None)
        return self._take()

    def _take(self) -> bytes:
        out = b"".join(self._out)
        self._out.clear()
        return out

    def _event(self, event: sse.Event) -> None:
        if event.event == "ping":
            return
        try:
            body = strict_json.loads(event.data)
        except Refusal as refusal:
            raise UpstreamFormatError(f"An event is not JSON: {refusal.message}") from None
        kind = expect(body, dict, "an event").get("type")
        # new kinds of events may come at any time ("Streaming messages", "Other events")
        handler = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            return
        if not self._head and kind not in ("message_start", "error"):
            raise UpstreamFormatError(f"{kind} came before message_start.")
        handler(self, body)

    def _message_start(self, body: dict[str, Any]) -> None:
        if self._head:
            raise UpstreamFormatError("message_start came twice.")
        message = expect(body.get("message"), dict, "message")
        self._usage = expect(message.get("usage"), dict, "usage")
        envelope = strict_json.dumps(
            {
                "id": completion_id(message),
                "object": "chat.completion.chunk",
                "created": self._created,
                "model": expect(message.get("model"), str, "model"),
            }
        )
        # every chunk begins alike, so the beginning is written once
        self._head = envelope[:-1] + b',"choices":['
        self._chunk(_FIRST)

    def _block_start(self, body: dict[str, Any]) -> None:
        start = expect(body.get("content_block"), dict, "content_block")
        kind = expect(start.get("type"), str, "content_block.type")
        block = _Block(kind, start)
        self._blocks[expect(body.get("index"), int, "index")] = block
        if kind == "text":
            self._text("content", start.get("text", ""))
        elif kind == "thinking":
            self._think(block, start.get("thinking", ""))
        elif kind == "tool_use":
            block.call = self._calls
            self._calls += 1
            name = expect(start.get("name"), str, "content_block.name")
            call = {
                "index": block.call,
                "id": expect(start.get("id"), str, "content_block.id"),
                "type": "function",
                "function": {"name": name, "arguments": ""},
            }
            self._chunk({"tool_calls": [call]})

    def _delta(self, body: dict[str, Any]) -> None:
        block = self._blocks.get(expect(body.get("index"), int, "index"))
        if block is None:
            raise UpstreamFormatError("content_block_delta came for a block that is not open.")
        delta = expect(body.get("delta"), dict, "delta")
        kind = (block.kind, delta.get("type"))
        if kind == ("text", "text_delta"):
            self._text("content", delta.get("text"))
        elif kind == ("tool_use", "input_json_delta"):
            self._arguments(block, expect(delta.get("partial_json"), str, "delta.partial_json"))
        elif kind == ("thinking", "thinking_delta"):
            self._think(block, delta.get("thinking"))
        elif kind == ("thinking", "signature_delta"):
            block.signature = expect(delta.get("signature"), str, "delta.signature")

    def _block_stop(self, body: dict[str, Any]) -> None:
        block = self._blocks.pop(expect(body.get("index"), int, "index"), None)
        if block is None:
            raise UpstreamFormatError("content_block_stop came for a block that is not open.")
        self._close(block)

    def _close(self, block: _Block) -> None:
        if block.kind == "tool_use" and not block.parts:
            # an empty input comes as no fragment, or as an empty one, which is no JSON
            start = expect(block.start.get("input", {}), dict, "content_block.input")
            self._arguments(block, strict_json.dumps(start).decode())
        elif block.kind == "thinking":
            thought = signed_thought("".join(block.parts), block.signature)
            if thought:
                self._chunk({"thinking_blocks": thought})
        elif block.kind == "redacted_thinking":
            data = block.start.get("data")
            self._chunk({"thinking_blocks": [{"type": block.kind, "data": data}]})

    def _message_delta(self, body: dict[str, Any]) -> None:
        delta = expect(body.get("delta"), dict, "delta")
        self._stop_reason = delta.get("stop_reason") or self._stop_reason
        # the counts are cumulative, and null where they did not change
        counts = expect(body.get("usage", {}), dict, "usage")
        self._usage |= {name: count for name, count in counts.items() if count is not None}

    def _message_stop(self, _: dict[str, Any]) -> None:
        for block in self._blocks.values():
            self._close(block)
        usage = token_usage(self._usage)
        self._chunk({}, finish_reason(self._stop_reason))
        if self._include_usage:
            self._write(self._head + b'],"usage":' + strict_json.dumps(usage) + b"}")
        self._write(b"[DONE]")
        self._finish()

    def _error(self, body: dict[str, Any] | None) -> None:
        """Anthropic's error, or ours where the stream ends too early; never followed by DONE."""
        message = "The upstream's answer broke off before it was complete."
        self._write(error_json(body, message=message))
        self._finish()

    def _finish(self) -> None:
        self._complete = True
        self._reading = False

    def _text(self, name: str, value: Any) -> None:
        if expect(value, str, "a text"):
            self._chunk({name: value})

    def _think(self, block: _Block, value: Any) -> None:
        self._text("reasoning_content", value)
        block.parts.append(value)

    def _arguments(self, block: _Block, fragment: str) -> None:
        if fragment:
            block.parts.append(fragment)
            call = {"index": block.call, "function": {"arguments": fragment}}
            self._chunk({"tool_calls": [call]})

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        tail = b'],"usage":null}' if self._include_usage else b"]}"
        self._write(self._head + strict_json.dumps(choice) + tail)

    def _write(self, data: bytes) -> None:
        self._out.append(sse.encode_data(data))

    _HANDLERS: ClassVar[dict[str, Callable[[Any, dict[str, Any]], None]]] = {
        "content_block_delta": _delta,
        "content_block_start": _block_start,
        "content_block_stop": _block_stop,
        "message_start": _message_start,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "error": _error,
    }
