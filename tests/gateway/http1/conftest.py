"""Every test of the protocol runs on both event loops, with a clock that it can put forward."""

from tests.parts.clock import StillAsyncio, StillUvloop


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": StillAsyncio, "uvloop": StillUvloop}
