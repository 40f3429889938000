"""What an upstream sends is looked at frame by frame before h2 sees it, for what h2 does not do.

h2 takes GOAWAY for the end of the connection, and of every request on it. By RFC 9113 6.8 the
upstream only wants no more requests, and finishes those that it names; nginx does so with every
restart and after every so many requests (``keepalive_requests``), and so do load balancers. And h2
waits for the whole of a frame before it looks at its length, up to 16 MiB of whatever it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from h2.exceptions import FrameTooLargeError, ProtocolError

MAX_FRAME: Final = 16_384
_HEADER: Final = 9
_SETTINGS: Final = 4
_GOAWAY: Final = 7
_GOAWAY_LEAST: Final = 8


@dataclass(frozen=True, slots=True)
class GoAway:
    """The upstream takes no more requests: those beyond ``last`` it has not looked at."""

    last: int


class Frames:
    """Follows the frames of one connection."""

    __slots__ = ("_begun", "_held", "_passing")

    def __init__(self) -> None:
        self._begun = False
        self._held = b""
        self._passing = 0

    def cut(self, data: bytes) -> Iterator[bytes | GoAway]:
        """What has come, in order: bytes for h2, and between them what was cut out.

        A GOAWAY that is not as it must be is h2's to refuse.

        Raises:
            ProtocolError: a frame is longer than we allow, or the first one is not SETTINGS
                (RFC 9113 3.4).
        """
        data = self._held + data
        self._held = b""
        start, place, size = 0, self._passing, len(data)
        while place < size:
            if size - place < _HEADER:
                self._held = data[place:]
                break
            end = place + _HEADER + self._length(data, place)
            if not _is_goaway(data, place, end):
                place = end
                continue
            if end > size:
                self._held = data[place:]
                break
            if place > start:
                yield data[start:place]
            yield GoAway(int.from_bytes(data[place + 9 : place + 13]) & 0x7FFF_FFFF)
            start = place = end
        self._passing = 0 if self._held else place - size
        rest = data[start : size - len(self._held)]
        if rest:
            yield rest

    def _length(self, data: bytes, place: int) -> int:
        length = int.from_bytes(data[place : place + 3])
        if length > MAX_FRAME:
            raise FrameTooLargeError(f"a frame of {length} bytes")
        if not self._begun and data[place + 3] != _SETTINGS:
            raise ProtocolError("the first frame is not SETTINGS")
        self._begun = True
        return length


def _is_goaway(data: bytes, place: int, end: int) -> bool:
    return (
        data[place + 3] == _GOAWAY
        and end - place - _HEADER >= _GOAWAY_LEAST
        and int.from_bytes(data[place + 5 : place + 9]) & 0x7FFF_FFFF == 0
    )
