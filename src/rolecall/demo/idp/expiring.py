"""A small memory for what lives for a short time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Record = TypeVar("Record")


class Expiring(Generic[Record]):
    """Records by key, each kept for the same time; when full, the oldest makes room.

    Args:
        keep: seconds that a record is kept.
        clock: returns the time in seconds.
        limit: records held at once.
    """

    def __init__(self, keep: float, clock: Callable[[], float], limit: int = 1000) -> None:
        self._keep = keep
        self._clock = clock
        self._limit = limit
        self._turn = threading.Lock()
        self._records: OrderedDict[str, tuple[float, Record]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._records)

    def put(self, key: str, record: Record) -> None:
        """Keep a record."""
        with self._turn:
            self._drop_expired()
            while len(self._records) >= self._limit:
                self._records.popitem(last=False)
            self._records[key] = (self._clock() + self._keep, record)

    def get(self, key: str) -> Record | None:
        """Return a record that is still kept."""
        with self._turn:
            self._drop_expired()
            _, record = self._records.get(key, (0, None))
            return record

    def take(self, key: str) -> Record | None:
        """Return a record and forget it: of two who ask at once, one gets it."""
        with self._turn:
            self._drop_expired()
            _, record = self._records.pop(key, (0, None))
            return record

    def _drop_expired(self) -> None:
        """Drop from the front, since the first to come is the first to go."""
        now = self._clock()
        while self._records and next(iter(self._records.values()))[0] <= now:
            self._records.popitem(last=False)
