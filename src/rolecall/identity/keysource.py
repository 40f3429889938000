"""An issuer's keys over time: fetched, refreshed, kept through outages, renewed at need."""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Self

from rolecall.config import KeysFrom
from rolecall.identity.fetch import Fetch
from rolecall.identity.keydocument import key_document
from rolecall.identity.keyset import KeySet, import_keys
from rolecall.identity.refreshed import Pace, Refreshed
from rolecall.identity.unknown_keys import UnknownKeys

log = logging.getLogger("rolecall.identity")

MOST_WAITING: Final = 1024


class KeySource(Refreshed[KeySet]):
    """One issuer's key set.

    Args:
        keys_from: where it comes from, and how often it may be asked for.
        issuer: whose it is.
        fetch: how documents are had.
        clock: seconds.
        pace: how often, where ``keys_from`` does not say.
        most_unknown: key IDs that were asked for in vain, and are remembered.
        on_removed: is told the thumbprints of keys that are not to be believed any more.
        chance: a number from 0 to 1.
    """

    def __init__(  # noqa: PLR0913 - time, chance and the network are arguments
        self,
        keys_from: KeysFrom,
        issuer: str,
        *,
        fetch: Fetch,
        clock: Callable[[], float],
        pace: Pace,
        most_unknown: int,
        on_removed: Callable[[frozenset[str]], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(
            "keys",
            issuer,
            refresh=keys_from.refresh,
            max_stale=keys_from.max_stale,
            clock=clock,
            pace=_pace(pace, keys_from),
            chance=chance,
        )
        self._from = keys_from
        self._fetch = fetch
        self._on_removed = on_removed
        self._waiting = 0
        self._unknown = UnknownKeys(self._pace.cooldown, self._pace.unknown_most, most_unknown)
        self._last_unknown = float("-inf")

    def adopt(self, former: Self) -> None:
        """Take over the keys of the same place's former source, with their age.

        And what was asked for in vain: a flood is no lighter for a reload.
        """
        super().adopt(former)
        self._last_unknown = former._last_unknown
        self._unknown.adopt(former._unknown)

    @property
    def keys(self) -> KeySet | None:
        """None until they were fetched, and again when they are too old to be believed."""
        return self.value

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
            if len(self._fetching):
                await self.refresh()
                if self.value is not None and self.value.named(key_id):
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
        if self.error is None and self.value is not None and not self.value.named(key_id):
            self._unknown.asked_in_vain(key_id, now)

    async def _load(self) -> tuple[KeySet, float | None]:
        fetched = await key_document(self._from, self.issuer, self._fetch)
        return import_keys(fetched.document), fetched.max_age

    def _replaced(self, before: KeySet | None) -> None:
        known = before.thumbprints() if before is not None else frozenset()
        now = self.value.thumbprints() if self.value is not None else frozenset()
        if self.value is not None:
            self._tell(self.value, before, changed=known not in (frozenset(), now))
        if removed := known - now:
            self._on_removed(removed)

    def _tell(self, fresh: KeySet, before: KeySet | None, *, changed: bool) -> None:
        for alarm in fresh.alarms if before is None or before.alarms != fresh.alarms else ():
            log.warning("issuer %s: %s", self.issuer, alarm)
        if changed:
            log.info("issuer %s: its keys changed; keys: %d", self.issuer, len(fresh.keys))
        for why in fresh.skipped if before is None or before.skipped != fresh.skipped else ():
            log.debug("issuer %s: %s", self.issuer, why)


def _pace(pace: Pace, keys_from: KeysFrom) -> Pace:
    """The same with what the configuration says of a key set."""
    most = keys_from.max_refresh or pace.most
    return replace(
        pace,
        least=keys_from.min_refresh or min(pace.least, most),
        most=most,
        cooldown=keys_from.unknown_key_cooldown or pace.cooldown,
    )
