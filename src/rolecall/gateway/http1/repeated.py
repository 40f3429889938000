"""A head that comes again on its connection is not read again.

A client's library sends the same head with each request of a connection, but for the length of the
body. The same bytes in the same place mean the same: what the parser made of them the first time
is taken again. A request that differs in any other byte goes to the parser.
"""

from dataclasses import dataclass
from typing import Final, Self

from rolecall.gateway.asgi import Scope
from rolecall.upstream import Headers

KEPT: Final = "rolecall.head"
"""The extension of ASGI: a dict for what an application works out of a head alone.

It is there when a head has come again, and it is the same one as long as the head is."""

MOST_BYTES: Final = 8 * 1024
"""The longest head that is remembered."""

_LENGTH: Final = b"content-length"
_MOST_DIGITS: Final = 12
# what follows such a head is more than a body of this length
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})


@dataclass(frozen=True, slots=True)
class RepeatedHead:
    """A head that announces a length, and what the parser has read out of it.

    Attributes:
        before: its bytes up to the length.
        after: its bytes from there on.
        headers: the scope's.
        scope: ASGI's.
        place: where in the headers the length stands.
    """

    before: bytes
    after: bytes
    headers: Headers
    scope: Scope
    place: int

    @classmethod
    def of(cls, data: bytes, scope: Scope) -> Self | None:
        """The head that these bytes begin with, if nothing but a length can change in it.

        Args:
            data: what was given to the parser between two requests.
            scope: what was read out of it.
        """
        headers: Headers = scope["headers"]
        names = [name for name, _ in headers]
        if names.count(_LENGTH) != 1 or not _UNUSUAL.isdisjoint(names):
            return None
        place = names.index(_LENGTH)
        digits = headers[place][1]
        head = data[: data.find(b"\r\n\r\n") + 4]
        breaks = len(headers) + 2
        before, found, after = head.partition(b"ength: " + digits + b"\r\n")
        if (
            len(head) > MOST_BYTES
            # every line is one that was read, whatever else a parser takes for the end of one
            or not head.startswith(scope["method"].encode("ascii") + b" ")
            or (head.count(b"\r"), head.count(b"\n")) != (breaks, breaks)
            or before[-11:].lower() != b"\r\ncontent-l"
            or not digits.isdigit()
        ):
            return None
        kept = {**scope, "extensions": {**scope.get("extensions", {}), KEPT: {}}}
        return cls(before + found[:7], b"\r\n" + after, headers, kept, place)

    def read(self, data: bytes) -> tuple[Scope, int, int] | None:
        """What was read of the head, if a request begins with it here.

        Returns:
            The scope, the length of the body, and where in the bytes it begins.
        """
        if not data.startswith(self.before):
            return None
        start = len(self.before)
        end = data.find(b"\r", start, start + _MOST_DIGITS + 1)
        digits = data[start:end]
        if not digits.isdigit() or not data.startswith(self.after, end):
            return None
        headers = self.headers.copy()
        headers[self.place] = (_LENGTH, digits)
        return {**self.scope, "headers": headers}, int(digits), end + len(self.after)
