"""Both event loops with a clock that a test can put forward: no deadline is waited for."""

import asyncio

import uvloop


async def forward(seconds):
    """Let so many seconds pass on the running loop, and what is due happen."""
    await asyncio.get_running_loop().forward(seconds)


async def when_due(seconds, asking):
    """What comes of a task that ends when so many seconds have passed, and not before.

    On a slow machine some of them have passed already, or what the task waits for comes when half
    of them have, and they begin anew.
    """
    await forward(seconds / 2)
    assert not asking.done()
    # some round a deadline up to the next second
    await forward(seconds / 2 + 1)
    await forward(seconds)
    return await asking


class _Forward:
    """A clock that is ahead of the real one."""

    ahead = 0.0

    def time(self):
        return super().time() + self.ahead


class Asyncio(_Forward, asyncio.SelectorEventLoop):
    """asyncio's loop, which keeps its timers by its own clock."""

    async def forward(self, seconds):
        self.ahead += seconds
        for _ in range(3):
            await asyncio.sleep(0)


class Uvloop(_Forward, uvloop.Loop):
    """uvloop's, whose timers run by the kernel's clock and are fired here."""

    def __init__(self):
        super().__init__()
        self._timers = []
        self._full = 64

    def call_later(self, delay, callback, *args, context=None):
        timer = _Timer(self.time() + delay, callback, args)
        timer.kernels = super().call_later(delay, timer.fire, context=context)
        self._timers.append(timer)
        if len(self._timers) > self._full:
            self._timers = [timer for timer in self._timers if not timer.over]
            self._full = 64 + 2 * len(self._timers)
        return timer

    async def forward(self, seconds):
        until = self.time() + seconds
        while due := [timer for timer in self._timers if timer.when() <= until and not timer.over]:
            first = min(due, key=_Timer.when)
            self.ahead += max(0.0, first.when() - self.time())
            first.kernels.cancel()
            first.fire()
        self.ahead += max(0.0, until - self.time())
        for _ in range(3):
            await asyncio.sleep(0)


class _Timer:
    """What is to be called, once, when it is due: an `asyncio.TimerHandle` by our clock."""

    def __init__(self, due, callback, args):
        self.kernels = None
        self._due = due
        self._callback = callback
        self._args = args
        self._fired = False

    @property
    def over(self):
        return self._fired or self.cancelled()

    def when(self):
        return self._due

    def cancel(self):
        self.kernels.cancel()

    def cancelled(self):
        return self.kernels.cancelled()

    def fire(self):
        self._fired = True
        self._callback(*self._args)
