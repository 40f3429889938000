"""What an issuer publishes, over time: fetched, refreshed, kept through outages."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from rolecall.identity.askings import Askings
from rolecall.identity.fetch import FetchError

log = logging.getLogger("rolecall.identity")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an issuer is asked, in seconds.

    Attributes:
        refresh: between two refreshes when all is well and the issuer does not say; up to a tenth
            is taken off at random, so that many gateways do not ask at once.
        least: the shortest time between two refreshes that an issuer can ask for.
        most: the longest one (both by ``Cache-Control: max-age``).
        retry: after the first failure; doubled with each further one.
        retry_most: the longest wait after failures.
        cooldown: the shortest time between two fetches for the sake of an unknown key ID.
        unknown_most: the longest time before the same unknown key ID is asked for again.
    """

    refresh: float = 3600.0
    least: float = 300.0
    most: float = 86_400.0
    retry: float = 1.0
    retry_most: float = 30.0
    cooldown: float = 10.0
    unknown_most: float = 300.0


@dataclass(slots=True)
class Fetches:
    """What became of the fetches so far, for the metrics."""

    made: int = 0
    failed: int = 0
    unknown_keys: int = 0


class Refreshed(ABC, Generic[Value]):
    """A value out of an issuer's documents. One that cannot be had never replaces one that could.

    Args:
        what: its name in the log, in the plural.
        issuer: whose it is.
        refresh: seconds between two fetches where the server does not say; None for the pace's.
        max_stale: seconds that the last good value serves on after it was due.
        clock: seconds.
        pace: how often the issuer is asked.
        chance: a number from 0 to 1.

    Attributes:
        value: None until it was fetched, and again when it is too old to be believed.
        error: why the last fetch failed; None if it did not.
        fetches: counts.
        fetched_at: when the value was fetched, by ``clock``.
        fresh_for: seconds until it is fetched again when all is well.
    """

    def __init__(  # noqa: PLR0913 - time and chance are arguments
        self,
        what: str,
        issuer: str,
        *,
        refresh: float | None,
        max_stale: float,
        clock: Callable[[], float],
        pace: Pace,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.value: Value | None = None
        self.error: str | None = None
        self.issuer = issuer
        self.fetches = Fetches()
        self.fetched_at = float("-inf")
        self.fresh_for = pace.refresh
        self._what = what
        self._every = refresh or pace.refresh
        self._max_stale = max_stale
        self._clock = clock
        self._pace = pace
        self._chance = chance
        self._fetching: Askings[str, None] = Askings()
        self._failures = 0

    @abstractmethod
    async def _load(self) -> tuple[Value, float | None]:
        """Fetch the value, and for how many seconds its server calls it fresh, if it says so.

        Raises:
            FetchError: it cannot be had.
            ValueError: what was fetched is of no use.
        """

    @abstractmethod
    def _replaced(self, before: Value | None) -> None:
        """See to what follows from another value, or none, in the place of ``before``."""

    def adopt(self, former: Self) -> None:
        """Take over the value of the same issuer's former source, with its age."""
        self.value = former.value
        self.error = former.error
        self.fetches = former.fetches
        self.fresh_for = former.fresh_for
        self.fetched_at = former.fetched_at

    @property
    def age(self) -> float | None:
        """Seconds since the value was fetched; None where there is none."""
        return None if self.value is None else self._clock() - self.fetched_at

    async def refresh(self) -> None:
        """Fetch the value now; callers at the same time share one fetch."""
        await self._fetching.outcome(self._what, self._refresh)

    async def keep_fresh(self) -> None:
        """Fetch now, and again and again."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._pause())

    async def close(self) -> None:
        """End a fetch that is under way."""
        await self._fetching.close()

    def _pause(self) -> float:
        if self._failures == 0:
            return self.fresh_for * (1 - self._chance() / 10)
        return min(self._pace.retry * 2.0 ** min(self._failures - 1, 16), self._pace.retry_most)

    async def _refresh(self) -> None:
        self.fetches.made += 1
        try:
            value, max_age = await self._load()
        except (FetchError, ValueError) as error:
            self._failed(str(error))
        else:
            self._succeeded(value, max_age)

    def _failed(self, why: str) -> None:
        self.fetches.failed += 1
        self._failures += 1
        self.error = why
        failure = f"issuer {self.issuer}: {self._what} not refreshed: {why}"
        if self.value is None:
            log.warning("%s; it has no %s", failure, self._what)
        elif self._clock() < self.fetched_at + self.fresh_for + self._max_stale:
            log.warning("%s; the last good %s serve on", failure, self._what)
        else:
            log.error(
                "%s; the last good %s are too old to be believed (max_stale)", failure, self._what
            )
            before, self.value = self.value, None
            self._replaced(before)

    def _succeeded(self, value: Value, max_age: float | None) -> None:
        before, self.value = self.value, value
        self.error = None
        self._failures = 0
        self.fetched_at = self._clock()
        self.fresh_for = (
            self._every if max_age is None else min(max(max_age, self._pace.least), self._pace.most)
        )
        self._replaced(before)
