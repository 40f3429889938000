"""What is revoked while the gateway runs: each generation is told of it, from the first on."""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from rolecall.core import Revocation
from rolecall.gateway.endpoints import Route
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.revoking import administered, list_revocations, reinstate, revoke
from rolecall.gateway.signalling import receive_event, receive_logout
from rolecall.gateway.snapshot import Snapshot
from rolecall.identity import RevocationStore, StoreError, revoked
from rolecall.record import Figures, Recorder

log = logging.getLogger("rolecall.gateway")


class Revoked:
    """The file of revocations, and the generation that keeps to it.

    Attributes:
        store: None where the configuration names no file.
        ends_answers: whether answers that are under way are ended when their caller is revoked.
        ended: how many were so far.
    """

    def __init__(self) -> None:
        self.store: RevocationStore | None = None
        self.ends_answers = False
        self.ended = 0
        self._under_way: WeakKeyDictionary[asyncio.Task[Any], Exchange] = WeakKeyDictionary()
        self._snapshot: Snapshot | None = None
        self._following: asyncio.Task[None] | None = None

    async def start(self, snapshot: Snapshot) -> None:
        """Open the file that the configuration names.

        Raises:
            StoreError: that cannot be done.
        """
        self._snapshot = snapshot
        self.ends_answers = snapshot.settings.revocations.end_streams
        path = snapshot.settings.revocations.file
        if path is not None:
            await self._open(path, snapshot.clock)

    async def _open(self, path: str, clock: Callable[[], float]) -> None:
        store = RevocationStore(path, on_change=self._tell, clock=clock)
        await store.start()
        self.store = store
        self._following = asyncio.create_task(store.follow())

    async def keep_to(self, snapshot: Snapshot) -> None:
        """Keep to the file that a new generation names, which is to be served next.

        Where that is another one, all that was revoked is written down there too.

        Raises:
            StoreError: that cannot be done; nothing has changed.
        """
        path = snapshot.settings.revocations.file
        if self.store is None:
            if path is not None:
                await self._open(path, snapshot.clock)
        elif path is None:
            raise StoreError(
                "revocations.file is gone from the configuration: what was revoked would be"
                " believed again. Put it back, or restart the gateway where that is meant"
            )
        elif path != self.store.path:
            former = self.store.path
            await self.store.move(path)
            log.info("revocations are kept in %s now, those of %s included", path, former)

    def serve(self, snapshot: Snapshot) -> None:
        """Tell a new generation, which is to take the former one's place at once."""
        if self.store is not None:
            snapshot.verifier.revoke(self.store.entries)
        self._snapshot = snapshot
        self.ends_answers = snapshot.settings.revocations.end_streams
        self._end_answers(snapshot)

    def figures(self, figures: Figures) -> Figures:
        """Figures with those of revocations."""
        if self.store is not None:
            figures = replace(
                figures,
                revocations=len(self.store.entries),
                revoked={str(cause): number for cause, number in self.store.added.items()},
            )
        return replace(figures, ended=self.ended)

    async def watch(self, exchange: Exchange) -> None:
        """End the answer that begins here when its caller is revoked before its end."""
        # from here on in a task, which can be cancelled
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio's own sleep came back
        self._under_way[task] = exchange

    async def answer(
        self, exchange: Exchange, place: Route, snapshot: Snapshot, recorder: Recorder
    ) -> None:
        """Answer where revocations come in, and where they are told.

        Raises:
            Refusal: nobody may, or cannot at the moment.
        """
        match place.endpoint.kind:
            case "logout":
                await receive_logout(exchange, snapshot, self.store, recorder)
            case "security_event":
                await receive_event(exchange, snapshot, self.store, recorder)
            case kind:
                store = await administered(exchange, snapshot, self.store)
                if kind == "revoke":
                    await revoke(exchange, snapshot, store)
                elif kind == "reinstate":
                    await reinstate(exchange, place.number, store)
                else:
                    await list_revocations(exchange, store)

    async def stop(self) -> None:
        """Close the file."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        if self.store is not None:
            await self.store.stop()

    def _tell(self, added: Collection[Revocation], removed: Collection[Revocation]) -> None:
        assert self._snapshot is not None  # noqa: S101 - it was started with one
        self._snapshot.verifier.revoke(added)
        self._snapshot.verifier.reinstate(removed)
        self._end_answers(self._snapshot)

    def _end_answers(self, snapshot: Snapshot) -> None:
        for task, exchange in list(self._under_way.items()):
            caller = exchange.caller
            if exchange.ended is None and caller is not None and snapshot.verifier.revokes(caller):
                exchange.ended = revoked()
                self.ended += 1
                task.cancel()
