"""An HTTP/2 server that knows the protocol and answers as badly as a test likes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from hyperframe.frame import GoAwayFrame

from ...parts.listening import listening
from ...parts.server import reset

# nothing of what it sends is checked or corrected
CARELESS = h2.config.H2Configuration(
    client_side=False, validate_outbound_headers=False, normalize_outbound_headers=False
)


@dataclass
class Received:
    """One request as it came."""

    peer: "Peer"
    number: int
    headers: list[tuple[bytes, bytes]]
    body: bytearray = field(default_factory=bytearray)
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None
    """Why the client ended it before its time."""

    @property
    def path(self) -> str:
        return dict(self.headers)[b":path"].decode()


class Peer:
    """A client's connection as the server sees it."""

    def __init__(self, server, reader, writer) -> None:
        self.server = server
        self.gone = asyncio.Event()
        self.farewell = False
        self.h2 = h2.connection.H2Connection(CARELESS)
        self.requests: dict[int, Received] = {}
        self._reader = reader
        self.writer = writer
        self._room = asyncio.Event()
        self._answered = asyncio.Event()

    # -- what a test does with it --------------------------------------------------------------

    async def head(self, received, *headers, status=b"200", end=False) -> None:
        self.h2.send_headers(received.number, [(b":status", status), *headers], end_stream=end)
        await self.flush()

    async def data(self, received, data, *, end=False) -> None:
        """Send a piece of the body as the windows allow."""
        rest = memoryview(data)
        while rest or end:
            size = min(
                self.h2.local_flow_control_window(received.number), self.h2.max_outbound_frame_size
            )
            if rest and size <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            self.h2.send_data(
                received.number, bytes(rest[:size]), end_stream=end and len(rest) <= size
            )
            end = end and len(rest) > size
            rest = rest[size:]
            await self.flush()

    async def answer(self, received, body, *headers) -> None:
        await self.head(received, *headers)
        await self.data(received, body, end=True)

    async def refuse(self, received, code) -> None:
        self.h2.reset_stream(received.number, code)
        await self.flush()

    async def go_away(self, last, code=0) -> None:
        """Ask for no more requests, as h2 itself cannot without ending the connection."""
        frame = GoAwayFrame(0)
        frame.last_stream_id, frame.error_code = last, code
        await self.raw(frame.serialize())

    async def raw(self, data) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def heard(self) -> None:
        """Wait until the client has taken in everything that was sent: it answers a PING."""
        self._answered.clear()
        self.h2.ping(b"12345678")
        await self.flush()
        await self._answered.wait()

    async def flush(self) -> None:
        await self.raw(self.h2.data_to_send())

    def pause(self) -> None:
        """Read no more."""
        self.writer.transport.pause_reading()

    def close(self) -> None:
        self.writer.close()

    def cut(self) -> None:
        """End the connection without TLS's farewell."""
        self.writer.transport.abort()

    def reset(self) -> None:
        """End the connection with RST."""
        reset(self.writer)

    # -- what it does by itself ----------------------------------------------------------------

    async def receive(self) -> AsyncIterator[Received]:
        """The requests as they begin; their bodies come afterwards."""
        while data := await self._reader.read(65_536):
            for event in self.h2.receive_data(data):
                match event:
                    case h2.events.RequestReceived():
                        received = Received(self, event.stream_id, event.headers)
                        self.requests[event.stream_id] = received
                        self.server.arrival.set()
                        yield received
                    case h2.events.DataReceived():
                        self.requests[event.stream_id].body += event.data
                        if event.flow_controlled_length:
                            self.h2.acknowledge_received_data(
                                event.flow_controlled_length, event.stream_id
                            )
                    case h2.events.StreamEnded():
                        self.requests[event.stream_id].whole.set()
                    case h2.events.StreamReset():
                        self.requests[event.stream_id].code = event.error_code
                        self.requests[event.stream_id].ended.set()
                    case h2.events.PingAckReceived():
                        self._answered.set()
                    case h2.events.ConnectionTerminated():
                        self.farewell = True
            await self.flush()
            self._room.set()

    def abort(self) -> None:
        self.writer.transport.abort()
        self.gone.set()


Answer = Callable[[Peer, Received], Awaitable[None]]


@dataclass
class Server:
    """What came to the server, and where it is."""

    url: str
    peers: list[Peer] = field(default_factory=list)
    arrival: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def requests(self) -> list[Received]:
        return [received for peer in self.peers for received in peer.requests.values()]

    async def until(self, number: int) -> None:
        """Wait until so many requests have come."""
        while len(self.requests) < number:
            self.arrival.clear()
            await self.arrival.wait()


async def own(peer: Peer, received: Received) -> None:
    """The answer that belongs to a request and to no other."""
    await received.whole.wait()
    await peer.answer(received, b"own " + received.path.encode() + b" " + received.body)


async def silence(peer: Peer, received: Received) -> None:
    """No answer at all."""


@asynccontextmanager
async def serving(
    answer: Answer = own,
    *,
    tls: ssl.SSLContext | None = None,
    alpn: str = "h2",
    settings: dict[int, int] | None = None,
    greeting: bytes | None = None,
) -> AsyncIterator[Server]:
    """Serve; ``answer`` is called with each request, beside all others.

    Args:
        answer: called with each request.
        tls: a server's context.
        alpn: the protocol that it agrees to.
        settings: what it tells of itself, by HTTP/2's codes.
        greeting: what is sent instead of HTTP/2's beginning.
    """

    async def serve(reader, writer) -> None:
        peer = Peer(running, reader, writer)
        running.peers.append(peer)
        running.arrival.set()
        answering = set()
        try:
            if greeting is None:
                peer.h2.local_settings.update(settings or {})
                peer.h2.local_settings.acknowledge()
                table = peer.h2.local_settings.header_table_size
                peer.h2.decoder.max_allowed_table_size = table
                peer.h2.initiate_connection()
                await peer.flush()
            else:
                await peer.raw(greeting)
                await reader.read()
            async for received in peer.receive():
                answering.add(asyncio.create_task(_quietly(answer(peer, received))))
        except h2.exceptions.ProtocolError:
            pass
        finally:
            peer.abort()
            for task in answering:
                task.cancel()
            await asyncio.gather(*answering, return_exceptions=True)

    if tls is not None:
        tls.set_alpn_protocols([alpn])
    async with listening(serve, tls=tls) as port:
        running = Server(f"{'http' if tls is None else 'https'}://127.0.0.1:{port}")
        yield running


async def _quietly(answering: Awaitable[None]) -> None:
    with suppress(ConnectionError, h2.exceptions.ProtocolError, ssl.SSLError):
        await answering
