"""A server on a raw socket that reads requests properly and answers as badly as a test likes."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from .listening import listening


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    path: str
    head: bytes
    body: bytes


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@dataclass
class Peer:
    """A client's connection as the server sees it."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    flooded: int = 0
    """Bytes that `flood` has sent."""

    async def receive(self) -> Received:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        path = head.split(b" ", 2)[1].decode()
        return Received(path, head, await self.reader.readexactly(length))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes) -> None:
        await self.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    async def flood(self) -> None:
        """Send without end, as fast as they are taken."""
        while True:
            await self.send(bytes(65_536))
            self.flooded += 65_536

    @property
    def stuck(self) -> bool:
        """Whether what was sent waits here, because nobody takes it."""
        transport = self.writer.transport
        return transport.get_write_buffer_size() > transport.get_write_buffer_limits()[1]

    async def until_closed(self) -> None:
        """Wait, as the one who answers, until the client has closed the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def close(self) -> None:
        self.writer.close()

    def cut(self) -> None:
        """End the connection without TLS's farewell."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """End the connection with RST."""
        reset(self.writer)


Answer = Callable[[Peer, Received], Awaitable[None]]


@dataclass
class Server:
    """What came to the server, and where it is."""

    url: str
    requests: list[Received] = field(default_factory=list)
    peers: list[Peer] = field(default_factory=list)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)


async def own(peer: Peer, received: Received) -> None:
    """The answer that belongs to a request and to no other."""
    await peer.answer(b"own " + received.path.encode() + b" " + received.body)


@asynccontextmanager
async def serving(
    answer: Answer = own,
    *,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    greeting: bytes = b"",
    keeping: bool = True,
) -> AsyncIterator[Server]:
    """Serve; ``answer`` is called with each request, and may do to the connection what it likes.

    Args:
        answer: called with each request.
        tls: a server's context.
        host: where to listen.
        port: where to listen; 0 for any.
        greeting: what is sent before any request.
        keeping: whether what came is kept, to be looked at.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(len(running.peers), reader, writer)
        if keeping:
            running.peers.append(peer)
        if greeting:
            writer.write(greeting)
        try:
            while not writer.is_closing():
                received = await peer.receive()
                running.arrival.set()
                if keeping:
                    running.requests.append(received)
                await answer(peer, received)
        finally:
            writer.transport.abort()
            peer.gone.set()

    async with listening(serve, host=host, port=port, tls=tls) as given:
        running = Server(f"{'http' if tls is None else 'https'}://{host}:{given}")
        yield running
