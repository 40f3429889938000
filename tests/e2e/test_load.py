"""Many connections at once: what they cost, and that each gets its own bytes."""

import asyncio
import sys
from contextlib import ExitStack

import pytest

from .parts import gateway as gateways
from .parts.load import (
    Caller,
    configuration,
    descriptors,
    few_descriptors,
    is_whole,
    load_upstream,
    request,
    resident,
)
from .parts.polling import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc"),
]

IDLE = 10_000
STREAMS = 5_000
AT_ONCE = 200
"""So many connect at the same time: a kernel's queue is bounded."""
SPARE = 500
MOST_OF_ONE = 12 * 1024
"""Bytes that one idle connection may cost: three times what was measured."""


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with load_upstream(tmp_path_factory.mktemp("load")) as provider:
        yield provider


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    """One worker, which finds a low soft limit of descriptors and has to raise it."""
    descriptors(max(IDLE, 2 * STREAMS) + SPARE)
    with ExitStack() as running:
        with few_descriptors(1024):
            folder = tmp_path_factory.mktemp("load_gateway")
            gateway = running.enter_context(
                gateways.running(folder, configuration(provider), workers=1)
            )
        yield gateway


async def connected(gateway, number):
    """So many callers, each of whom has been answered once."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def connect(caller):
        async with turns:
            await caller.connect()
            user = f"caller {id(caller)}"
            assert is_whole(await caller.call(request(user)), user, stream=False)

    callers = [Caller(gateway.port) for _ in range(number)]
    await asyncio.gather(*map(connect, callers))
    return callers


async def test_ten_thousand_idle_clients_hold_in_bounded_memory(gateway):
    for caller in await connected(gateway, AT_ONCE):
        caller.close()
    before = resident(gateway.pid)
    callers = await connected(gateway, IDLE)
    cost = (resident(gateway.pid) - before) / IDLE
    print(f"\n{IDLE} idle connections: {cost / 1024:.1f} KiB each")  # noqa: T201 - a figure to quote
    assert cost < MOST_OF_ONE
    for caller in callers[:: IDLE // 100]:
        assert is_whole(await caller.call(request("again")), "again", stream=False)
    for caller in callers:
        caller.close()


async def test_five_thousand_streams_at_once_get_each_its_own_bytes(gateway, provider):
    turns = asyncio.Semaphore(AT_ONCE)

    async def stream(number):
        caller = Caller(gateway.port)
        async with turns:
            await caller.connect()
        # a name of its own length, so that pieces of one cannot pass for another's
        user = f"{number:x} " * (1 + number % 7)
        answer = await caller.call(request(user, stream=True, held=True))
        caller.close()
        return is_whole(answer, user, stream=True)

    streams = [asyncio.create_task(stream(number)) for number in range(STREAMS)]
    await asyncio.to_thread(
        wait_until,
        lambda: provider.counts()["open"] == STREAMS,
        what="all streams are open",
        seconds=300,
    )
    print(f"\n{STREAMS} open streams: {resident(gateway.pid) / 1024**2:.0f} MiB")  # noqa: T201
    provider.release()
    whole = await asyncio.gather(*streams)
    assert sum(whole) == STREAMS
    assert provider.counts()["broken_off"] == 0
