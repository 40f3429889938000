"""A model that says back what it was told, for where the local model cannot be had."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from rolecall.demo.model.echo_formats import Anthropic, BadCall, Echo, Format, OpenAI

ALIASES: Final = ("echo",)
_OPENAI: Final = OpenAI()
_ANTHROPIC: Final = Anthropic()
_MAX_BODY: Final = 32 * 2**20
_START_LIMIT: Final = 10.0
_CLOSE_LIMIT: Final = 1.0


@dataclass(frozen=True, slots=True)
class EchoModel:
    """A running echo model; leaving the ``with`` block stops it.

    ``reason`` says why it stands in for the local model, and is empty when it was asked for.
    """

    base_url: str
    describe: str
    reason: str
    _thread: threading.Thread = field(repr=False)
    _loop: asyncio.AbstractEventLoop = field(repr=False)
    _stopped: asyncio.Event = field(repr=False)

    @classmethod
    def start(cls, *, aliases: Sequence[str] = ALIASES, reason: str = "") -> Self:
        """Start the echo model in a thread, on a free port of the loopback interface.

        Args:
            aliases: the model names it lists; it answers whatever name a call carries.
            reason: why it stands in for the local model.

        Returns:
            The model; ``base_url`` ends before ``/v1``.
        """
        ready: Future[_Running] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(_serve(tuple(aliases), ready)),
            name="echo-model",
            daemon=True,
        )
        thread.start()
        running = ready.result(_START_LIMIT)
        return cls(
            running.base_url,
            "built-in echo model (no language model)",
            reason,
            thread,
            running.loop,
            running.stopped,
        )

    def stop(self) -> None:
        """Stop the echo model and wait until it is gone."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class _Running:
    base_url: str
    loop: asyncio.AbstractEventLoop
    stopped: asyncio.Event


async def _serve(aliases: tuple[str, ...], ready: Future[_Running]) -> None:
    runner = web.AppRunner(_application(aliases), access_log=None, shutdown_timeout=_CLOSE_LIMIT)
    stopped = asyncio.Event()
    try:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        ready.set_result(_Running(f"http://127.0.0.1:{port}", asyncio.get_running_loop(), stopped))
        await stopped.wait()
    except OSError as error:
        ready.set_exception(error)
    finally:
        await runner.cleanup()


def _application(aliases: tuple[str, ...]) -> web.Application:
    async def models(request: web.Request) -> web.Response:
        return _json(_format(request).models(aliases))

    application = web.Application(client_max_size=_MAX_BODY, middlewares=[_refusals])
    application.router.add_get("/v1/models", models)
    application.router.add_post("/v1/chat/completions", _answer)
    application.router.add_post("/v1/messages", _answer)
    return application


def _format(request: web.Request) -> Format:
    """Tell the format by the path, and by the header that only Anthropic's clients send."""
    if request.path.startswith("/v1/messages") or "anthropic-version" in request.headers:
        return _ANTHROPIC
    return _OPENAI


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer errors in the caller's format."""
    try:
        return await handler(request)
    except BadCall as error:
        status, message = 400, str(error)
    except web.HTTPException as error:
        status, message = error.status, f"{request.method} {request.path}: {error.reason}."
    return _json(_format(request).error(status, message), status)


async def _answer(request: web.Request) -> web.StreamResponse:
    format_ = _format(request)
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise BadCall(f"The body is not valid JSON: {error}.") from error
    echo = format_.read(body)
    return await _stream(request, format_, echo) if echo.stream else _json(format_.answer(echo))


async def _stream(request: web.Request, format_: Format, echo: Echo) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    for event in format_.events(echo):
        await response.write(event.encode())
    await response.write_eof()
    return response


def _json(value: dict[str, object], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
