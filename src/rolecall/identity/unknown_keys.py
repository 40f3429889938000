"""Key IDs that an issuer was asked for in vain."""

from collections import OrderedDict


class UnknownKeys:
    """Each key ID that was not to be had is asked for again ever more seldom.

    A token of a key that is long gone, sent again and again, must not cost a fetch each time; and
    a new key that a cache on the way still hides must be found soon.

    Args:
        first: seconds until a key ID may be asked for again.
        most: the longest such time; it doubles with each vain try.
        room: how many key IDs are remembered; the oldest makes room.
    """

    def __init__(self, first: float, most: float, room: int) -> None:
        self._first = first
        self._most = most
        self._room = room
        # a plain dict looks for its first entry among all those that went before it
        self._waits: OrderedDict[str | None, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waits)

    def adopt(self, former: "UnknownKeys") -> None:
        """Go on with what was asked for in vain before; of too many with the latest."""
        known = list(former._waits.items())  # noqa: SLF001 - of the same class
        self._waits = OrderedDict(known[-self._room :])

    def may_ask(self, key_id: str | None, now: float) -> bool:
        """Whether it is time to ask for a key ID, for the first time or again."""
        asked, wait = self._waits.get(key_id, (now, 0.0))
        return now - asked >= wait

    def asked_in_vain(self, key_id: str | None, now: float) -> None:
        """Note that a key ID was not in a key set that was fetched for its sake."""
        _, former = self._waits.pop(key_id, (now, 0.0))
        if len(self._waits) >= self._room:
            self._waits.popitem(last=False)
        self._waits[key_id] = (now, min(2 * former or self._first, self._most))
