"""What is to be written in one round of the event loop is written after it, all together.

A write to a peer that sleeps wakes it, which costs more than the write. While the loop goes from
one connection to the next with a request's work in between, each write finds its peer asleep
again; one after another, only the first does. It is measured in ``docs/performance.md``.

Before it writes, the loop looks at every connection once more: what an upstream has sent by then
is no answer to what has not been sent.
"""

import asyncio
from typing import Final
from weakref import WeakKeyDictionary


class Outbox:
    """Writes that wait for the loop's next look at its connections; one for a loop.

    Attributes:
        rounds: how often everything that waited was written; what is written while it is ``n``
            is on its way once it is more.
    """

    __slots__ = ("_waiting", "rounds")

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []
        self.rounds = 0

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        """Write soon."""
        if not self._waiting:
            # asked for, not kept: whoever is kept by its loop must not keep the loop
            asyncio.get_running_loop().call_soon(self._after_this_round)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        """Write now."""
        self.rounds += 1
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)

    def _after_this_round(self) -> None:
        # what is called soon is called before the loop looks; what that calls soon, after
        asyncio.get_running_loop().call_soon(self.flush)


_OUTBOXES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Outbox]] = WeakKeyDictionary()


def outbox(loop: asyncio.AbstractEventLoop) -> Outbox:
    """The outbox of this loop, which all its connections share."""
    found = _OUTBOXES.get(loop)
    if found is None:
        found = _OUTBOXES[loop] = Outbox()
    return found
