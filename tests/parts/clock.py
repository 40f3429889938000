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


class _Clock:
    """A clock that can be put forward; one that stands still goes forward in no other way."""

    stands_still = False
    ahead = 0.0

    def time(self):
        return self.ahead if self.stands_still else super().time() + self.ahead


class Asyncio(_Clock, asyncio.SelectorEventLoop):
    """asyncio's loop, which keeps its timers by its own clock."""

    async def forward(self, seconds):
        self.ahead += seconds
        await _rounds()


class Uvloop(_Clock, uvloop.Loop):
    """uvloop's, whose timers run by the kernel's clock and are fired here."""

    def __init__(self):
        super().__init__()
        self._timers = []
        self._full = 64

    def call_later(self, delay, callback, *args, context=None):
        timer = _Timer(self.time() + delay, callback, args)
        if not self.stands_still:
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
            first.cancel()
            first.fire()
        self.ahead += max(0.0, until - self.time())
        await _rounds()


class StillAsyncio(Asyncio):
    """It waits for nothing but what comes."""

    stands_still = True


class StillUvloop(Uvloop):
    """It waits for nothing but what comes."""

    stands_still = True


class _Timer:
    """What is to be called, once, when it is due: an `asyncio.TimerHandle` by our clock."""

    def __init__(self, due, callback, args):
        self.kernels = None
        self.over = False
        self._due = due
        self._callback = callback
        self._args = args

    def when(self):
        return self._due

    def cancel(self):
        self.over = True
        if self.kernels is not None:
            self.kernels.cancel()

    def cancelled(self):
        return self.over

    def fire(self):
        self.over = True
        self._callback(*self._args)


async def _rounds():
    for _ in range(3):
        await asyncio.sleep(0)
