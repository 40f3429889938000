"""What is to be written in one round of the event loop is written at its end, all together.

A write to a peer that sleeps wakes it, which costs more than the write. While the loop goes from
one connection to the next with a request's work in between, each write finds its peer asleep
again; one after another, only the first does. It is measured in ``docs/performance.md``.
"""

import asyncio
from typing import Final
from weakref import WeakKeyDictionary


class Outbox:
    """Writes that wait for the end of the round, in the order in which they came; one a loop."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write soon."""
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Write now."""
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)


_OUTBOXES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Outbox]] = WeakKeyDictionary()


def outbox(loop: asyncio.AbstractEventLoop) -> Outbox:
    """The outbox of this loop, which all its connections share."""
    found = _OUTBOXES.get(loop)
    if found is None:
        found = _OUTBOXES[loop] = Outbox(loop)
    return found
