"""Callers who call again and again, and notice whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .load import Caller, Dropped, is_whole, request

EVENTS = 5
CALLERS = 64


@dataclass
class Crowd:
    """Callers of one gateway, each on a connection that is kept as long as the gateway keeps it.

    Attributes:
        answered: how many calls have got their whole answer.
        parted: how many answers said that they were the last of their connection.
        dropped: calls that were sent on a connection that had answered before, or to a gateway
            that nobody had told to end, and that got no whole answer.
        wrong: answers that were not what was asked for.
        unheard: calls on new connections that an ending gateway never took.
    """

    port: int
    answered: int = 0
    parted: int = 0
    unheard: int = 0
    dropped: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _ending: bool = False
    _done: bool = False
    _callers: list[asyncio.Task[None]] = field(default_factory=list)

    async def until(self, more: int) -> None:
        """Wait until so many more calls have been answered."""
        wanted = self.answered + more
        while self.answered < wanted:
            assert not all(caller.done() for caller in self._callers), self
            await asyncio.sleep(0.005)

    def expect_the_end(self) -> None:
        """From now on the gateway may refuse connections, and who is refused goes home."""
        self._ending = True

    async def go_home(self) -> None:
        """Wait until every caller has been refused."""
        await asyncio.gather(*self._callers)

    async def _call(self, number: int) -> None:
        caller, calls, kept = Caller(self.port), 0, False
        try:
            while not self._done:
                calls += 1
                kept = await self._ask(caller, f"{number}.{calls}", kept=kept)
        except ConnectionRefusedError:
            if not self._ending:
                self.dropped.append(f"{number}: refused")
        finally:
            caller.close()

    async def _ask(self, caller: Caller, user: str, *, kept: bool) -> bool:
        """Call once, on a new connection if none was kept; return whether it is kept.

        Raises:
            ConnectionRefusedError: nobody listens any more.
        """
        stream = int(user.partition(".")[0]) % 2 == 0
        metadata = {"events": EVENTS, "pace": 0.01} if stream else {"delay": 0.02}
        try:
            if not kept:
                await caller.connect()
            got = await caller.call(request(user, stream=stream, **metadata))
        # a connection may be reset before it stands, too
        except (Dropped, ConnectionResetError) as error:
            if self._ending and not kept:
                self.unheard += 1
            else:
                self.dropped.append(f"{user}: {error!r}")
            return False
        if is_whole(got, user, stream=stream, events=EVENTS):
            self.answered += 1
        else:
            self.wrong.append(f"{user}: {got}")
        self.parted += got.last
        return not got.last


@asynccontextmanager
async def crowd(port: int) -> AsyncIterator[Crowd]:
    """A crowd that calls until the end of the block."""
    people = Crowd(port)
    people._callers += [asyncio.create_task(people._call(number)) for number in range(CALLERS)]
    try:
        await people.until(10 * CALLERS)
        yield people
    finally:
        people._done = True
        await asyncio.gather(*people._callers, return_exceptions=True)
