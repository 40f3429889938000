"""What a call costs in our own code alone, in CPU time: no socket, no kernel, no other process.

``python -m bench.micro_call [--rounds N] [--calls N]``. Clients and upstream are in the memory of
this process: what is timed is the way from a request's bytes to those of its answer, and the event
loop that drives it.
"""

import argparse
import asyncio
import json
import logging
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

import uvloop
from uvicorn.server import ServerState

from bench import calls
from bench.peers.peer import Setting
from bench.peers.rolecall import configuration
from bench.tokens import key_set, new_key, sign
from bench.upstream.answers import COMPLETION, EVENTS, event
from rolecall.config import Settings, load
from rolecall.gateway import Gateway, compile_snapshot, server_config
from rolecall.gateway.http1 import Connection

CONNECTIONS: Final = 16
_SPOKEN = TypeVar("_SPOKEN", bound=asyncio.Protocol)

# as the OpenAI client for Python sends it
_HEAD: Final = (
    "POST /v1/chat/completions HTTP/1.1\r\n"
    "Host: llm.example.com\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Connection: keep-alive\r\n"
    "Accept: application/json\r\n"
    "Content-Type: application/json\r\n"
    "User-Agent: OpenAI/Python 3.54.0\r\n"
    "X-Stainless-Lang: python\r\n"
    "X-Stainless-Package-Version: 3.54.0\r\n"
    "X-Stainless-OS: Linux\r\n"
    "X-Stainless-Arch: x64\r\n"
    "X-Stainless-Runtime: CPython\r\n"
    "X-Stainless-Runtime-Version: 3.11.7\r\n"
    "Authorization: Bearer {token}\r\n"
    "X-Stainless-Async: false\r\n"
    "x-stainless-retry-count: 0\r\n"
    "x-stainless-read-timeout: 600\r\n"
    "Content-Length: {length}\r\n"
    "\r\n"
)


def request(token: str, body: bytes) -> bytes:
    """The bytes of a request."""
    return _HEAD.format(token=token, length=len(body)).encode("ascii") + body


def whole() -> list[bytes]:
    """The bytes of a whole answer."""
    return [_head("application/json", f"Content-Length: {len(COMPLETION)}") + COMPLETION.encode()]


def stream() -> list[bytes]:
    """Those of a stream, piece by piece."""
    pieces = [*(event(number) for number in range(EVENTS)), b"data: [DONE]\n\n"]
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    head = _head("text/event-stream; charset=utf-8", "Transfer-Encoding: chunked")
    return [head + chunks[0], *chunks[1:-1], chunks[-1] + b"0\r\n\r\n"]


def _head(kind: str, framing: str) -> bytes:
    lines = (
        "HTTP/1.1 200 OK",
        "Date: Wed, 25 Nov 2026 08:00:00 GMT",
        f"Content-Type: {kind}",
        framing,
        "x-request-id: req_7f0c1d2e4b5a4c6d8e9f",
        "openai-processing-ms: 312",
        "openai-version: 2020-10-01",
        "x-ratelimit-limit-requests: 10000",
        "x-ratelimit-remaining-requests: 9999",
        "Server: cloudflare",
    )
    return "\r\n".join([*lines, "", ""]).encode("ascii")


class _Wire(asyncio.Transport):
    """One end of a connection in memory; what is written is given to a function."""

    def __init__(self, written: Callable[[bytes], None]) -> None:
        super().__init__()
        self._written = written
        self._closing = False

    def write(self, data: Any) -> None:
        self._written(data)

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self._closing = True

    abort = close


class _Loop(uvloop.Loop):
    """A loop whose connections lead to an upstream in memory.

    Attributes:
        pieces: what the upstream answers to each request.
    """

    pieces: Sequence[bytes] = ()

    async def create_connection(  # type: ignore[override] # the one way we use
        self, make: Callable[[], _SPOKEN], *_: Any, **__: Any
    ) -> tuple[_Wire, _SPOKEN]:
        protocol = make()

        def answer(_: bytes) -> None:
            for piece in self.pieces:
                self.call_soon(protocol.data_received, piece)

        wire = _Wire(answer)
        protocol.connection_made(wire)
        return wire, protocol


class _Client:
    """Sends the same request again and again on one connection."""

    def __init__(self, loop: _Loop, sent: bytes, end: bytes, left: int) -> None:
        self._loop = loop
        self._sent = sent
        self._end = end
        self._left = left
        self.done: asyncio.Future[None] = loop.create_future()
        self.connection: Connection

    def ask(self) -> None:
        self.connection.data_received(self._sent)

    def hear(self, data: bytes) -> None:
        if not data.endswith(self._end):
            return
        self._left -= 1
        if self._left:
            self._loop.call_soon(self.ask)
        else:
            self.done.set_result(None)


async def cost(settings: Settings, sent: bytes, end: bytes, count: int) -> float:
    """CPU microseconds of one call, of this many."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop)  # noqa: S101 - whoever calls this runs it so
    snapshot = compile_snapshot(settings)
    await snapshot.verifier.start()
    config = server_config(Gateway(snapshot))
    config.load()
    state = ServerState()
    clients = [_Client(loop, sent, end, count // CONNECTIONS) for _ in range(CONNECTIONS)]
    for client in clients:
        client.connection = Connection(config, state, {}, loop)
        client.connection.connection_made(_Wire(client.hear))
    began = time.process_time_ns()
    for client in clients:
        client.ask()
    await asyncio.gather(*(client.done for client in clients))
    taken = time.process_time_ns() - began
    for client in clients:
        client.connection.connection_lost(None)
    await snapshot.verifier.stop()
    return taken / (count // CONNECTIONS * CONNECTIONS) / 1000


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=8000)
    asked = parser.parse_args()
    # what is written down of each denial is not counted
    logging.getLogger("rolecall").addHandler(logging.NullHandler())
    key = new_key("RS256")
    token = sign(key, 1, time.time())
    with TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "jwks.json").write_text(key_set(key), encoding="ascii")
        file = folder / "rolecall.yaml"
        file.write_text(json.dumps(configuration(Setting(9, key_set(key)), folder)))
        settings = load(file, {}).settings
        chat, denied, streamed = (
            request(token, call.body) for call in (calls.CHAT, calls.FORBIDDEN, calls.STREAM)
        )
        print(f"{'call':<10}{'best':>10}{'median':>10}   µs of CPU")  # noqa: T201
        for name, sent, pieces, end, count in (
            ("chat", chat, whole(), COMPLETION.encode()[-9:], asked.calls),
            ("denied", denied, [], b"}", asked.calls),
            ("stream", streamed, stream(), b"0\r\n\r\n", asked.calls // 20),
        ):
            costs = [timed(settings, sent, pieces, end, count) for _ in range(asked.rounds)]
            print(f"{name:<10}{min(costs):>10.1f}{statistics.median(costs):>10.1f}")  # noqa: T201


def timed(
    settings: Settings, sent: bytes, pieces: Sequence[bytes], end: bytes, count: int
) -> float:
    """The same, in a loop and with a gateway of its own."""
    loop = _Loop()
    loop.pieces = pieces
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(cost(settings, sent, end, count))


if __name__ == "__main__":
    main()
