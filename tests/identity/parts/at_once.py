"""That nothing is waited for is shown without a clock: the loop gets no turn in between."""

import pytest


def at_once(coroutine):
    """The result of a coroutine that runs to its end without awaiting anything."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    coroutine.close()
    pytest.fail(f"{coroutine.__qualname__} waits for something")
