"""One client's connection."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote_to_bytes

import httptools

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Scope
from rolecall.gateway.http1.cycle import Cycle
from rolecall.upstream import Headers, outbox
from rolecall.wire import error_body

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

MAX_HEAD: Final = 64 * 1024
MAX_HEADERS: Final = 256
PATIENCE: Final = 120.0
"""Seconds that may pass without a byte of an announced body, or with an answer left unread."""

_ASGI: Final = {"version": "3.0", "spec_version": "2.5"}
_MALFORMED: Final = Refusal(Reason.INVALID_REQUEST, "The request is not valid HTTP/1.1.")
_LONG_HEAD: Final = Refusal(Reason.INVALID_REQUEST, "The head of the request is too long.")


class Connection(asyncio.Protocol):
    """One client's connection; its requests are answered one after another.

    Args:
        config: uvicorn's; the application and the patience with idle connections come from it.
        server_state: uvicorn's; it learns of connections and tasks, and has the date.
        app_state: of no use here.
        _loop: the running loop.
    """

    __slots__ = (
        "_active",
        "_app",
        "_client",
        "_head_bytes",
        "_headers",
        "_in_head",
        "_keep_alive",
        "_next",
        "_outbox",
        "_parser",
        "_paused",
        "_receiving",
        "_refused",
        "_scheme",
        "_server",
        "_server_state",
        "_since",
        "_stopping",
        "_timer",
        "_url",
        "loop",
        "transport",
        "unread",
    )

    def __init__(
        self,
        config: "Config",
        server_state: "ServerState",
        app_state: dict[str, Any],  # noqa: ARG002 - uvicorn passes it
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        if not config.loaded:
            config.load()
        self.loop = _loop or asyncio.get_running_loop()
        self.transport: asyncio.Transport
        self.unread: asyncio.Future[None] | None = None
        """There while the client reads more slowly than we write; done when it has caught up."""
        self._app = config.loaded_app
        self._keep_alive = config.timeout_keep_alive
        self._server_state = server_state
        self._parser = httptools.HttpRequestParser(self)
        self._outbox = outbox(self.loop)
        self._active: Cycle | None = None
        self._next: deque[Cycle] = deque()
        self._receiving: Cycle | None = None
        self._paused = False
        self._refused = False
        self._stopping = False
        self._in_head = False
        self._head_bytes = 0
        self._since = self.loop.time()

    # -- what the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop's are of no such class, and behave as if they were
        self.transport = cast("asyncio.Transport", transport)
        self._server = _address(transport.get_extra_info("sockname"))
        self._client = _address(transport.get_extra_info("peername"))
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self._timer = self.loop.call_later(self._keep_alive, self._look)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._refused:
            return
        self._since = self.loop.time()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(_MALFORMED)
        # the parser tells of a field when it is whole
        if self._in_head and self._head_bytes > MAX_HEAD:
            self._refuse(_LONG_HEAD)
        if self._next:
            if self._active is not None:
                self.pause_reading()
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self._server_state.connections.discard(self)
        self._timer.cancel()
        for cycle in (self._active, *self._next):
            if cycle is not None:
                cycle.disconnect()
        self._next.clear()
        self.resume_writing()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write."""
        self.unread = self.loop.create_future()
        self._since = self.loop.time()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self.unread is not None:
            self.unread.set_result(None)
            self.unread = None

    def shutdown(self) -> None:
        """The server stops: what has begun is finished, nothing new begins."""
        self._stopping = True
        if self._active is None:
            self._close()

    # -- what the parser tells ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url = b""
        self._headers: Headers = []
        self._head_bytes = 0
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole: the request is answered as soon as those before it are."""
        self._in_head = False
        parser = self._parser
        version = parser.get_http_version()
        headers = self._headers
        hosts = [name for name, _ in headers].count(b"host")
        if len(headers) > MAX_HEADERS:
            self._refuse(_LONG_HEAD)
        elif hosts > 1 or (hosts == 0 and version == "1.1"):
            # RFC 9112 3.2
            self._refuse(_MALFORMED)
        if self._refused:
            return
        url = self._url if self._url[:1] == b"/" else _origin_form(self._url)
        path, _, query = url.partition(b"?")
        scope: Scope = {
            "type": "http",
            "asgi": _ASGI,
            "http_version": version,
            "method": parser.get_method().decode("ascii"),
            "scheme": self._scheme,
            "path": (unquote_to_bytes(path) if b"%" in path else path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": self._client,
            "server": self._server,
        }
        keep_alive = version == "1.1" and parser.should_keep_alive()
        self._receiving = cycle = Cycle(self, scope, keep_alive=keep_alive)
        self._next.append(cycle)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._receiving is not None:
            self._receiving.feed(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._receiving is not None:
            self._receiving.feed_end()
            self._receiving = None

    # -- what a cycle does with its connection -----------------------------------------------------

    def defaults(self) -> list[bytes]:
        """The lines that the server adds to each head: the date."""
        return [b": ".join(header) for header in self._server_state.default_headers]

    def write(self, data: bytes) -> None:
        """Write soon."""
        self._outbox.write(self.transport, data)

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more."""
        if self._paused:
            self._paused = False
            self.transport.resume_reading()

    def finish(self, cycle: Cycle) -> None:
        """The answer of a cycle is whole, or will never be."""
        self._active = None
        self._server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self._stopping or not cycle.keep_alive:
            self._close()
            return
        self._since = self.loop.time()
        if self._next:
            # not here: each would be answered within the one before it
            self.loop.call_soon(self._advance)
        else:
            self.resume_reading()

    def _advance(self) -> None:
        """Begin the next request, if there is one and none is being answered."""
        if self._active is None and self._next and not self.transport.is_closing():
            self._active = cycle = self._next.popleft()
            cycle.begin(self._app, self._server_state.tasks)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """No other protocol is spoken here, and the request stands as it is (RFC 9110 7.8)."""
        self._parser = httptools.HttpRequestParser(self)
        if rest:
            self.data_received(rest)

    def _refuse(self, refusal: Refusal) -> None:
        """Read no further, and answer so, unless an answer is on its way: it is the last then."""
        if self._refused:
            return
        self._refused = True
        self._stopping = True
        self._receiving = None
        self._next.clear()
        if self._active is not None:
            return
        body = error_body("openai", refusal, "")
        self.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        self._close()

    def _close(self) -> None:
        """Hang up once everything is written."""
        self._outbox.flush()
        self.transport.close()

    def _look(self) -> None:
        """See whether the client has been quiet for too long."""
        cycle, now = self._active, self.loop.time()
        if cycle is None:
            due = self._since + self._keep_alive
        elif self.unread is not None or cycle.more_body:
            due = self._since + PATIENCE
        else:
            due = now + self._keep_alive
        if due > now:
            self._timer = self.loop.call_later(due - now, self._look)
        elif cycle is None:
            self.transport.close()
        else:
            self.transport.abort()


def _origin_form(target: bytes) -> bytes:
    """Path and query of a target in absolute form (RFC 9112 3.2.2); any other stays as it is."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return target
    path = url.path or b"/"
    return path + b"?" + url.query if url.query else path


def _address(name: Any) -> tuple[str, int] | None:
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else None
