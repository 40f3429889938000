"""Both event loops with a clock that a test can put forward."""

import asyncio

import uvloop


class _Forward:
    """A clock that is ahead of the real one.

    Deadlines of asyncio's own (``asyncio.timeout``) see it too: a test puts the clock forward
    while it waits for nothing.
    """

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead


class Asyncio(_Forward, asyncio.SelectorEventLoop):
    """asyncio's loop, which keeps its timers by its own clock."""

    async def forward(self, seconds):
        """Let so many seconds pass, and what is due happen."""
        self.ahead += seconds
        for _ in range(3):
            await asyncio.sleep(0)


class Uvloop(_Forward, uvloop.Loop):
    """uvloop's, whose timers run by the kernel's clock and are fired here."""

    def __init__(self):
        super().__init__()
        self._timers = []

    def call_later(self, delay, callback, *args, context=None):
        handle = super().call_later(delay, callback, *args, context=context)
        due = self.time() + delay
        self._timers = [timer for timer in self._timers if not timer[1].cancelled()]
        self._timers.append((due, handle, callback, args))
        return handle

    async def forward(self, seconds):
        """Let so many seconds pass, and what is due happen."""
        until = self.time() + seconds
        while due := [timer for timer in self._timers if self._is_due(timer, until)]:
            first = min(due, key=lambda timer: timer[0])
            self._timers.remove(first)
            when, handle, callback, args = first
            self.ahead += max(0.0, when - self.time())
            handle.cancel()
            callback(*args)
        self.ahead += max(0.0, until - self.time())
        for _ in range(3):
            await asyncio.sleep(0)

    @staticmethod
    def _is_due(timer, until):
        return timer[0] <= until and not timer[1].cancelled()
