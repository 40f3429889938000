"""The one place where these tests wait."""

import time


def wait_until(condition, what, *, seconds=5.0):
    """Ask again and again until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)
    return answer
