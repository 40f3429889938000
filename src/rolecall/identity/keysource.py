"""An issuer's keys over time: fetched, refreshed, kept through outages, renewed at need."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rolecall.config import KeysFrom
from rolecall.identity.fetch import Fetch, FetchError
from rolecall.identity.keydocument import key_document
from rolecall.identity.keyset import KeySet, import_keys
from rolecall.identity.unknown_keys import UnknownKeys

log = logging.getLogger("rolecall.identity")

MOST_WAITING: Final = 1024


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
    """What became of the fetches of one key set so far, for the metrics."""

    made: int = 0
    failed: int = 0
    unknown_keys: int = 0


class KeySource:
    """One issuer's key set. A document that cannot be used never replaces one that could.

    Attributes:
        keys: None until they were fetched, and again when they are too old to be believed.
        error: why the last fetch failed; None if it did not.
        fetches: counts.
        fetched_at: when the keys were fetched, by ``clock``.
        fresh_for: seconds until they are fetched again when all is well.
    """

    def __init__(  # noqa: PLR0913 - time, chance and the network are arguments
        self,
        keys_from: KeysFrom,
        issuer: str,
        *,
        fetch: Fetch,
        clock: Callable[[], float],
        pace: Pace,
        on_removed: Callable[[frozenset[str]], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.keys: KeySet | None = None
        self.error: str | None = None
        self.issuer = issuer
        self.fetches = Fetches()
        self._from = keys_from
        self._fetch = fetch
        self._clock = clock
        self._pace = pace
        self._chance = chance
        self._on_removed = on_removed
        self._running: asyncio.Task[None] | None = None
        self._waiting = 0
        self._unknown = UnknownKeys(pace.cooldown, pace.unknown_most)
        self._last_unknown = float("-inf")
        self._failures = 0
        self.fresh_for = pace.refresh
        self.fetched_at = float("-inf")

    def adopt(self, former: "KeySource") -> None:
        """Take over the keys of the same issuer's former source, with their age."""
        self.keys = former.keys
        self.error = former.error
        self.fetches = former.fetches
        self.fresh_for = former.fresh_for
        self.fetched_at = former.fetched_at

    @property
    def age(self) -> float | None:
        """Seconds since the keys were fetched; None without keys."""
        return None if self.keys is None else self._clock() - self.fetched_at

    async def refresh(self) -> None:
        """Fetch the keys now; callers at the same time share one fetch."""
        if self._running is None:
            self._running = asyncio.create_task(self._refresh())
            self._running.add_done_callback(self._finished)
        # a caller that goes away must not take the fetch of the others with it
        await asyncio.shield(self._running)

    async def look_for(self, key_id: str | None) -> None:
        """Fetch because a token names a key that is not in the set, at most once per cooldown.

        What the fetch brings is in ``keys``. Where nothing may be fetched now, or too many wait
        already, this returns at once.
        """
        self.fetches.unknown_keys += 1
        if self._waiting >= MOST_WAITING:
            return
        self._waiting += 1
        try:
            if self._running is not None:
                await self.refresh()
                if self.keys is not None and self.keys.named(key_id):
                    return
            # the fetch that was under way may have begun before the key was published
            await self._ask_for(key_id)
        finally:
            self._waiting -= 1

    async def _ask_for(self, key_id: str | None) -> None:
        now = self._clock()
        if now - self._last_unknown < self._pace.cooldown or not self._unknown.may_ask(key_id, now):
            return
        self._last_unknown = now
        await self.refresh()
        if self.error is None and self.keys is not None and not self.keys.named(key_id):
            self._unknown.asked_in_vain(key_id, now)

    async def keep_fresh(self) -> None:
        """Fetch now, and again and again."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._pause())

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    def _pause(self) -> float:
        if self._failures == 0:
            return self.fresh_for * (1 - self._chance() / 10)
        return min(self._pace.retry * 2.0 ** min(self._failures - 1, 16), self._pace.retry_most)

    def _finished(self, _: asyncio.Task[None]) -> None:
        self._running = None

    async def _refresh(self) -> None:
        self.fetches.made += 1
        try:
            fetched = await key_document(self._from, self.issuer, self._fetch)
            fresh = import_keys(fetched.document)
        except (FetchError, ValueError) as error:
            self._failed(str(error))
        else:
            self._succeeded(fresh, fetched.max_age)

    def _failed(self, why: str) -> None:
        self.fetches.failed += 1
        self._failures += 1
        self.error = why
        if self.keys is None:
            log.warning("issuer %s: keys not refreshed: %s; it has no keys", self.issuer, why)
        elif self._clock() < self.fetched_at + self.fresh_for + self._from.max_stale:
            log.warning(
                "issuer %s: keys not refreshed: %s; the last good keys serve on", self.issuer, why
            )
        else:
            log.error(
                "issuer %s: keys not refreshed: %s; the last good keys are too old to be believed"
                " (max_stale)",
                self.issuer,
                why,
            )
            gone, self.keys = self.keys.thumbprints(), None
            self._on_removed(gone)

    def _succeeded(self, fresh: KeySet, max_age: float | None) -> None:
        before = self.keys.thumbprints() if self.keys else frozenset()
        for alarm in fresh.alarms if self.keys is None or self.keys.alarms != fresh.alarms else ():
            log.warning("issuer %s: %s", self.issuer, alarm)
        now = fresh.thumbprints()
        self.keys = fresh
        self.error = None
        self._failures = 0
        self.fetched_at = self._clock()
        self.fresh_for = (
            (self._from.refresh or self._pace.refresh)
            if max_age is None
            else min(max(max_age, self._pace.least), self._pace.most)
        )
        if before not in (frozenset(), now):
            log.info("issuer %s: its keys changed; keys: %d", self.issuer, len(fresh.keys))
            for reason in fresh.skipped:
                log.debug("issuer %s: %s", self.issuer, reason)
        if removed := before - now:
            self._on_removed(removed)
