"""Where a coroutine waits for a callback of its own loop, without a future and without a task.

A future tells its waiter in the loop's next round, through a handle and a task. On the way of a
request that costs as much as the policy does, and is of no use: who is told runs in the same
thread anyway. Whoever drives a coroutine by hand may leave a function in ``resume``, which
is called at once; to a task, a `Wait` looks like a future (asyncio: "Extending", duck-typed
futures).
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Self


class Wait:
    """A place where one coroutine at a time waits; it may be used again and again.

    To wait is to wait for a hint: whoever is woken looks again at what it was waiting for.

    Attributes:
        resume: what `wake` calls; a driver sets it when a coroutine has come to wait.
    """

    __slots__ = ("_asyncio_future_blocking", "_cancelled", "_loop", "resume")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._cancelled = False
        self._asyncio_future_blocking = False
        self.resume: Callable[[], object] | None = None

    def __await__(self) -> Generator[Self, None, None]:
        """Wait for the next `wake`."""
        self._asyncio_future_blocking = True
        yield self
        self.result()

    def wake(self) -> None:
        """Let whoever waits look again; nothing happens if nobody does."""
        resume = self.resume
        if resume is not None:
            self.resume = None
            resume()

    # -- what a task does with a future --------------------------------------------------------

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop."""
        return self._loop

    def add_done_callback(self, callback: Callable[[Self], object], *, context: Any) -> None:
        """A task has come to wait."""
        self.resume = lambda: self._loop.call_soon(callback, self, context=context)

    def cancel(self, msg: Any = None) -> bool:  # noqa: ARG002 - as futures have it
        """The waiting task is cancelled."""
        self._cancelled = self.resume is not None
        self.wake()
        return self._cancelled

    def result(self) -> None:
        """What came of the waiting: nothing.

        Raises:
            asyncio.CancelledError: the waiting task was cancelled.
        """
        if self._cancelled:
            self._cancelled = False
            raise asyncio.CancelledError
