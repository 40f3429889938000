"""An issuer's keys over time: fetched, refreshed, kept through outages, renewed at need."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rolecall.config import KeysFrom, urls
from rolecall.core import Refusal
from rolecall.identity.fetch import Fetch, FetchError
from rolecall.identity.keyset import KeySet, import_keys
from rolecall.wire import strict_json

log = logging.getLogger("rolecall.identity")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an issuer is asked, in seconds.

    Attributes:
        refresh: between two refreshes when all is well; up to a tenth is taken off at random, so
            that many gateways do not ask at once.
        retry: after the first failure; doubled with each further one.
        retry_most: the longest wait after failures.
        cooldown: the shortest time between two fetches for the sake of an unknown key ID.
    """

    refresh: float = 3600.0
    retry: float = 1.0
    retry_most: float = 30.0
    cooldown: float = 10.0


class KeySource:
    """One issuer's key set. A document that cannot be used never replaces one that could."""

    def __init__(  # noqa: PLR0913 - time, chance and the network are arguments
        self,
        keys_from: KeysFrom,
        issuer: str,
        *,
        fetch: Fetch,
        clock: Callable[[], float],
        pace: Pace,
        on_removed: Callable[[frozenset[str]], None],
    ) -> None:
        self.keys: KeySet | None = None
        self.error: str | None = None
        self.issuer = issuer
        self._from = keys_from
        self._fetch = fetch
        self._clock = clock
        self._pace = pace
        self._on_removed = on_removed
        self._running: asyncio.Task[None] | None = None
        self._last_unknown = float("-inf")
        self._failures = 0

    async def refresh(self) -> None:
        """Fetch the keys now; callers at the same time share one fetch."""
        if self._running is None:
            self._running = asyncio.create_task(self._refresh())
            self._running.add_done_callback(self._finished)
        # a caller that goes away must not take the fetch of the others with it
        await asyncio.shield(self._running)

    async def refresh_for_unknown_key(self) -> None:
        """Fetch because a token names a key that is not in the set, at most once per cooldown."""
        now = self._clock()
        if self._running is None:
            if now - self._last_unknown < self._pace.cooldown:
                return
            self._last_unknown = now
        await self.refresh()

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
            return self._pace.refresh * random.uniform(0.9, 1.0)  # noqa: S311 - not a secret
        return min(self._pace.retry * 2.0 ** min(self._failures - 1, 16), self._pace.retry_most)

    def _finished(self, _: asyncio.Task[None]) -> None:
        self._running = None

    async def _refresh(self) -> None:
        try:
            fresh = import_keys(await self._document())
        except (FetchError, ValueError) as error:
            self._failures += 1
            self.error = str(error)
            kept = "the last good keys serve on" if self.keys else "it has no keys yet"
            log.warning("issuer %s: keys not refreshed: %s; %s", self.issuer, error, kept)
            return
        before = self.keys.thumbprints() if self.keys else frozenset()
        self.keys = fresh
        self.error = None
        self._failures = 0
        now = fresh.thumbprints()
        if before not in (frozenset(), now):
            log.info("issuer %s: its keys changed; keys: %d", self.issuer, len(fresh.keys))
            for reason in fresh.skipped:
                log.debug("issuer %s: %s", self.issuer, reason)
        if removed := before - now:
            self._on_removed(removed)

    async def _document(self) -> Any:
        keys_from = self._from
        if keys_from.jwks_file is not None:
            try:
                data = await asyncio.to_thread(Path(keys_from.jwks_file).read_bytes)
                return strict_json.loads(data)
            except OSError as error:
                raise FetchError(
                    f"{keys_from.jwks_file} cannot be read: {error.strerror}"
                ) from None
            except Refusal as refusal:
                raise FetchError(f"{keys_from.jwks_file}: {refusal.message}") from None
        url = keys_from.jwks_url or await self._discover(keys_from)
        return await self._fetch(url, keys_from.ca_file)

    async def _discover(self, keys_from: KeysFrom) -> str:
        url = keys_from.discovery_url or ""
        metadata = await self._fetch(url, keys_from.ca_file)
        if not isinstance(metadata, dict) or metadata.get("issuer") != self.issuer:
            # OpenID Connect Discovery 4.3: it must be exactly the same
            raise FetchError(f"{url} speaks for another issuer than {self.issuer}")
        jwks_url = metadata.get("jwks_uri")
        if not isinstance(jwks_url, str):
            raise FetchError(f"{url} names no jwks_uri")
        try:
            urls.check(jwks_url)
        except ValueError as error:
            raise FetchError(f"{url} names a jwks_uri that {error}") from None
        if urls.is_loopback(urlsplit(jwks_url).hostname or "") and not urls.is_loopback(
            urlsplit(url).hostname or ""
        ):
            raise FetchError(f"{url} names a jwks_uri on this machine")
        return jwks_url
