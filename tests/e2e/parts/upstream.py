"""Anthropic and OpenAI in one process of ours: they answer in the vendors' recorded shapes.

The model's name says what happens: ``…-429`` and the like fail with that status, ``…-hang`` sends
nothing, or only the first event of a stream; ``…-cut`` does the same and ends the connection. Every
other name answers; with a call of a tool where the request offers tools and holds no result of one
yet.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from .polling import SECONDS

_ANSWERS = Path(__file__).with_name("answers")
_EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived; the names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(slots=True)
class Upstream:
    """What the tests see of the running server."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    abandoned: threading.Event = field(default_factory=threading.Event)
    """Set when a caller goes away before it has its whole answer."""


@contextmanager
def running() -> Iterator[Upstream]:
    """Start the server in a thread of its own, on a free port, and end it."""
    upstream = Upstream()
    started, ended = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        runner = web.AppRunner(
            _application(upstream),
            access_log=None,
            handler_cancellation=True,  # a caller that goes away ends its handler
            shutdown_timeout=1,
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.set()
        await ended.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert started.wait(SECONDS)
    try:
        yield upstream
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(SECONDS)
        loop.close()


def _application(upstream: Upstream) -> web.Application:
    def vendor(name: str):
        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {name.lower(): value for name, value in request.headers.items()}
            received = Received(request.path, headers, await request.json())
            upstream.received.append(received)
            try:
                return await _answer(name, request, received.body)
            except (asyncio.CancelledError, ConnectionResetError):
                upstream.abandoned.set()
                raise

        return handle

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/v1/messages", vendor("anthropic"))
    application.router.add_post("/v1/chat/completions", vendor("openai"))
    return application


async def _answer(vendor: str, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    ending = body["model"].rpartition("-")[2]
    if ending.isdecimal() and len(ending) == 3:
        return _failure(vendor, int(ending))
    kind = "tool" if body.get("tools") and not _holds_tool_result(body) else "text"
    if not body.get("stream"):
        await _hang_or_cut(ending, request)
        recorded = (_ANSWERS / f"{vendor}_{kind}.json").read_bytes()
        return web.Response(body=recorded, content_type="application/json")
    response = web.StreamResponse(headers={"Content-Type": _EVENT_STREAM})
    await response.prepare(request)
    for event in (_ANSWERS / f"{vendor}_{kind}.sse").read_text().split("\n\n")[:-1]:
        await response.write(f"{event}\n\n".encode())
        await _hang_or_cut(ending, request)
    await response.write_eof()
    return response


async def _hang_or_cut(ending: str, request: web.Request) -> None:
    if ending == "hang":
        await asyncio.Event().wait()
    if ending == "cut":
        request.transport.abort()
        raise ConnectionResetError


def _holds_tool_result(body: dict[str, Any]) -> bool:
    last = body["messages"][-1]
    return last["role"] == "tool" or (
        isinstance(last["content"], list)
        and any(block["type"] == "tool_result" for block in last["content"])
    )


def _failure(vendor: str, status: int) -> web.Response:
    """The vendor's own error body."""
    message = f"The recorded {vendor} error {status}."
    headers = {"Retry-After": "7"} if status == 429 else {}
    if vendor == "anthropic":
        kind = {
            400: "invalid_request_error",
            401: "authentication_error",
            404: "not_found_error",
            429: "rate_limit_error",
            529: "overloaded_error",
        }.get(status, "api_error")
        error: dict[str, Any] = {
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": "req_01",
        }
    else:
        kind = {400: "invalid_request_error", 429: "rate_limit_exceeded"}.get(
            status, "server_error"
        )
        error = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    return web.json_response(error, status=status, headers=headers)
