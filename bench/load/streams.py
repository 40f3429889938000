"""Callers that read streams.

``python -m bench.load.streams PORT HEADERS BODY CONNECTIONS SECONDS``. Each reads one stream after
another until the time is over, and the last one to its end, so that whoever serves them has served
exactly those that are counted. What every stream says is compared with what was sent. Prints one
line of JSON; times are in microseconds.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final, cast

import httptools
import uvloop

from bench import calls
from bench.load.asking import read_headers
from bench.paired import percentile
from bench.upstream import answers

_PATIENCE: Final = 60.0


class Caller(asyncio.Protocol):
    """One connection; ``ended`` is done when its last stream is."""

    def __init__(self, request: bytes, until: float) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.first: list[float] = []
        self.right = 0
        self.wrong = 0
        self._waits = False
        self._request = request
        self._until = until
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first stream."""
        # uvloop's transports only look like it
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer."""
        self._parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        """Some events, or a part of one."""
        if not self._events:
            self.first.append(time.perf_counter() - self._asked)
        self._events.append(data)

    def on_message_complete(self) -> None:
        """Judge this stream and ask for the next."""
        self._waits = False
        if self._parser.get_status_code() == 200 and _is_right(b"".join(self._events)):
            self.right += 1
        else:
            self.wrong += 1
        if time.perf_counter() < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - it ends anyhow
        """A stream that is cut off is wrong."""
        self.wrong += self._waits
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        self._events: list[bytes] = []
        self._asked = time.perf_counter()
        self._waits = True
        self._transport.write(self._request)


def _is_right(body: bytes) -> bool:
    try:
        return answers.text_of(body) == answers.TEXT
    except (ValueError, KeyError):
        return False


def request_of(port: int, headers: dict[str, str], body: bytes) -> bytes:
    """The bytes of the request."""
    all_headers = {
        "host": f"127.0.0.1:{port}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"POST {calls.PATH} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def read_streams(port: int, request: bytes, connections: int, seconds: float) -> list[Caller]:
    """Let the callers read; they begin one after another, as callers do."""
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    length = answers.EVENTS * answers.PACE
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: Caller(request, until), "127.0.0.1", port)
        callers.append(caller)
        await asyncio.sleep(length / connections)
    await asyncio.wait_for(
        asyncio.gather(*(caller.ended for caller in callers)), seconds + _PATIENCE
    )
    return callers


def main(port: int, headers: Path, body: Path, connections: int, seconds: float) -> None:
    """Read streams and print what was seen."""
    request = request_of(port, read_headers(headers), body.read_bytes())
    began = time.perf_counter()
    callers = uvloop.run(read_streams(port, request, connections, seconds))
    first = sorted(moment * 1e6 for caller in callers for moment in caller.first)
    seen = {
        "right": sum(caller.right for caller in callers),
        "wrong": sum(caller.wrong for caller in callers),
        "seconds": time.perf_counter() - began,
        "p50": percentile(first, 0.50),
        "p99": percentile(first, 0.99),
    }
    print(json.dumps(seen))  # noqa: T201 - this is its answer


if __name__ == "__main__":
    main(
        int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    )
