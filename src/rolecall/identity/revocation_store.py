"""Revocations that outlive the process: a file that the processes of one machine may share.

SQLite is spoken to in a thread of its own, and never on the way of a request.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, get_args

from rolecall.core import Reason, Refusal, Revocation
from rolecall.identity import revocation_file as file
from rolecall.identity.revocation_file import Cause, Change, FullError, Received, Stored

log = logging.getLogger("rolecall.identity")

Result = TypeVar("Result")


class StoreError(Exception):
    """The file cannot be used; the text says why."""


class RevocationStore:
    """The entries of one file, and whoever must know when they change.

    Args:
        path: of the file.
        on_change: is told what was added and what was removed, in the loop's thread.
        clock: seconds since the epoch.

    Attributes:
        added: entries that were added through this object so far, by cause.
    """

    def __init__(
        self,
        path: str,
        *,
        on_change: Callable[[Collection[Revocation], Collection[Revocation]], None],
        clock: Callable[[], float],
    ) -> None:
        self.path = path
        self.added: dict[Cause, int] = dict.fromkeys(get_args(Cause), 0)
        self._on_change = on_change
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "revocations")
        self._database: sqlite3.Connection | None = None
        self._known: dict[int, Revocation] = {}
        self._looking = asyncio.Lock()
        self._failing = False

    @property
    def entries(self) -> Collection[Revocation]:
        """All that is revoked, as far as is known here."""
        return self._known.values()

    async def start(self) -> None:
        """Open the file and read it.

        Raises:
            StoreError: that cannot be done: who starts without it forgets what was revoked.
        """
        loop = asyncio.get_running_loop()
        try:
            self._database = await loop.run_in_executor(self._thread, file.open_file, self.path)
            await self._look()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the file of revocations cannot be used: {error}") from error

    async def move(self, path: str) -> None:
        """Keep to another file from now on, in which all that this one holds is written down too.

        What is being done to the former file is done before.

        Raises:
            StoreError: that cannot be done; the former file is kept to.
        """
        loop = asyncio.get_running_loop()
        async with self._looking:
            former = list(self._known.values())
            try:
                self._known = await loop.run_in_executor(self._thread, self._change_file, path)
            except FullError:
                raise StoreError(
                    f"{path} would hold more than {file.MOST} revocations with those of {self.path}"
                ) from None
            except (OSError, sqlite3.Error) as error:
                raise StoreError(f"revocations cannot be moved to {path}: {error}") from error
            self.path = path
            self._on_change(self._known.values(), former)

    def _change_file(self, path: str) -> dict[int, Revocation]:
        database = file.open_file(path)
        try:
            file.copy(self._opened(), database)
            found = file.changes(database, (), self._clock()).added
        except BaseException:
            database.close()
            raise
        self._opened().close()
        self._database = database
        return found

    async def follow(self, every: float = 1.0) -> None:
        """Look for what other processes have changed, and for what has expired, for ever.

        Args:
            every: seconds between two looks.
        """
        while True:
            await asyncio.sleep(every)
            try:
                await self._look()
            except sqlite3.Error as error:
                self._fails(error)
            else:
                self._failing = False

    async def add(
        self, revocation: Revocation, cause: Cause, received: Received | None = None
    ) -> Stored | None:
        """Revoke; it has taken effect in this process when this returns.

        Args:
            revocation: one that is the same but for its expiry is replaced.
            cause: who wants it.
            received: the message that says so, if it must not have its effect twice.

        Returns:
            The entry; None where the message had been received before.

        Raises:
            Refusal: ``upstream_unavailable`` where the file cannot be written, or is full.
        """
        now = self._clock()
        number = await self._changed(
            lambda database: file.add(database, revocation, cause, received, now)
        )
        if number is None:
            return None
        self.added[cause] += 1
        return Stored(number, revocation, cause, now)

    async def remove(self, number: int) -> bool:
        """Take an entry back; return whether there was one.

        Raises:
            Refusal: ``upstream_unavailable`` where the file cannot be written.
        """
        return await self._changed(lambda database: file.remove(database, number))

    async def listed(self, after: int) -> list[Stored]:
        """At most `PAGE` entries in the order of their numbers, from behind ``after``.

        Raises:
            Refusal: ``upstream_unavailable`` where the file cannot be read.
        """
        return await self._changed(lambda database: file.listed(database, after))

    async def stop(self) -> None:
        """Close the file."""
        if self._database is not None:
            await self._do(lambda database: database.close())
        self._thread.shutdown()

    async def _changed(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            result = await self._do(work)
            await self._look()
        except FullError:
            log.error(  # noqa: TRY400 - no traceback says more
                "the file of revocations is full: %d entries", file.MOST
            )
            raise _unavailable() from None
        except sqlite3.Error as error:
            self._fails(error)
            raise _unavailable() from None
        return result

    async def _look(self) -> None:
        # who looks while another does would be told the same twice
        async with self._looking:
            now = self._clock()
            change: Change = await self._do(
                lambda database: file.changes(database, self._known.keys(), now)
            )
            removed = [self._known.pop(number) for number in change.removed]
            self._known |= change.added
            if change.added or removed:
                self._on_change(change.added.values(), removed)

    async def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        # whose connection it is, is asked in the thread: the file may be changed before its turn
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, lambda: work(self._opened())
        )

    def _opened(self) -> sqlite3.Connection:
        assert self._database is not None  # noqa: S101 - it was started
        return self._database

    def _fails(self, error: sqlite3.Error) -> None:
        # once and not each second
        level = logging.DEBUG if self._failing else logging.ERROR
        self._failing = True
        log.log(level, "the file of revocations cannot be used: %s", error)


def _unavailable() -> Refusal:
    return Refusal(
        Reason.UPSTREAM_UNAVAILABLE,
        "The revocations cannot be read or written at the moment; the gateway's log says why.",
    )
