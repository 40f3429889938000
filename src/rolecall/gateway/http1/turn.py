"""How a coroutine gets its turns: by hand as long as it can be, and by a task from then on.

A task for each request, and a round of the event loop whenever it goes on, cost as much as the
rest of a request's way. Most requests wait for nothing but our own connections, whose callbacks
can let them go on at once (`rolecall.upstream.Wait`). One that awaits anything else, a fetch of
keys or a slow reader, gets a task there and then, and never notices.
"""

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from rolecall.upstream import Wait


class Turn:
    """One coroutine on its way; the server counts it among its tasks.

    Args:
        loop: the running loop.
        coroutine: has not begun yet.
        done: called once, when it has ended.
    """

    __slots__ = ("_coroutine", "_done", "_loop", "_task", "_wait")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, None, None],
        done: "Callable[[Turn], object]",
    ) -> None:
        self._loop = loop
        self._coroutine = coroutine
        self._done = done
        self._wait: Wait | None = None
        self._task: asyncio.Task[None] | None = None

    def go_on(self, error: BaseException | None = None) -> None:
        """Let it run, or raise ``error`` where it waits, until it waits again or ends."""
        try:
            coroutine = self._coroutine
            waited = coroutine.send(None) if error is None else coroutine.throw(error)
        except (StopIteration, asyncio.CancelledError):
            self._wait = None
            self._done(self)
        except BaseException:
            self._wait = None
            self._done(self)
            raise
        else:
            if type(waited) is Wait:
                self._wait = waited
                waited.resume = self.go_on
            else:
                self._wait = None
                self._task = self._loop.create_task(_rest(self._coroutine, waited))
                self._task.add_done_callback(lambda _: self._done(self))

    def stop(self) -> None:
        """Raise `asyncio.CancelledError` where it waits."""
        if self._task is not None:
            self._task.cancel()
        elif self._wait is not None and self._wait.resume is not None:
            self._wait.resume = None
            self.go_on(asyncio.CancelledError())

    def cancel(self, msg: Any = None) -> bool:
        """Stop it soon, as tasks are cancelled: who cancels them all is in the midst of the set."""
        if self._task is not None:
            return self._task.cancel(msg)
        self._loop.call_soon(self.stop)
        return True


@types.coroutine
def _rest(coroutine: Coroutine[Any, None, None], waited: Any) -> Generator[Any, None, None]:
    """What is left of a coroutine that has come to wait for something of asyncio's."""
    while True:
        try:
            yield waited
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's
            thrown: BaseException | None = error
        else:
            thrown = None
        try:
            waited = coroutine.send(None) if thrown is None else coroutine.throw(thrown)
        except StopIteration:
            return
