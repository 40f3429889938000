"""What repeats is told once, and then how often.

A client that tries again and again must not fill the log, nor cost more than one that is served.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Any, Final

WINDOW: Final = 1.0
"""Seconds in which what is the same counts as a repetition."""

MOST: Final = 1024
"""Different things that are remembered in a window; with more, a new window begins."""

Later = Callable[[float, Callable[[], object]], object]
"""Seconds and a function → it is called then."""


def in_this_loop(seconds: float, function: Callable[[], object]) -> object:
    """Call a function later in the running event loop."""
    return asyncio.get_running_loop().call_later(seconds, function)


class Repeats:
    """Counts repetitions, and tells of them when their window ends.

    Args:
        later: how to come back at the end of a window.
    """

    __slots__ = ("_ending", "_later", "_seen")

    def __init__(self, later: Later) -> None:
        self._later = later
        self._seen: dict[Hashable, list[Any]] = {}
        self._ending = False

    def counted(self, key: Hashable) -> bool:
        """Whether this was kept in the same window; it is counted then."""
        seen = self._seen.get(key)
        if seen is None:
            return False
        seen[0] += 1
        return True

    def keep(self, key: Hashable, tell: Callable[[int], object]) -> None:
        """Remember the first of its kind; ``tell`` is called with the number of repetitions."""
        if len(self._seen) >= MOST:
            self.end_window()
        self._seen[key] = [0, tell]
        if not self._ending:
            self._ending = True
            self._later(WINDOW, self._end)

    def end_window(self) -> None:
        """Tell of everything that was repeated, and begin anew."""
        seen, self._seen = self._seen, {}
        for repetitions, tell in seen.values():
            if repetitions:
                tell(repetitions)

    def _end(self) -> None:
        self._ending = False
        self.end_window()
