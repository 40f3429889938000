"""The one place where these tests wait."""

import time

SECONDS = 60
"""How long something may take before it is said that it does not happen, wherever it is awaited."""


def wait_until(condition, what):
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + SECONDS
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.005)
    return answer
