"""What a forward proxy answers when it is asked for a way to a server (RFC 9110 9.3.6)."""

import re
from typing import Final

_MAX_HEAD: Final = 16 * 1024
_OPENED: Final = re.compile(rb"HTTP/1\.[01] 2[0-9][0-9][ \r]")


class ConnectAnswer:
    """The answer to CONNECT, as it comes."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> bool | None:
        """Whether the way is open; None while that is not said.

        It is open from the end of the head on, and what follows that is not the proxy's to say.
        """
        self._data += data
        head, end, rest = self._data.partition(b"\r\n\r\n")
        if end:
            return not rest and _OPENED.match(head + end) is not None
        return False if len(self._data) > _MAX_HEAD else None
