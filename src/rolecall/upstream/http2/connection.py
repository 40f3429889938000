"""One HTTP/2 connection to an upstream, and the requests that share it: I/O around h2.

A request that ends before its time ends alone. A connection that breaks the protocol ends with all
its requests; one that is told to take no more (GOAWAY), or that is silent, is retired: it finishes
what it has, and gets nothing new.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import NoAvailableStreamIDError, ProtocolError, StreamClosedError
from h2.settings import SettingCodes, Settings

from rolecall.core import Reason
from rolecall.upstream.http2.frames import MAX_FRAME, Frames, GoAway
from rolecall.upstream.http2.stream import WINDOW, Stream, Unprocessed
from rolecall.upstream.transport import Headers, Request, TransportError

MAX_HEAD: Final = 64 * 1024
# the window of all answers together is given back as they come, so that one that nobody reads
# holds up no other; each has a window of its own
CONNECTION_WINDOW: Final = 16 * 1024 * 1024
MAX_TABLE: Final = 4096
MOST_UNSENT: Final = 16 * 1024 * 1024
# what has not been heard of for so long may be dead; common servers hang up later
EXPIRY: Final = 15.0

_CONFIG: Final = H2Configuration()
_NOT_SPOKEN: Final = "The upstream does not speak HTTP/2."


class Connection(asyncio.Protocol):
    """One connection; it stands when the upstream has said how many requests it takes.

    Args:
        loop: the running loop.
        on_closed: called once, when the connection is gone.

    Attributes:
        loop: the running loop.
        arrivals: how often something has come.
        established: done when requests may begin; fails with a `TransportError`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_closed: "Callable[[Connection], None]"
    ) -> None:
        self.loop = loop
        self.arrivals = 0
        self.established: asyncio.Future[None] = loop.create_future()
        self._on_closed = on_closed
        self._heard = loop.time()
        self._transport: asyncio.Transport
        self._tls: ssl.SSLObject | None = None
        self._h2 = H2Connection(_CONFIG)
        self._frames = Frames()
        self._streams: dict[int, Stream] = {}
        self._unsent: dict[int, memoryview] = {}
        self._told: dict[Stream, None] = {}
        self._owed = 0
        self._paused = False
        self._used = False
        self._retired = False
        self._ended = False
        self._expiry: asyncio.TimerHandle | None = None

    # -- what the pool and the transport do with it --------------------------------------------

    def has_room(self) -> bool:
        """Whether another request may begin."""
        if self.loop.time() - self._heard > EXPIRY:
            self.retire()
        return (
            not (self._retired or self._transport.is_closing())
            and len(self._streams) < self._h2.remote_settings.max_concurrent_streams
        )

    @property
    def idle(self) -> bool:
        """Whether it has no request."""
        return not self._streams

    def begin(self, request: Request, fields: Headers, began: float) -> Stream:
        """Send a request.

        Args:
            request: its body, and deadlines for its answer.
            fields: everything of its head, pseudo-header fields first.
            began: the loop's time when the caller began, before there was a connection.

        Raises:
            Unprocessed: the connection has no number left for it.
        """
        try:
            number = self._h2.get_next_available_stream_id()
        except NoAvailableStreamIDError:
            self.retire()
            raise Unprocessed(
                Reason.UPSTREAM_UNAVAILABLE, "The connection to the upstream is used up."
            ) from None
        alone = self._used and not self._streams
        self._used = True
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        timeouts = request.destination.timeouts
        stream = Stream(self, number, timeouts, streamed=request.stream, began=began, alone=alone)
        self._streams[number] = stream
        self._h2.send_headers(number, fields, end_stream=not request.body)
        if request.body:
            self._unsent[number] = memoryview(request.body)
            self._send_bodies()
        self._flush()
        return stream

    def retire(self) -> None:
        """Take no more requests; end as soon as there is none."""
        self._retired = True
        if not self._streams:
            self.close()

    def close(self) -> None:
        """End the connection at once."""
        if not self._ended:
            self._h2.close_connection()
            self._drop(Stream.broken_off)
            self._end()

    def tls_session(self) -> ssl.SSLSession | None:
        """The TLS session, with which the next handshake is shorter."""
        return self._tls.session if self._tls is not None else None

    # -- what a stream does with it ------------------------------------------------------------

    def credit(self, number: int, amount: int) -> None:
        """Let the upstream send so many bytes more of an answer."""
        if number in self._streams:
            self._h2.increment_flow_control_window(amount, number)
            self._flush()

    def reset(self, number: int) -> None:
        """End a request before its time."""
        if number in self._streams:
            # the upstream may have ended it too, and its word be among what is being taken in
            with suppress(StreamClosedError):
                self._h2.reset_stream(number, ErrorCodes.CANCEL)
            self._flush()
            self._forget(number)

    # -- what the event loop tells -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, and the upstream is told what we take."""
        # uvloop's are of no such class, and behave as if they were
        self._transport = cast("asyncio.Transport", transport)
        self._tls = transport.get_extra_info("ssl_object")
        if self._tls is not None and self._tls.selected_alpn_protocol() != "h2":
            self._fail(Reason.UPSTREAM_UNAVAILABLE, _NOT_SPOKEN)
            return
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEAD,
            },
        )
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(CONNECTION_WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: all that they say is taken in before anybody is told."""
        self.arrivals += 1
        self._heard = self.loop.time()
        try:
            for part in self._frames.cut(data):
                if isinstance(part, GoAway):
                    self._go_away(part)
                    continue
                for event in self._h2.receive_data(part):
                    self._take_in(event)
        except ProtocolError:
            self._fail(Reason.UPSTREAM_ERROR, "The upstream breaks HTTP/2.")
        if not self._ended:
            self._give_back()
            self._send_bodies()
            self._flush()
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            # it makes us answer, and does not read the answers
            self._fail(Reason.UPSTREAM_ERROR, "The upstream does not read what it asks for.")
        self._tell()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._retired = self._ended = True
        if self._expiry is not None:
            self._expiry.cancel()
        # with TLS 1.3 a client learns after the handshake that it was refused
        what = "the TLS connection" if isinstance(exc, ssl.SSLError) else "the connection"
        self._settle(TransportError(Reason.UPSTREAM_UNAVAILABLE, f"The upstream ended {what}."))
        self._drop(Stream.disconnected)
        self._on_closed(self)
        self._tell()

    def pause_writing(self) -> None:
        """The upstream reads more slowly than we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._paused = False
        self._send_bodies()

    # -- what h2 tells -------------------------------------------------------------------------

    def _take_in(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            # what is remembered of our heads is no more because the upstream would remember more
            self._h2.encoder.header_table_size = min(self._h2.encoder.header_table_size, MAX_TABLE)
            self._settle(None)
            return
        if isinstance(event, DataReceived):
            self._owed += event.flow_controlled_length
        number = getattr(event, "stream_id", 0)
        stream = self._streams.get(number)
        if stream is None:
            return
        self._told[stream] = None
        match event:
            case ResponseReceived() | InformationalResponseReceived():
                stream.begin(event.headers)
            case DataReceived():
                stream.take(event.data, event.flow_controlled_length)
            case StreamEnded():
                stream.end()
                if number in self._unsent:
                    # RFC 9113 8.1: whoever answers early does not want the rest of the request
                    self.reset(number)
                else:
                    self._forget(number)
            case StreamReset():
                if event.error_code == ErrorCodes.REFUSED_STREAM:
                    stream.refused()
                else:
                    stream.broken_off()
                self._forget(number)

    def _go_away(self, goaway: GoAway) -> None:
        for number, stream in list(self._streams.items()):
            if number > goaway.last:
                stream.refused()
                self._told[stream] = None
                self._forget(number)
        self.retire()

    def _settle(self, fault: TransportError | None) -> None:
        """Requests may begin, or never will."""
        if self.established.done():
            return
        if fault is None:
            self.established.set_result(None)
            self._rest()
        else:
            self.established.set_exception(fault)
            # whoever waited may be gone
            self.established.exception()

    def _tell(self) -> None:
        told, self._told = self._told, {}
        for stream in told:
            stream.wake()

    # -- writing -------------------------------------------------------------------------------

    def _send_bodies(self) -> None:
        """Send what the upstream's windows allow, a frame of each request in turn."""
        moved = True
        while moved and not self._paused:
            moved = False
            for number in list(self._unsent):
                moved = self._send_frame(number) or moved
                self._flush()
                if self._paused:
                    return

    def _send_frame(self, number: int) -> bool:
        # never more than the least that all must take (RFC 9113 4.2), so that all get their turn
        size = min(self._h2.local_flow_control_window(number), MAX_FRAME)
        if size <= 0:
            return False
        rest = self._unsent[number]
        last = len(rest) <= size
        self._h2.send_data(number, bytes(rest[:size]), end_stream=last)
        if last:
            del self._unsent[number]
        else:
            self._unsent[number] = rest[size:]
        return True

    def _give_back(self) -> None:
        if self._owed > CONNECTION_WINDOW // 4:
            self._h2.increment_flow_control_window(self._owed)
            self._owed = 0

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    # -- the end -------------------------------------------------------------------------------

    def _forget(self, number: int) -> None:
        del self._streams[number]
        self._unsent.pop(number, None)
        self._rest()

    def _rest(self) -> None:
        """Wait for the next request, if there is none."""
        if self._streams:
            return
        if self._retired:
            self.close()
        else:
            self._expiry = self.loop.call_later(EXPIRY, self.retire)

    def _drop(self, lose: Callable[[Stream], None]) -> None:
        """Nothing more comes for any request; whoever ends the connection tells them."""
        for stream in self._streams.values():
            lose(stream)
            self._told[stream] = None
        self._streams.clear()
        self._unsent.clear()

    def _fail(self, reason: Reason, message: str) -> None:
        """End the connection and everything on it; who calls the caller of this tells."""
        fault = TransportError(reason, message)
        self._settle(TransportError(Reason.UPSTREAM_UNAVAILABLE, _NOT_SPOKEN))
        self._drop(lambda stream: stream.lose(fault))
        self._end()

    def _end(self) -> None:
        self._retired = self._ended = True
        self._flush()
        self._transport.abort()
