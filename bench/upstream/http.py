"""A server's side of HTTP/1.1 on asyncio and httptools, for the small servers of the bench."""

import asyncio
import signal
from collections.abc import Callable
from typing import Final, cast

import httptools
import uvloop

_MANY: Final = 4096


class Connection(asyncio.Protocol):
    """One client; a subclass answers each request in ``asked``."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        # uvloop's transports only look like it
        self.transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """A request begins."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of it."""
        if name.lower() == b"authorization":
            self.authorization(value)

    def on_message_complete(self) -> None:
        """It is whole."""
        self.asked()

    def authorization(self, value: bytes) -> None:
        """The request carries this credential."""

    def asked(self) -> None:
        """Answer the request."""
        raise NotImplementedError


def head(status: str, kind: str, length: int | None) -> bytes:
    """The head of an answer; chunked where the length is not known."""
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{framing}\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    """One chunk of an answer."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def serve(connection: Callable[[], Connection], port: int) -> None:
    """Serve on loopback until SIGTERM."""
    uvloop.run(_serve(connection, port))


async def _serve(connection: Callable[[], Connection], port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(connection, "127.0.0.1", port, backlog=_MANY)
    await stopped.wait()
    server.close()
