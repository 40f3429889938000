"""The key server: answers with a key set from a file, read anew each time.

``python -m bench.upstream.keys PORT FILE TALLY``. Without the file it takes the request and never
answers: of all the ways to be down the one that holds others up longest. Each request adds a byte
to the tally.
"""

import sys
from functools import partial
from pathlib import Path

from bench.upstream.http import Connection, head, serve


class Keys(Connection):
    """Answers every request with the file."""

    def __init__(self, path: Path, tally: Path) -> None:
        self._path = path
        self._tally = tally

    def asked(self) -> None:
        """Send the key set as it is now."""
        with self._tally.open("ab") as tally:
            tally.write(b".")
        try:
            body = self._path.read_bytes()
        except FileNotFoundError:
            return
        self.transport.write(head("200 OK", "application/json", len(body)) + body)


if __name__ == "__main__":
    serve(partial(Keys, Path(sys.argv[2]), Path(sys.argv[3])), int(sys.argv[1]))
