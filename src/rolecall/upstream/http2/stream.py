"""One request on an HTTP/2 connection, and its answer."""

import asyncio
import re
from typing import TYPE_CHECKING, Final

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream.transport import Headers, Sink, TransportError
from rolecall.upstream.waiting import Wait

if TYPE_CHECKING:
    from rolecall.upstream.http2.connection import Connection

WINDOW: Final = 256 * 1024
"""Bytes of one answer that are held for somebody who does not read them."""
MAX_HEADERS: Final = 200
MAX_INTERIM: Final = 16
_CONTROL: Final = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")


class Unprocessed(TransportError):
    """The upstream has not processed the request, which may be sent once more (RFC 9113 8.7)."""


class Stream:
    """One request and its answer; what the connection tells of it, and what is read of it.

    Args:
        connection: carries it.
        number: the stream's ID.
        timeouts: deadlines.
        streamed: whether the answer is to be a stream, which begins sooner.
        began: the loop's time when the caller began, before there was a connection.
        alone: whether the connection had been idle.

    Attributes:
        status: 0 before the answer begins.
        headers: of the answer, names in lower case.
    """

    __slots__ = (
        "_alone",
        "_complete",
        "_connection",
        "_fault",
        "_heard",
        "_idle",
        "_interim",
        "_loop",
        "_number",
        "_owed",
        "_patience",
        "_pieces",
        "_sent",
        "_total_timer",
        "_untaken",
        "_wait",
        "headers",
        "status",
    )

    def __init__(  # noqa: PLR0913 - what is known of a request
        self,
        connection: "Connection",
        number: int,
        timeouts: Timeouts,
        *,
        streamed: bool,
        began: float,
        alone: bool,
    ) -> None:
        self._connection = connection
        self._number = number
        self._loop = loop = connection.loop
        self._patience = timeouts.stream if streamed else timeouts.first_byte
        self._idle = timeouts.idle
        self._alone = alone
        self._wait = Wait(loop)
        self._pieces: list[bytes] = []
        self._untaken = 0
        self._owed = 0
        self._interim = 0
        self._complete = False
        self._fault: TransportError | None = None
        self._total_timer: asyncio.TimerHandle | None = None
        if timeouts.total is not None:
            late = f"The upstream took more than {timeouts.total:g} s."
            self._total_timer = loop.call_at(began + timeouts.total, self._be_late, late)
        self._sent = loop.time()
        self._heard = connection.arrivals
        self.status = 0
        self.headers: Headers = []

    # -- what the caller does with it ----------------------------------------------------------

    async def answer(self) -> None:
        """Wait for the head of the answer.

        Raises:
            Unprocessed: the request may be sent once more.
            TransportError: no usable answer came.
        """
        late = f"The upstream did not answer within {self._patience:g} s."
        timer = self._loop.call_at(self._sent + self._patience, self._be_late, late)
        try:
            while not self.status and self._fault is None:
                await self._wait
        finally:
            timer.cancel()
        if not self.status and self._fault is not None:
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
        if not (self._pieces or self._complete or self._fault is not None):
            await self._more()
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._credit()
            return data
        if self._fault is not None:
            raise self._fault
        return b""

    async def pass_on(self, sink: Sink) -> None:
        """Hand each piece of the body to ``sink`` as it comes, until it wants no more or the end.

        Raises:
            TransportError: as `read` does.
        """
        while (piece := await self.read()) and sink(piece):
            pass

    def close(self) -> None:
        """End the request, if its answer has not come to its end."""
        if not self._complete and self._fault is None:
            self._fault = TransportError(Reason.UPSTREAM_ERROR, "The answer was closed.")
            self._connection.reset(self._number)
        self._pieces.clear()
        self._stop_timing()

    async def _more(self) -> None:
        self._heard = self._connection.arrivals
        late = f"The upstream sent nothing for {self._idle:g} s."
        timer = self._loop.call_later(self._idle, self._be_late, late)
        try:
            while not (self._pieces or self._complete or self._fault is not None):
                await self._wait
        finally:
            timer.cancel()

    def _credit(self) -> None:
        """Let the upstream send as much again as was taken, now and then."""
        self._owed += self._untaken
        self._untaken = 0
        if self._owed > WINDOW // 2 and not self._complete and self._fault is None:
            self._connection.credit(self._number, self._owed)
            self._owed = 0

    # -- what the connection tells -------------------------------------------------------------

    def wake(self) -> None:
        """Whoever waits looks again."""
        self._wait.wake()

    def begin(self, headers: Headers) -> None:
        """The head of the answer, or of an interim one."""
        status = next((value for name, value in headers if name == b":status"), b"")
        if not (len(status) == 3 and status.isdigit() and status[0] in b"12345"):
            self.fail(Reason.UPSTREAM_ERROR, "The upstream's answer breaks HTTP/2.")
        elif any(_CONTROL.search(value) for _, value in headers):
            # RFC 9110 5.5; h2 refuses line breaks and NUL
            self.fail(Reason.UPSTREAM_ERROR, "The upstream's answer breaks HTTP.")
        elif len(headers) > MAX_HEADERS:
            self.fail(Reason.UPSTREAM_ERROR, "The head of the upstream's answer is too long.")
        elif status[0] != ord("1"):
            self.headers = [field for field in headers if field[0][:1] != b":"]
            self.status = int(status)
        else:
            self._interim += 1
            if status == b"101" or self._interim > MAX_INTERIM:
                # RFC 9113 8.6: there is nothing to switch to
                self.fail(Reason.UPSTREAM_ERROR, "The upstream switches or delays the protocol.")

    def take(self, data: bytes, cost: int) -> None:
        """A piece of the body; ``cost`` is what it takes of the window, padding included."""
        self._untaken += cost
        if data:
            self._pieces.append(data)

    def end(self) -> None:
        """The answer is whole."""
        if self._fault is None:
            self._complete = True
            self._stop_timing()

    def fail(self, reason: Reason, message: str) -> None:
        """The answer cannot be used: the upstream is told to stop."""
        if not self._complete and self._fault is None:
            self.lose(TransportError(reason, message))
            self._connection.reset(self._number)

    def lose(self, fault: TransportError) -> None:
        """No more will come."""
        if not self._complete and self._fault is None:
            self._fault = fault
            self._stop_timing()

    def refused(self) -> None:
        """The upstream has not looked at the request."""
        self.lose(Unprocessed(Reason.UPSTREAM_UNAVAILABLE, "The upstream refuses the request."))

    def disconnected(self) -> None:
        """The connection is gone."""
        if self._alone and not self.status and self._connection.arrivals == self._heard:
            # as with HTTP/1.1: the upstream had hung up before it saw the request
            self.lose(Unprocessed(Reason.UPSTREAM_ERROR, "The upstream closed an idle connection."))
        else:
            self.broken_off()

    def broken_off(self) -> None:
        """The upstream ended the answer before its time."""
        what = "its answer" if self.status else "before it answered"
        self.lose(TransportError(Reason.UPSTREAM_ERROR, f"The upstream broke off {what}."))

    # -- deadlines -----------------------------------------------------------------------------

    def _be_late(self, message: str) -> None:
        if self._connection.arrivals == self._heard:
            # not a word to anybody: it may be dead
            self._connection.retire()
        self.fail(Reason.UPSTREAM_TIMEOUT, message)
        self.wake()

    def _stop_timing(self) -> None:
        if self._total_timer is not None:
            self._total_timer.cancel()
            self._total_timer = None
