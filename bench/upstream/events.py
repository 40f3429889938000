"""The mock provider of streams: 100 events, each written by itself, 5 ms apart.

``python -m bench.upstream.events PORT``. Everything that is sent has been made before. Whoever asks
for no stream gets a whole answer.
"""

import asyncio
import re
import sys
from typing import Final

from bench.upstream import answers
from bench.upstream.http import Connection, chunk, head, serve

_HEAD: Final = head("200 OK", "text/event-stream; charset=utf-8", None)
_PIECES: Final = (
    *(chunk(answers.event(number)) for number in range(answers.EVENTS)),
    chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n",
)
_WHOLE: Final = (
    head("200 OK", "application/json", len(answers.COMPLETION)) + answers.COMPLETION.encode()
)
_REFUSED: Final = head("401 Unauthorized", "text/plain", 0)
_WANTED: Final = f"Bearer {answers.PROVIDER_KEY}".encode()
_STREAMED: Final = re.compile(rb'"stream"\s*:\s*true')


class Events(Connection):
    """Answers each request that asks for a stream with the same one."""

    def on_message_begin(self) -> None:
        """A request begins."""
        self._paid = False
        self._body = b""

    def authorization(self, value: bytes) -> None:
        """The request carries this credential."""
        self._paid = value == _WANTED

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._body += data

    def asked(self) -> None:
        """Begin the stream."""
        if not self._paid:
            self.transport.write(_REFUSED)
        elif not _STREAMED.search(self._body):
            self.transport.write(_WHOLE)
        else:
            self.transport.write(_HEAD)
            self._next(0)

    def _next(self, number: int) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(_PIECES[number])
        if number + 1 < len(_PIECES):
            asyncio.get_running_loop().call_later(answers.PACE, self._next, number + 1)


if __name__ == "__main__":
    serve(Events, int(sys.argv[1]))
