"""One request and its answer: ASGI's ``receive`` and ``send``."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from rolecall.gateway.asgi import Message, Receive, Scope, Send
from rolecall.gateway.http1.turn import Turn
from rolecall.upstream import Headers, Wait

if TYPE_CHECKING:
    from rolecall.gateway.http1.connection import Connection

Application = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

HIGH_WATER: Final = 256 * 1024

_STATUS: Final = {
    status.value: b"HTTP/1.1 %d %b" % (status.value, status.phrase.encode())
    for status in HTTPStatus
}
_BODILESS: Final = frozenset({204, 304})


_NOTHING: Final = cast("Generator[Any, Any, None]", iter(()))


class _Done:
    """Awaits nothing, for less than a coroutine does."""

    def __await__(self) -> Generator[Any, Any, None]:
        return _NOTHING


SENT: Final = _Done()
"""What `Cycle.send` returns where everything is done already."""


class Unwritable(RuntimeError):
    """The application's answer breaks HTTP: a header's line break, another length than said."""


class Cycle:
    """One request on its way through the application.

    Attributes:
        scope: ASGI's.
        keep_alive: whether the connection may serve another request afterwards.
        more_body: whether more of the request's body is to come.
    """

    more_body = True
    _size = 0
    _wait: Wait | None = None
    _turn: Turn | None = None
    _invited = False
    _given = False
    _head: bytes | None = None
    _chunked = False
    _left: int | None = None
    _complete = False
    _disconnected = False

    def __init__(self, connection: "Connection", scope: Scope, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self._connection = connection
        self.scope = scope
        self._pieces: list[bytes] = []

    def begin(self, app: Application, tasks: set[Any]) -> None:
        """Let the application answer."""
        self._tasks = tasks
        self._turn = turn = Turn(
            self._connection.loop, app(self.scope, self.receive, self.send), self._end
        )
        tasks.add(turn)
        turn.go_on()

    def _end(self, turn: Turn) -> None:
        """The application has ended; only with its connection can an unfinished answer end."""
        self._tasks.discard(turn)
        # it knows this cycle in turn, and the garbage collector shall have nothing to do
        self._turn = None
        if not self._complete:
            self._complete = True
            self.keep_alive = False
            self._connection.finish(self)

    # -- what the connection tells -----------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """A piece of the request's body; nobody wants it once the answer is whole."""
        if self._complete:
            return
        self._pieces.append(data)
        self._size += len(data)
        if self._size > HIGH_WATER:
            self._connection.pause_reading()
        if self._wait is not None:
            self._wait.wake()

    @property
    def answered(self) -> bool:
        """Whether a byte of the answer has been written."""
        return self._head == b""

    def head_without(self, name: bytes) -> bytes:
        """The request's head as it could have come, but for one header."""
        scope = self.scope
        target = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        line = b"%b %b HTTP/%b" % (scope["method"].encode(), target, scope["http_version"].encode())
        fields = [field + b": " + value for field, value in scope["headers"] if field != name]
        return b"\r\n".join([line, *fields, b"", b""])

    def feed_end(self) -> None:
        """The request's body is whole."""
        self.more_body = False
        if self._wait is not None:
            self._wait.wake()

    def disconnect(self) -> None:
        """The client is gone: nobody needs the answer any more."""
        self._disconnected = True
        if self._turn is not None:
            self._turn.stop()

    # -- ASGI --------------------------------------------------------------------------------------

    async def receive(self) -> Message:
        """The next piece of the body; after the last one, that the client is gone."""
        while not (self._disconnected or self._complete):
            if not self._given and (self._pieces or not self.more_body):
                return self._piece()
            if not (self._given or self._invited):
                self._invite()
            if self._wait is None:
                self._wait = Wait(self._connection.loop)
            await self._wait
        return {"type": "http.disconnect"}

    def send(self, message: Message) -> Awaitable[None]:
        """Write a piece of the answer; its head waits for the first piece of its body.

        Raises:
            Unwritable: nothing of the piece was written, and nothing more can be.
        """
        if self._connection.unread is not None:
            return self._send_later(self._connection.unread, message)
        self._send(message)
        return SENT

    async def _send_later(self, unread: asyncio.Future[None], message: Message) -> None:
        # who is cancelled here must not take the future of others with it
        await asyncio.shield(unread)
        await self.send(message)

    def _send(self, message: Message) -> None:
        if self._disconnected or self._complete:
            return
        if message["type"] == "http.response.start":
            self._head = self._write_head(message["status"], message["headers"])
            return
        more = message.get("more_body", False)
        if self._head is None:
            raise Unwritable("the answer has no head")
        data = self._framed(message["body"], more)
        if self._head:
            data = self._head + data
            self._head = b""
        if more:
            # pieces of a stream come one by one, and each is awaited
            self._connection.write_now(data)
            return
        self._connection.write(data)
        self._complete = True
        self._connection.finish(self)

    def _piece(self) -> Message:
        body = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._given = not self.more_body
        self._connection.resume_reading()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _invite(self) -> None:
        """Tell a client that waits for it to send its body (RFC 9110 10.1.1)."""
        self._invited = True
        if self._expects_invitation():
            self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _expects_invitation(self) -> bool:
        return self.scope["http_version"] == "1.1" and any(
            name == b"expect" and value.lower() == b"100-continue"
            for name, value in self.scope["headers"]
        )

    def _write_head(self, status: int, headers: Headers) -> bytes:
        if self.more_body and not self._invited and self._expects_invitation():
            # it may send the body that it was not asked for, or its next request
            self.keep_alive = False
        # another head may have been refused before
        self._left, self._chunked = None, False
        bodiless = status in _BODILESS or self.scope["method"] == "HEAD"
        lines = [
            _STATUS.get(status) or b"HTTP/1.1 %d " % status,
            *self._connection.defaults(),
            *map(b": ".join, headers),
        ]
        for name, value in headers:
            if name == b"content-length":
                self._left = 0 if bodiless else int(value)
        if self._left is None:
            if bodiless:
                self._left = 0
            elif self.scope["http_version"] == "1.1":
                self._chunked = True
                lines.append(b"transfer-encoding: chunked")
        if not self.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        # every line break must be one of ours (CWE-113)
        breaks = len(lines) - 1
        if head.count(b"\n") != breaks or head.count(b"\r") != breaks:
            raise Unwritable("a header of the answer holds a line break")
        return head + b"\r\n\r\n"

    def _framed(self, body: bytes, more: bool) -> bytes:  # noqa: FBT001 - for each piece of a stream
        if self._chunked:
            if more:
                return b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            end = b"0\r\n\r\n"
            return b"%x\r\n%b\r\n%b" % (len(body), body, end) if body else end
        if self._left is None:
            # HTTP/1.0: the end of the connection is the end of the answer
            return body
        if self.scope["method"] == "HEAD":
            return b""
        self._left -= len(body)
        if self._left < 0 or (self._left and not more):
            raise Unwritable("the answer's body has another length than its head says")
        return body
