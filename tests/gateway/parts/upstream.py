"""An upstream of our own: it records what it receives and answers byte for byte as it is told."""

import asyncio
import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from .polling import SECONDS

OPENAI_ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1764000000,
    "model": "upstream-gpt-2026",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello, Zoë 👋", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    "a_field_of_tomorrow": 1e2,
}
ANTHROPIC_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "upstream-claude-2026",
    "content": [{"type": "text", "text": "Hello, Zoë 👋"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 3},
    "a_field_of_tomorrow": 1e2,
}


def _chunk(**fields):
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1764000000,
        "model": "upstream-gpt-2026",
        "choices": [{"index": 0, "finish_reason": None, **fields}],
    }
    return b"data: %s\n\n" % json.dumps(chunk).encode()


def _event(**data):
    return b"event: %s\ndata: %s\n\n" % (data["type"].encode(), json.dumps(data).encode())


OPENAI_EVENTS = (
    _chunk(delta={"role": "assistant", "content": ""}),
    _chunk(delta={"content": "Hel"}),
    _chunk(delta={"content": "lo"}),
    _chunk(delta={}, finish_reason="stop"),
    b"data: [DONE]\n\n",
)
ANTHROPIC_EVENTS = (
    _event(type="message_start", message=ANTHROPIC_ANSWER | {"content": [], "stop_reason": None}),
    _event(type="content_block_start", index=0, content_block={"type": "text", "text": ""}),
    _event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"}),
    _event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "lo"}),
    _event(type="content_block_stop", index=0),
    _event(
        type="message_delta",
        delta={"stop_reason": "end_turn", "stop_sequence": None},
        usage={"output_tokens": 3},
    ),
    _event(type="message_stop"),
)


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        """All values of a header, names in any case."""
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def names(self):
        return {name.lower() for name, _ in self.headers}


class Wire:
    """The connection that an answer is written to."""

    def __init__(self, reader, writer, upstream):
        self._reader = reader
        self._writer = writer
        self._upstream = upstream

    async def write(self, data):
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status, *headers):
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
        await self.write("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def chunk(self, data):
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def whole(self, status, body, *headers):
        await self.head(status, ("Content-Length", len(body)), *headers)
        await self.write(body)

    async def events(self, *events):
        """Begin a stream; it is not ended."""
        head = [("Content-Type", "text/event-stream; charset=utf-8")]
        await self.head(200, *head, ("Transfer-Encoding", "chunked"))
        for event in events:
            await self.chunk(event)

    async def until_the_caller_hangs_up(self):
        self._upstream.stalled.set()
        while await self._reader.read(65536):
            pass
        self.abandon()

    async def pause(self):
        """Be slow."""
        self._upstream.stalled.set()
        await asyncio.sleep(0.02)

    def abandon(self):
        """The caller has hung up."""
        self._upstream.abandoned.set()

    def reset(self):
        """Break the connection off."""
        self._writer.transport.abort()


class Upstream:
    """The server. ``answer`` is what it does with a request; every test may set its own."""

    def __init__(self):
        self.port = 0
        self.received = []
        self.stalled = threading.Event()
        self.abandoned = threading.Event()
        self.answer = answer_well
        self._loop = asyncio.new_event_loop()

    def forget(self):
        """Be as new."""
        self.received.clear()
        self.stalled.clear()
        self.abandoned.clear()
        self.answer = answer_well

    def gate(self):
        """Something that an answer can ``await gate.wait()`` for, and a test ``open``."""
        return Gate(self._loop)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self):
        assert len(self.received) == 1, f"{len(self.received)} requests came, not one"
        return self.received[0]

    async def _serve(self, reader, writer):
        try:
            await self._answer_all(reader, writer)
        finally:
            writer.close()

    async def _answer_all(self, reader, writer):
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head[:-4].decode("latin-1").split("\r\n")
                method, target, _ = first.split(" ")
                headers = tuple(tuple(line.split(": ", 1)) for line in lines)
                length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
                body = await reader.readexactly(length)
                received = Received(method, target, headers, body)
                self.received.append(received)
                await self._say(received, Wire(reader, writer, self))

    async def _say(self, received, wire):
        try:
            await self.answer(received, wire)
        except ConnectionError:
            # the caller hung up before everything was said
            wire.abandon()
            raise


class Gate:
    def __init__(self, loop):
        self._loop = loop
        self._event = asyncio.Event()

    async def wait(self):
        await self._event.wait()

    def open(self):
        self._loop.call_soon_threadsafe(self._event.set)


async def answer_well(received, wire):
    """What a vendor answers when all is well."""
    openai = received.target.split("?")[0].endswith("/chat/completions")
    if received.json.get("stream"):
        await wire.events(*(OPENAI_EVENTS if openai else ANTHROPIC_EVENTS))
        await wire.write(b"0\r\n\r\n")
    else:
        body = json.dumps(OPENAI_ANSWER if openai else ANTHROPIC_ANSWER, ensure_ascii=False)
        await wire.whole(200, body.encode(), ("Content-Type", "application/json"))


def answers(status, body, *headers):
    """An answer of one piece."""

    async def answer(received, wire):
        await wire.whole(status, body, *headers)

    return answer


@contextmanager
def running():
    """Start an upstream in a thread of its own."""
    upstream = Upstream()
    loop = upstream._loop
    started, ended = threading.Event(), asyncio.Event()

    async def serve():
        server = await asyncio.start_server(upstream._serve, "127.0.0.1", 0, limit=2**24)
        upstream.port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()
        server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await asyncio.sleep(0)  # transports say good-bye in the next turn of the loop

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(SECONDS)
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(SECONDS)
        loop.close()
