"""One client's connection."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote_to_bytes

import httptools

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Scope
from rolecall.gateway.http1.client_certificate import shown_by
from rolecall.gateway.http1.cycle import Cycle
from rolecall.gateway.http1.repeated import RepeatedHead
from rolecall.upstream import Headers, outbox
from rolecall.wire import error_body

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

MAX_HEAD: Final = 64 * 1024
MAX_HEADERS: Final = 256
PATIENCE: Final = 120.0
"""Seconds that may pass without a byte of an announced body, or without one of an answer read."""
LINGER: Final = 5.0
"""Seconds that a client gets to hang up after us: whoever closes on a client that is still sending
takes from it what it has not read yet (RFC 9112 9.6)."""
FAREWELL: Final = 1.0
"""Seconds that an idle connection stays when the server stops: a request may be on its way."""

MOST_REMEMBERED: Final = 1024
"""From so many connections on, memory counts for more than what a head that comes again saves."""
MOST_NOVEL: Final = 4
"""After so many heads in a row that did not come again, no more of a connection are remembered."""

# the parser tells of a field when it is whole, and never of a chunk's extensions: what is counted
# came since it last told of a body or of an end, or in the same piece
_MOST_LOOSE: Final = 8 * MAX_HEAD

_CODING: Final = b"transfer-encoding"
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
        "_begun",
        "_client",
        "_closing",
        "_deaf",
        "_default_headers",
        "_default_lines",
        "_due",
        "_extensions",
        "_headers",
        "_keep_alive",
        "_loose",
        "_next",
        "_novel",
        "_open",
        "_outbox",
        "_parser",
        "_paused",
        "_piece",
        "_receiving",
        "_refusal",
        "_repeated",
        "_round",
        "_scheme",
        "_server",
        "_server_state",
        "_since",
        "_stopping",
        "_timer",
        "_unread",
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
        self._round = -1
        self._active: Cycle | None = None
        self._default_headers: Headers = []
        self._default_lines: list[bytes] = []
        self._next: deque[Cycle] = deque()
        self._receiving: Cycle | None = None
        self._headers: Headers = []
        self._refusal: Refusal | None = None
        self._repeated: RepeatedHead | None = None
        self._novel = 0
        self._due = 0
        self._open = False
        self._begun = 0
        self._paused = False
        self._deaf = False
        self._stopping = False
        self._closing = False
        self._piece = 0
        self._loose = 0
        self._unread = 0
        self._since = self.loop.time()

    # -- what the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # uvloop's are of no such class, and behave as if they were
        self.transport = cast("asyncio.Transport", transport)
        self._server = _address(transport.get_extra_info("sockname"))
        self._client = _address(transport.get_extra_info("peername"))
        self._scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._extensions = shown_by(transport)
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self._timer = self.loop.call_later(self._keep_alive, self._look)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._deaf:
            return
        self._since = self.loop.time()
        if self._due:
            data = self._take(data)
        if data:
            self._read(data)
        if self._next:
            self._advance()
            if self._next:
                self.pause_reading()

    def _read(self, data: bytes) -> None:
        """Read on: a head that comes again is known, all else is for the parser."""
        known = None
        if self._repeated is not None and not self._open:
            known = self._repeated.read(data)
        if known is None:
            self._parse(data)
            return
        scope, self._due, begin = known
        self._novel = 0
        self._receiving = cycle = Cycle(self, scope, keep_alive=not self._stopping)
        self._next.append(cycle)
        rest = self._take(data[begin:])
        if rest:
            self._parse(rest)

    def _take(self, data: bytes) -> bytes:
        """Take what is due of the body of a known head; return what follows it."""
        due, cycle = self._due, self._receiving
        body, rest = (data, b"") if len(data) <= due else (data[:due], data[due:])
        self._due = due = due - len(body)
        if cycle is not None:
            if body:
                cycle.feed(body)
            if not due:
                cycle.feed_end()
                self._receiving = None
        return rest

    def _parse(self, data: bytes) -> None:
        begins = not self._open
        if begins:
            self._repeated = None
        self._begun = 0
        self._piece = len(data)
        self._loose += self._piece
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._decline(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError:
            self._refuse(_MALFORMED)
        if self._loose > _MOST_LOOSE:
            self._refuse(_LONG_HEAD)
        whole = self._receiving is not None or not self._open
        if begins and self._begun == 1 and whole and self._next and not self._deaf:
            self._remember(data, self._next[-1])

    def _remember(self, data: bytes, cycle: Cycle) -> None:
        """Remember the head that these bytes begin with, unless it is the connection's last."""
        if (
            cycle.keep_alive
            and self._novel < MOST_NOVEL
            and len(self._server_state.connections) <= MOST_REMEMBERED
        ):
            self._novel += 1
            self._repeated = RepeatedHead.of(data, cycle.scope)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self._server_state.connections.discard(self)
        self._timer.cancel()
        self._deaf = True
        active, self._active = self._active, None
        self._next.clear()
        if active is not None:
            active.disconnect()
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
        """The server stops: what has come is answered, and the last answer says that it is it.

        An answer whose head was written before promised to take another request.
        """
        self._stopping = True
        last = self._next[-1] if self._next else self._active
        if last is not None:
            if not last.answered:
                last.keep_alive = False
        elif not self._closing:
            self._since = self.loop.time()
            self._look_after(FAREWELL)

    # -- what the parser tells ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._open = True
        self._begun += 1
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """A piece of the request's target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is whole: the request is answered as soon as those before it are."""
        parser = self._parser
        version = parser.get_http_version()
        # what comes after the body are no headers of the request (RFC 9110 6.5.1)
        headers, self._headers = self._headers, []
        if len(headers) > MAX_HEADERS or (self._loose > MAX_HEAD and self._is_long(headers)):
            self._refuse(_LONG_HEAD)
        elif not _is_sound(headers, version):
            self._refuse(_MALFORMED)
        if self._deaf:
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
        if self._extensions:
            scope["extensions"] = self._extensions
        keep_alive = version == "1.1" and parser.should_keep_alive() and not self._stopping
        self._receiving = cycle = Cycle(self, scope, keep_alive=keep_alive)
        self._next.append(cycle)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._loose = self._piece
        if self._receiving is not None:
            self._receiving.feed(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._open = False
        self._loose = self._piece
        if self._receiving is not None:
            self._receiving.feed_end()
            self._receiving = None

    # -- what a cycle does with its connection -----------------------------------------------------

    def defaults(self) -> list[bytes]:
        """The lines that the server adds to each head: the date, which changes each second."""
        headers = self._server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._default_lines = [b": ".join(header) for header in headers]
        return self._default_lines

    def write(self, data: bytes) -> None:
        """Write soon, with what others write."""
        self._round = self._outbox.rounds
        self._outbox.write(self.transport, data)

    def write_now(self, data: bytes) -> None:
        """Write at once, unless something waits to be written before."""
        if self._round == self._outbox.rounds:
            self._outbox.write(self.transport, data)
        else:
            self.transport.write(data)

    def pause_reading(self) -> None:
        """Take no more from the client for now."""
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take more, unless requests wait already."""
        if self._paused and not self._next:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def finish(self, cycle: Cycle) -> None:
        """The answer of a cycle is whole, or will never be."""
        if self._active is not cycle:
            # it was given up
            return
        self._active = None
        self._server_state.total_requests += 1
        if not cycle.keep_alive:
            self._close()
            return
        self._since = self.loop.time()
        if self._next:
            # not here: each would be answered within the one before it
            self.loop.call_soon(self._advance)
        elif self._deaf:
            self._part()
        else:
            self.resume_reading()
            if self._stopping:
                self._look_after(FAREWELL)

    def _advance(self) -> None:
        """Begin the next request, if there is one and none is being answered."""
        if self._active is None and self._next and not self.transport.is_closing():
            self._active = cycle = self._next.popleft()
            self.resume_reading()
            cycle.begin(self._app, self._server_state.tasks)

    def _decline(self, rest: memoryview) -> None:
        """No other protocol is spoken here, and the request stands as it is (RFC 9110 7.8).

        The parser takes what follows the head for the other protocol, its body too: it is read
        anew, without what asks for the upgrade.
        """
        while not self._deaf:
            if self._parser.get_method() == b"CONNECT":
                # whether a body follows it, nobody can say (RFC 9110 9.3.6)
                self._next[-1].keep_alive = False
                self._deaf = True
                return
            head = self._next.pop().head_without(b"upgrade")
            self._parser = httptools.HttpRequestParser(self)
            try:
                self._parser.feed_data(head)
                self._parser.feed_data(rest)
            except httptools.HttpParserUpgrade as upgrade:
                rest = rest[upgrade.args[0] :]
            except httptools.HttpParserCallbackError:
                raise
            except httptools.HttpParserError:
                self._refuse(_MALFORMED)
            else:
                return

    def _refuse(self, refusal: Refusal) -> None:
        """Read no further, and say so once all that came before is answered."""
        if self._deaf:
            return
        self._deaf = True
        cycle, self._receiving = self._receiving, None
        if cycle is None:
            before = self._next[-1] if self._next else self._active
            if before is None or before.keep_alive:
                self._refusal = refusal
        elif cycle is self._active:
            # its application would wait for the rest of the body
            self._active = None
            if not cycle.answered:
                self._refusal = refusal
            cycle.disconnect()
        elif self._next and cycle is self._next[-1]:
            self._next.pop()
            self._refusal = refusal
        if self._active is None and not self._next:
            self._part()

    def _part(self) -> None:
        """Hang up, and say why if it is the client's fault."""
        if self._refusal is not None:
            body = error_body("openai", self._refusal, "")
            self.write(
                b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
                b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
            )
        self._close()

    def _close(self) -> None:
        """Say the last word, and wait until the client has heard it."""
        self._deaf = self._closing = True
        self._next.clear()
        self._outbox.flush()
        self._since = self.loop.time()
        self._look_after(LINGER)
        if self.transport.is_closing():
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.resume_reading()
        else:
            self.transport.close()

    def _look_after(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """See whether the client has been quiet for too long, or has left too much unread."""
        cycle, now = self._active, self.loop.time()
        unread = self.transport.get_write_buffer_size()
        if unread != self._unread:
            self._unread = unread
            self._since = now
        if unread or (cycle is not None and cycle.more_body):
            due = self._since + PATIENCE
        elif self._closing:
            due = self._since + LINGER
        elif cycle is not None:
            due = now + self._keep_alive
        else:
            due = self._since + (FAREWELL if self._stopping else self._keep_alive)
        if due > now:
            self._look_after(due - now)
        elif cycle is not None or unread or self._closing:
            self.transport.abort()
        else:
            self._close()

    def _is_long(self, headers: Headers) -> bool:
        fields = sum([len(name) + len(value) + 4 for name, value in headers])
        return len(self._url) + fields > MAX_HEAD


def _is_sound(headers: Headers, version: str) -> bool:
    """Whether one host is named (RFC 9112 3.2) and the framing is one that is known (6.1)."""
    names = [name for name, _ in headers]
    if version != "1.1":
        return version == "1.0" and names.count(b"host") < 2 and _CODING not in names
    if names.count(b"host") != 1:
        return False
    return _CODING not in names or headers[names.index(_CODING)][1].lower() == b"chunked"


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
