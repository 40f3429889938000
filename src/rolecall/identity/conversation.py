"""A connection to a server of an identity provider: a request, and its whole, small answer."""

import asyncio
from typing import Final, cast

import httptools

from rolecall.identity.documents import MAX_BYTES, Answer

_MAX_HEAD: Final = 64 * 1024


class Broken(Exception):
    """The answer is not good HTTP, broke off, or is too long; the text says which."""


class Unanswered(Broken):
    """The server ended the connection before it answered, as it may when one has lain idle."""


class Conversation(asyncio.Protocol):
    """One connection; one request at a time.

    Of an answer that is of no use, a redirect or a compressed one, the body is not waited for.

    Attributes:
        usable: whether another request may follow.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.usable = False
        self._loop = loop
        self._lost = False
        self._answer: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request, and wait for its answer.

        Raises:
            Broken: there is none.
        """
        if self._lost:
            raise Unanswered("it has hung up")
        self.usable = False
        self._parser = httptools.HttpResponseParser(self)
        self._answer = self._loop.create_future()
        self._began = False
        self._expect_head()
        self._transport.write(request)
        try:
            return await self._answer
        except BaseException:
            self._transport.abort()
            raise

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    # -- what the event loop tells ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # uvloop's are of no such class, and behave as if they were
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._answer is None or self._answer.done():
            # nobody has asked for them
            self.usable = False
            self._transport.abort()
            return
        self._began = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("its answer is not good HTTP")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, and with it an answer whose length nobody has told."""
        self._lost = True
        self.usable = False
        answer = self._answer
        if answer is None or answer.done():
            return
        if not self._began:
            answer.set_exception(Unanswered("it hung up before it answered"))
        elif exc is None and self._status and self._endless:
            answer.set_result(self._whole())
        else:
            self._fail("it hung up in the midst of its answer")

    # -- what the parser tells ---------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of several with one name all values."""
        self._size += len(name) + len(value)
        if self._size > _MAX_HEAD:
            self._fail("the head of its answer is too long")
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._status = self._parser.get_status_code()
        self._endless = not {"content-length", "transfer-encoding"} & self._headers.keys()
        coding = self._headers.get("content-encoding", "identity")
        if (300 <= self._status < 400 or coding != "identity") and self._waits():
            self._finish()
            self._transport.abort()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._body += data
        if len(self._body) > MAX_BYTES:
            self._fail(f"it answered with more than {MAX_BYTES} bytes")

    def on_message_complete(self) -> None:
        """An answer is whole: the one that is waited for, or one before it (RFC 9110 15.2)."""
        if self._status < 200:
            self._expect_head()
        elif self._waits():
            self.usable = self._parser.should_keep_alive()
            self._finish()
        else:
            # two answers to one request, or the rest of one that was of no use
            self.usable = False

    def _expect_head(self) -> None:
        self._status = 0
        self._size = 0
        self._endless = False
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def _waits(self) -> bool:
        return self._answer is not None and not self._answer.done()

    def _whole(self) -> Answer:
        return Answer(self._status, self._headers, bytes(self._body))

    def _finish(self) -> None:
        assert self._answer is not None  # noqa: S101 - somebody waits
        self._answer.set_result(self._whole())

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(Broken(why))
        self._transport.abort()
