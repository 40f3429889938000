"""An event stream that is passed on as it is, cut between events and never inside one.

Half an event is of no use to anybody, and after one an error could not be told any more: it
would be read as the other half.
"""

from typing import Final

_MOST_HELD: Final = 1024 * 1024


class WholeEvents:
    """Holds back the beginning of an event until its end has come."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """The bytes up to the last end of an event; one that is very long passes in pieces."""
        if self._held:
            data = self._held + data
        elif data.endswith(b"\n\n"):
            # the usual piece: whole events
            return data
        end = max(data.rfind(b"\n\n") + 2, data.rfind(b"\r\n\r\n") + 4, data.rfind(b"\r\r") + 2)
        if end < 4 and not data.endswith((b"\n\n", b"\r\r")):
            end = 0
        if len(data) - end > _MOST_HELD:
            end = len(data)
        self._held = data[end:]
        return data[:end]

    def end(self) -> bytes:
        """What is left when the stream has ended well."""
        return self._held
