"""Decisions are written down by a thread of their own: a request never waits for the disk."""

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BufferedWriter
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final

from rolecall.config import DecisionSettings

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("rolecall.record")

MOST_WAITING: Final = 32 * 1024 * 1024
"""Bytes that may wait to be written."""

_BATCH: Final = 500


class DecisionLog:
    """A file of JSON lines that is turned over by size and by time.

    Several processes may write to one file: whole batches are appended under its lock.

    Args:
        settings: where, and when it is turned over.
        open_file: opens the file for appending; an argument so that a full disk can be tried.
        most_waiting: bytes that may wait to be written; a single entry may be longer.

    Attributes:
        written: entries so far.
        dropped: entries that were not written: too many waited, or the disk refused them.
        failing: whether the last attempt to write failed.
    """

    def __init__(
        self,
        settings: DecisionSettings,
        *,
        open_file: Any = open,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.settings = settings
        self.written = 0
        self.dropped = 0
        self.failing = False
        self._open = open_file
        self._most_waiting = most_waiting
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        # each is counted up by one thread alone
        self._handed_over = 0
        self._taken = 0
        self._thread: threading.Thread | None = None

    def write(self, entry: dict[str, Any]) -> None:
        """Hand an entry over; where too much waits already it is dropped and counted."""
        if self._handed_over - self._taken >= self._most_waiting:
            self.dropped += 1
            return
        # as text it takes a fifth of the memory, and keeps nothing else from being forgotten
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":")) + "\n"
        line = text.encode("utf-8", "backslashreplace")
        self._handed_over += len(line)
        self._queue.put(line)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="decisions", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Write what waits, and end; blocks for as long as that takes, ten seconds at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(10)

    def _run(self) -> None:
        ending = False
        while not ending:
            batch = [self._queue.get()]
            try:
                while len(batch) < _BATCH:
                    batch.append(self._queue.get_nowait())
            except Empty:
                pass
            ending = None in batch
            lines = [line for line in batch if line is not None]
            if lines:
                self._append(lines)
            self._taken += sum(map(len, lines))

    def _append(self, lines: list[bytes]) -> None:
        try:
            with self._locked() as file:
                file.write(b"".join(lines))
        except OSError as error:
            self.dropped += len(lines)
            if not self.failing:
                log.warning("decisions cannot be written: %s", error.strerror or error)
            self.failing = True
            return
        self.written += len(lines)
        if self.failing:
            log.warning("decisions are written again; %d were lost", self.dropped)
        self.failing = False

    @contextmanager
    def _locked(self) -> Iterator[BufferedWriter]:
        """The file, open for appending and locked, turned over if it is time."""
        path = self.settings.path
        while True:
            file = self._open(path, "ab")
            with file:
                if fcntl is not None:
                    fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_at(file, path):
                    # another process has turned it over meanwhile
                    continue
                if self._is_full(file, path):
                    self._turn_over(path)
                    continue
                yield file
                return

    def _is_full(self, file: BufferedWriter, path: Path) -> bool:
        size = file.tell()
        if size == 0:
            return False
        first = _birth(path)
        too_old = first is not None and time.time() - first >= self.settings.max_age
        return size >= self.settings.max_bytes or too_old

    def _turn_over(self, path: Path) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        target = path.with_name(f"{path.name}.{stamp}")
        number = 0
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.{stamp}.{number}")
        path.rename(target)
        former = sorted(path.parent.glob(f"{path.name}.*"), key=lambda one: one.stat().st_mtime_ns)
        for old in former[: max(len(former) - self.settings.keep, 0)]:
            old.unlink(missing_ok=True)


def _is_at(file: BufferedWriter, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _birth(path: Path) -> float | None:
    """When the first entry of a file was written: its own word, since few systems tell."""
    with path.open("rb") as file:
        try:
            return datetime.fromisoformat(json.loads(file.readline())["time"]).timestamp()
        except (ValueError, KeyError, TypeError):
            return None
