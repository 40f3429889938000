"""Under load, nobody notices that a gateway reloads, replaces its workers, or ends."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from .parts import gateway as gateways
from .parts.crowd import CALLERS, crowd
from .parts.load import KEY, Caller, configuration, is_whole, load_upstream, request
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has none of these signals"),
]


LONG = request("long", stream=True, events=20, pace=0.1)


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    with load_upstream(tmp_path_factory.mktemp("restarts")) as provider:
        yield provider


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def gateway(request, provider, tmp_path):
    with gateways.running(tmp_path, configuration(provider), workers=request.param) as gateway:
        yield gateway


@pytest.fixture
def two_workers(provider, tmp_path):
    if not Path("/proc/self/task").is_dir():
        pytest.skip("workers are found on Linux alone")
    with gateways.running(tmp_path, configuration(provider), workers=2) as gateway:
        yield gateway


async def until(condition, what):
    """Wait until a blocking question is answered with yes, and return the answer."""
    return await asyncio.to_thread(wait_until, condition, what=what)


async def until_callable(gateway, model):
    """Wait until the model may be called, whichever worker is asked."""

    def call():
        # each on a connection of its own
        return ask(
            f"{gateway.url}/v1/chat/completions",
            body={"model": model, "messages": [], "user": "new"},
            headers={"Authorization": f"Bearer {KEY}"},
        )

    await until(lambda: all(call().status == 200 for _ in range(20)), f"{model} may be called")


def refuses(gateway):
    """Whether nobody listens any more."""
    try:
        socket.create_connection(("127.0.0.1", gateway.port)).close()
    except ConnectionRefusedError:
        return True
    return False


def check(people):
    assert people.dropped == []
    assert people.wrong == []


async def test_sigterm_lets_every_request_end_that_was_taken(gateway):
    async with crowd(gateway.port) as people:
        people.expect_the_end()
        gateway.end()
        await people.go_home()
        check(people)
        # one whom a worker lets go may reach another that has not closed yet
        assert people.parted >= CALLERS
        # whoever was connecting in that moment may have been told that nobody listens
        assert people.unheard < CALLERS


async def test_a_stream_that_is_open_at_sigterm_comes_to_its_end(gateway):
    caller = Caller(gateway.port)
    await caller.connect()
    calling = asyncio.create_task(caller.call(LONG))
    await caller.begun.wait()
    gateway.end()
    assert is_whole(await calling, "long", stream=True, events=20)
    caller.close()


async def test_after_sigterm_nobody_is_let_in(gateway, provider):
    """A load balancer must see at once that this one takes no more."""
    caller = Caller(gateway.port)
    await caller.connect()
    held = request("held", stream=True, held=True)
    calling = asyncio.create_task(caller.call(held))
    await caller.begun.wait()
    gateway.end()
    await until(lambda: refuses(gateway), "nobody is let in")
    assert not calling.done()
    provider.release()
    assert is_whole(await calling, "held", stream=True)
    caller.close()


async def test_a_changed_file_takes_effect_and_nobody_notices(gateway, provider):
    async with crowd(gateway.port) as people:
        for model in ("first", "second", "third"):
            gateway.config_file.write_text(configuration(provider, model))
            await until_callable(gateway, model)
        await people.until(CALLERS)
        assert people.parted == 0
    check(people)


async def test_sighup_takes_effect_and_nobody_notices(gateway, provider):
    async with crowd(gateway.port) as people:
        for number in range(3):
            gateway.config_file.write_text(configuration(provider, f"model-{number}"))
            gateway.reload()
            await until_callable(gateway, f"model-{number}")
            await people.until(CALLERS)
        assert people.parted == 0
    check(people)


async def test_a_file_that_is_not_valid_changes_nothing(gateway, provider):
    async with crowd(gateway.port) as people:
        gateway.config_file.write_text("rules: nonsense")
        gateway.reload()
        await until(lambda: "rolecall.yaml:1:8" in gateway.log(), "it is said")
        await people.until(2 * CALLERS)
        gateway.config_file.write_text(configuration(provider, "repaired"))
        gateway.reload()
        await until_callable(gateway, "repaired")
    check(people)


# Workers


def workers(gateway):
    """The process IDs of the workers."""
    children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text().split()
    return {
        int(child)
        for child in children
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    }


async def test_sighup_keeps_the_workers_and_what_they_do(two_workers, provider):
    former = workers(two_workers)
    assert len(former) == 2
    caller = Caller(two_workers.port)
    await caller.connect()
    calling = asyncio.create_task(caller.call(LONG))
    await caller.begun.wait()
    two_workers.config_file.write_text(configuration(provider, "new"))
    two_workers.reload()
    await until_callable(two_workers, "new")
    assert workers(two_workers) == former
    assert is_whole(await calling, "long", stream=True, events=20)
    caller.close()


async def test_a_worker_that_dies_is_replaced(two_workers):
    former = workers(two_workers)
    victim = min(former)
    async with crowd(two_workers.port) as people:
        os.kill(victim, signal.SIGKILL)
        await until(lambda: len(workers(two_workers) - {victim}) == 2, "there are two again")
        # its own callers were cut off, and came back to the other one
        dropped = len(people.dropped)
        assert dropped <= CALLERS
        await people.until(4 * CALLERS)
        assert len(people.dropped) == dropped
        assert people.wrong == []


async def test_a_worker_that_dies_comes_back_when_the_file_is_valid_again(two_workers, provider):
    victim = min(workers(two_workers))
    two_workers.config_file.write_text("rules: nonsense")
    os.kill(victim, signal.SIGKILL)
    # the watching worker says it once, and each that tries to begin
    await until(lambda: two_workers.log().count("rolecall.yaml:1:8") > 3, "it is said")
    two_workers.config_file.write_text(configuration(provider, "repaired"))
    await until(lambda: len(workers(two_workers) - {victim}) == 2, "there are two again")
    await until_callable(two_workers, "repaired")
