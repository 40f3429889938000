"""No test fails for being on a slow or busy machine, and none hangs."""

import asyncio
import signal

import pytest
from hypothesis import HealthCheck, settings

MOST = {"unit": 120, "e2e": 600}
"""Seconds that a test may take: many times what the slowest takes on the slowest machine.

This is the one guard against a test that hangs. What is to happen soon is waited for, and where
time has to pass, it passes between events whose order is certain.
"""

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """End a test that hangs where it hangs: what its event loop waits for is cancelled."""
    if not hasattr(signal, "SIGALRM"):
        return (yield)
    late = []

    def end(*_):
        late.append(item.nodeid)
        loop = asyncio._get_running_loop()
        # a loop that is not cancelled when it is told to does not go round
        if loop is None or len(late) > 1:
            raise TimeoutError(f"{item.nodeid} hangs")
        for task in asyncio.all_tasks(loop):
            loop.call_soon_threadsafe(task.cancel, f"{item.nodeid} hangs")

    longer = item.get_closest_marker("takes")
    kind = "unit" if item.get_closest_marker("e2e") is None else "e2e"
    most = MOST[kind] if longer is None else longer.args[0]
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, most, 10)
    try:
        result = yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not late, f"{late[0]} took more than {most:g} s"
    return result
