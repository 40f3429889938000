"""The ways to destinations, and the pools of connections that they share by origin."""

import asyncio
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from rolecall.core import Reason
from rolecall.upstream.origin import Origin, Target
from rolecall.upstream.transport import Destination, TransportError

MOST: Final = 4096
_FAREWELL_ROUNDS: Final = 100


class Pool(Protocol):
    """The connections to one origin."""

    def close(self) -> None:
        """End every connection, and those that are being opened as soon as they stand."""
        ...

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        ...


P = TypeVar("P", bound=Pool)
W = TypeVar("W")


class Ways(Generic[W, P]):
    """What a transport knows of destinations; made inside the running loop.

    Args:
        make_pool: makes the pool for an origin.
        make_way: makes what the transport keeps of a destination, which may refuse it.

    Attributes:
        known: the ways that were found, by destination.
        closed: whether there are to be no more.
    """

    def __init__(
        self,
        make_pool: Callable[[Origin, asyncio.AbstractEventLoop], P],
        make_way: Callable[[Destination, Target, P], W],
    ) -> None:
        self._make_pool = make_pool
        self._make_way = make_way
        self._loop = asyncio.get_running_loop()
        self.pools: dict[Origin, P] = {}
        self.known: dict[Destination, W] = {}
        self.closed = False

    def find(self, destination: Destination) -> W:
        """The way to a destination; found once.

        Raises:
            TransportError: there is none.
        """
        try:
            target = Target.of(destination.url, destination.tls)
        except ValueError:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "The upstream's or its proxy's URL is unusable."
            ) from None
        pool = self.pools.get(target.origin)
        if pool is None:
            pool = self.pools[target.origin] = self._make_pool(target.origin, self._loop)
        way = self._make_way(destination, target, pool)
        if len(self.known) >= MOST:
            # those of configurations that were replaced
            self.known.clear()
        self.known[destination] = way
        return way

    async def close(self) -> None:
        """Close every connection."""
        self.closed = True
        for pool in self.pools.values():
            pool.close()
        # they tell of their end within the loop's next rounds
        for _ in range(_FAREWELL_ROUNDS):
            if self.counts()[0] == 0:
                return
            await asyncio.sleep(0)

    def counts(self) -> tuple[int, int]:
        """How many connections are open, and how many of those are idle."""
        counts = [pool.counts() for pool in self.pools.values()]
        return sum(count[0] for count in counts), sum(count[1] for count in counts)
