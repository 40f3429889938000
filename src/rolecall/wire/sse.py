"""Server-sent events: bytes to events, in pieces as they come, and events to bytes.

Source: WHATWG HTML, 9.2.6 "Interpreting an event stream". ``id`` and ``retry`` steer a browser's
reconnection, which a gateway does not do, so they are read over.
"""

import re
from dataclasses import dataclass
from typing import Final

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name, None where none was sent, and its data lines joined by a line feed."""

    event: str | None
    data: bytes


class EventTooLargeError(ValueError):
    """One event is longer than the decoder was told to hold."""


class Decoder:
    """Reads one event stream that arrives in pieces of any size, cut at any byte.

    Args:
        max_event_bytes: the most that is held for one event, in bytes.
    """

    __slots__ = ("_data", "_event", "_first", "_held", "_max", "_skip_lf", "_tail")

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._tail: list[bytes] = []
        self._data: list[bytes] = []
        self._event: bytes | None = None
        self._held = 0
        self._first = True
        self._skip_lf = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete, in order.

        What is unfinished when the stream ends is not an event (9.2.6), so there is no flush.

        Raises:
            EventTooLargeError: when an event outgrows its bound, whether or not it is complete.
        """
        if self._skip_lf and data:
            self._skip_lf = False
            data = data.removeprefix(b"\n")
        events: list[Event] = []
        for line in data.splitlines(keepends=True):
            self._held += len(line)
            if self._held > self._max:
                raise EventTooLargeError(f"An event is longer than {self._max} bytes.")
            if line[-1] not in b"\r\n":
                self._tail.append(line)
                break
            if self._tail:
                # joined once a line, or a long line in small pieces would cost its square
                line = b"".join((*self._tail, line))  # noqa: PLW2901
                self._tail.clear()
            event = self._line(line.rstrip(b"\r\n"))
            if event is not None:
                events.append(event)
        # a line feed that opens the next piece belongs to this carriage return
        self._skip_lf = self._skip_lf or data.endswith(b"\r")
        return events

    def _line(self, line: bytes) -> Event | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
        elif name == b"event":
            self._event = value.removeprefix(b" ")
        elif not self._data and self._event is None:
            # comments keep a quiet connection open for hours; they must not add up to one event
            self._held = 0
        return None

    def _dispatch(self) -> Event | None:
        name, data = self._event, self._data
        self._event, self._data, self._held = None, [], 0
        if not data:
            return None
        return Event(name.decode("utf-8", "replace") if name else None, b"\n".join(data))


def encode(event: Event) -> bytes:
    """Write one event.

    Raises:
        ValueError: when the event's name holds a line end, which would start another field.
    """
    if event.event is None:
        return encode_data(event.data)
    name = event.event.encode()
    if _LINE_END.search(name):
        raise ValueError("The name of an event cannot hold a line end.")
    return b"event: " + name + b"\n" + encode_data(event.data)


def encode_data(data: bytes) -> bytes:
    """Write one event without a name; every line of the data becomes a ``data`` line."""
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE_END.split(data))
    return b"data: " + data + b"\n\n"
