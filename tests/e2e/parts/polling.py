"""The one place where the end-to-end tests wait."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")
SECONDS: Final = 60
"""How long something may take before it is said that it does not happen, on any machine."""


def wait_until(condition: Callable[[], T | None], *, what: str, seconds: float = SECONDS) -> T:
    """Ask ``condition`` again and again until it answers something true, and return that.

    Raises:
        TimeoutError: it was not true within ``seconds``; the message says ``what`` was awaited.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
    return answer
