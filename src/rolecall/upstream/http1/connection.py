"""One HTTP/1.1 connection to an upstream: a small state machine around httptools.

NEW → ACTIVE → IDLE → ACTIVE … → CLOSED. A connection that saw anything out of order (bytes
nobody asked for, broken framing, an answer before the request was sent) is closed and never
used again, so that one answer can never be taken for another's (RFC 9112 section 6, 9.2, 11.2).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, cast

import httptools

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream.outbox import outbox
from rolecall.upstream.tls import TlsObject
from rolecall.upstream.transport import Headers, Sink, TransportError
from rolecall.upstream.waiting import Wait

MAX_HEAD: Final = 64 * 1024
MAX_HEADERS: Final = 200
MAX_INTERIM: Final = 16
HIGH_WATER: Final = 256 * 1024
# from here on a second write costs less than a copy
_COPIED_MOST: Final = 32 * 1024
_FRAMING: Final = frozenset({b"content-length", b"transfer-encoding"})


class State(Enum):
    """Where a connection is in its life."""

    NEW = auto()
    ACTIVE = auto()
    IDLE = auto()
    CLOSED = auto()


class StaleConnection(TransportError):
    """A connection that had been idle was unusable, and no byte of an answer came."""

    def __init__(self) -> None:
        super().__init__(Reason.UPSTREAM_ERROR, "The upstream closed an idle connection.")


class Connection(asyncio.Protocol):
    """One connection; it carries one request at a time.

    Args:
        loop: the running loop.
        on_closed: called once, when the connection is gone.
    """

    __slots__ = (
        "_began",
        "_body_until_close",
        "_buffered",
        "_complete",
        "_fault",
        "_head_done",
        "_idle",
        "_interim",
        "_keep_alive",
        "_last",
        "_loop",
        "_loose",
        "_on_closed",
        "_outbox",
        "_parser",
        "_patience",
        "_paused",
        "_pieces",
        "_round",
        "_silent",
        "_sink",
        "_timer",
        "_tls",
        "_total",
        "_trailer_bytes",
        "_transport",
        "_wait",
        "headers",
        "idle_since",
        "reused",
        "state",
        "status",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_closed: "Callable[[Connection], None]"
    ) -> None:
        self._loop = loop
        self._on_closed = on_closed
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._outbox = outbox(loop)
        self._round = -1
        self._tls: TlsObject | None = None
        self._wait = Wait(loop)
        self._sink: Sink | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fault: TransportError | None = None
        self._pieces: deque[bytes] = deque()
        self.state = State.NEW
        self.reused = False
        self.idle_since = 0.0
        self._begin()

    def _begin(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self._loose = 0
        self._trailer_bytes = 0
        self._head_done = False
        self._interim = 0
        self._complete = False
        self._keep_alive = False
        self._body_until_close = False
        self._buffered = 0
        self._paused = False
        self._silent = True

    # -- what the transport does with a connection ---------------------------------------------

    async def request(
        self, head: bytes, body: bytes, timeouts: Timeouts, *, stream: bool, began: float
    ) -> None:
        """Send a request and wait for the head of its answer.

        Args:
            head: the request line and the fields.
            body: the whole body.
            timeouts: deadlines for this request and its answer.
            stream: whether the answer is to be a stream, which begins sooner.
            began: the loop's time when the caller began, before there was a connection.

        Raises:
            StaleConnection: the upstream had closed this idle connection; nothing came back.
            TransportError: no usable answer came.
        """
        if self._fault is not None:
            raise self._fault
        if self.state is State.IDLE:
            self.reused = True
            self._begin()
        self.state = State.ACTIVE
        self._patience = timeouts.stream if stream else timeouts.first_byte
        self._idle = timeouts.idle
        self._total = timeouts.total
        self._began = began
        self._last = self._loop.time()
        self._look_by(self._last + self._patience)
        if self._total is not None:
            self._look_by(began + self._total)
        self._round = self._outbox.rounds
        if len(body) > _COPIED_MOST:
            self._outbox.write(self._transport, head)
            self._outbox.write(self._transport, body)
        else:
            self._outbox.write(self._transport, head + body)
        while not self._head_done and self._fault is None:
            await self._wait
        if self._fault is not None and not self._pieces and not self._complete:
            raise self._fault

    @property
    def ended(self) -> bool:
        """Whether the whole body has been read."""
        return self._complete and not self._pieces

    async def read(self) -> bytes:
        """The next piece of the body; empty at its end.

        Raises:
            TransportError: the upstream stalled, broke off, or broke the protocol.
        """
        pieces = self._pieces
        while not pieces:
            if self._complete:
                return b""
            if self._fault is not None:
                raise self._fault
            self._last = self._loop.time()
            self._look_by(self._last + self._idle)
            # what wakes it may be less than a piece: a chunk's size, a trailer
            await self._wait
        return self._take()

    async def pass_on(self, sink: Sink) -> None:
        """Hand each piece of the body to ``sink`` as it comes, until it wants no more or the end.

        Raises:
            TransportError: as `read` does.
        """
        while (piece := await self.read()) and sink(piece):
            if self._pieces or not self._flows():
                continue
            # from here on the pieces call it themselves, and what is none of them wakes
            self._sink = sink
            self._last = self._loop.time()
            self._look_by(self._last + self._idle)
            try:
                await self._wait
                if self._sink is None:
                    return
            finally:
                self._sink = None

    def _take(self) -> bytes:
        pieces = self._pieces
        if len(pieces) == 1:
            data = pieces.pop()
        else:
            data = b"".join(pieces)
            pieces.clear()
        self._buffered = 0
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def is_usable(self) -> bool:
        """Whether it is idle; what waits in its socket is seen before the request is sent."""
        return self.state is State.IDLE and not self._transport.is_closing()

    def release(self) -> bool:
        """The answer is no longer wanted; return whether the connection can serve again."""
        if (
            self._complete
            and self._keep_alive
            and self._fault is None
            and self.state is State.ACTIVE
            and not self._pieces
            and not self._transport.is_closing()
            # an answer that came before the whole request was sent leaves the rest in between
            and self._transport.get_write_buffer_size() == 0
        ):
            self.state = State.IDLE
            self.idle_since = self._loop.time()
            return True
        self.abort()
        return False

    def abort(self) -> None:
        """End the connection at once."""
        if self.state is not State.CLOSED:
            self._transport.abort()

    def tls_session(self) -> ssl.SSLSession | None:
        """The TLS session, with which the next handshake is shorter."""
        return self._tls.session if self._tls is not None else None

    # -- what the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's are of no such class, and behave as if they were
        self._transport = cast("asyncio.Transport", transport)
        self._tls = transport.get_extra_info("ssl_object")

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self.state is not State.ACTIVE or self._complete or self._round == self._outbox.rounds:
            # nobody asked: whatever it is, it must not become somebody's answer
            self._fail(Reason.UPSTREAM_ERROR, "The upstream sent what nobody had asked for.")
            self._wait.wake()
            return
        if self._fault is not None:
            return
        self._silent = False
        self._loose += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(Reason.UPSTREAM_ERROR, "The upstream's answer breaks HTTP.")
        if self._loose > 2 * MAX_HEAD:
            # the parser tells of a field when it is whole, and never of a chunk's extensions
            self._fail(Reason.UPSTREAM_ERROR, "The upstream sends fields without an end.")
        if self._head_done or self._fault is not None:
            self._last = self._loop.time()
            if self._sink is not None and self._flows():
                if not self._pieces or self._sink(self._take()):
                    return
                # it wants no more now
                self._sink = None
            self._wait.wake()

    def eof_received(self) -> bool:
        """The upstream will send no more; the connection closes."""
        if (
            self.state is State.ACTIVE
            and self._fault is None
            and self._head_done
            and self._body_until_close
            # whoever cuts a TLS connection cannot feign its end (RFC 9112 9.8)
            and (self._tls is None or self._tls.ended)
        ):
            self._complete = True
        self._lose(None)
        # not close(), which would wait until the rest of the request is sent
        self._transport.abort()
        self._wait.wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._lose(exc)
        self.state = State.CLOSED
        if self._timer is not None:
            self._timer.cancel()
        self._on_closed(self)
        self._wait.wake()

    # -- what the parser tells ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A message begins: the answer, an interim answer, or one too many."""
        if self._complete:
            self._fail(Reason.UPSTREAM_ERROR, "The upstream sent two answers for one request.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field of the answer, or a trailer field, which nobody needs."""
        if not self._head_done:
            self.headers.append((name.lower(), value.rstrip()))
            return
        self._trailer_bytes += len(name) + len(value) + 4
        if self._trailer_bytes > MAX_HEAD:
            self._fail(Reason.UPSTREAM_ERROR, "The upstream sends fields without an end.")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._complete or self._fault is not None:
            return
        if len(self.headers) > MAX_HEADERS or (
            self._loose > MAX_HEAD
            and sum([len(name) + len(value) + 4 for name, value in self.headers]) > MAX_HEAD
        ):
            self._fail(Reason.UPSTREAM_ERROR, "The head of the upstream's answer is too long.")
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._interim += 1
            if (status <= 101 and status != 100) or self._interim > MAX_INTERIM:
                self._fail(Reason.UPSTREAM_ERROR, "The upstream switches or delays the protocol.")
            self.headers = []
            return
        self.status = status
        self._head_done = True
        self._keep_alive = self._parser.should_keep_alive()
        framing = [field for field in self.headers if field[0] in _FRAMING]
        self._body_until_close = not framing
        if framing and framing[0][0] == b"transfer-encoding":
            if len(framing) > 1 or framing[0][1].lower() != b"chunked":
                self._fail(Reason.UPSTREAM_ERROR, "The upstream's answer has an unknown framing.")
            elif self._parser.get_http_version() != "1.1":
                # RFC 9112 6.1: such a framing may be a mistake of someone in between
                self._keep_alive = False

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self._complete or self._fault is not None:
            return
        self._loose = 0
        self._pieces.append(data)
        self._buffered += len(data)
        if self._buffered > HIGH_WATER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The message is whole."""
        if self._head_done and self._fault is None:
            self._complete = True

    # -- waiting -----------------------------------------------------------------------------------

    def _look_by(self, due: float) -> None:
        """See to it that somebody looks at the deadlines by then.

        The timer is left alone by most requests: it was set for an earlier one with the same
        patience, finds nothing due, and is set anew.
        """
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.state is not State.ACTIVE or self._complete or self._fault is not None:
            return
        now = self._loop.time()
        patience = self._idle if self._head_done else self._patience
        due = self._last + patience
        if self._total is not None and now >= self._began + self._total:
            late = f"The upstream took more than {self._total:g} s."
        elif now < due or self._wait.resume is None:
            # whoever does not wait for the upstream finds it neither quick nor slow
            self._look_by(due if now < due else now + patience)
            if self._total is not None:
                self._look_by(self._began + self._total)
            return
        elif self._head_done:
            late = f"The upstream sent nothing for {patience:g} s."
        else:
            late = f"The upstream did not answer within {patience:g} s."
        self._fail(Reason.UPSTREAM_TIMEOUT, late)
        self._wait.wake()

    def _lose(self, exc: Exception | None) -> None:
        """No more will come."""
        if self._fault is None and not self._complete and self.state is not State.IDLE:
            if self._silent and self.reused:
                self._fault = StaleConnection()
            elif self._silent and isinstance(exc, ssl.SSLError):
                # with TLS 1.3 a client learns after the handshake that it was refused
                self._fault = TransportError(
                    Reason.UPSTREAM_UNAVAILABLE, "The upstream ended the TLS connection."
                )
            else:
                what = "its answer" if self._head_done else "before it answered"
                self._fault = TransportError(
                    Reason.UPSTREAM_ERROR, f"The upstream broke off {what}."
                )

    def _flows(self) -> bool:
        return self._fault is None and not self._complete

    def _unsent(self) -> bool:
        return self._round == self._outbox.rounds

    def _fail(self, reason: Reason, message: str) -> None:
        """The answer cannot be used; who called the method that calls this wakes the waiter."""
        if self._fault is None:
            stale = self.reused and self._unsent()
            self._fault = StaleConnection() if stale else TransportError(reason, message)
        self._keep_alive = False
        if self.state in {State.ACTIVE, State.IDLE}:
            self._transport.abort()
