"""A place to wait, driven by hand and awaited by real tasks."""

import asyncio

import pytest

from rolecall.upstream import Wait


async def rounds(number=3):
    for _ in range(number):
        await asyncio.sleep(0)


@pytest.fixture
async def wait():
    return Wait(asyncio.get_running_loop())


async def times(wait, number, log):
    """Wait so many times, and write down each."""
    try:
        for count in range(number):
            await wait
            log.append(count)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


# By hand


async def test_a_driver_is_called_at_once_and_only_once(wait):
    log, coroutine = [], waiting_once(wait)
    assert coroutine.send(None) is wait
    wait.resume = lambda: log.append("woken")
    wait.wake()
    assert log == ["woken"]
    wait.wake()
    assert log == ["woken"]
    with pytest.raises(StopIteration):
        coroutine.send(None)


async def waiting_once(wait):
    await wait


async def test_waking_nobody_does_nothing_and_is_not_remembered(wait):
    wait.wake()
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    await rounds()
    assert log == []
    wait.wake()
    await task


# By tasks


async def test_a_task_is_woken_in_the_next_round(wait):
    log = []
    task = asyncio.create_task(times(wait, 2, log))
    await rounds()
    wait.wake()
    assert log == []
    await rounds()
    assert log == [0]
    wait.wake()
    await task
    assert log == [0, 1]


async def test_a_task_that_is_woken_twice_in_a_round_goes_on_once(wait):
    log = []
    task = asyncio.create_task(times(wait, 2, log))
    await rounds()
    wait.wake()
    wait.wake()
    await rounds()
    assert log == [0]
    wait.wake()
    await task


async def test_whoever_is_woken_for_nothing_waits_again(wait):
    there = []

    async def until_there():
        while not there:
            await wait
        return there

    task = asyncio.create_task(until_there())
    for _ in range(5):
        await rounds()
        wait.wake()
    await rounds()
    assert not task.done()
    there.append("it")
    wait.wake()
    assert await task == ["it"]


async def test_a_waiting_task_can_be_cancelled(wait):
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    await rounds()
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled"]


async def test_a_task_that_was_woken_and_then_cancelled_is_cancelled(wait):
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    await rounds()
    wait.wake()
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled"]


async def test_a_task_that_was_cancelled_and_then_woken_is_cancelled(wait):
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    await rounds()
    assert task.cancel()
    wait.wake()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == ["cancelled"]


async def test_a_task_that_is_cancelled_before_it_waits_does_not_wait(wait):
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert log == []


async def test_a_cancellation_is_not_left_behind_for_the_next_one(wait):
    log = []
    first = asyncio.create_task(times(wait, 1, log))
    await rounds()
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(times(wait, 1, log))
    await rounds()
    wait.wake()
    await second
    assert log == ["cancelled", 0]


async def test_a_task_that_takes_no_notice_of_being_cancelled_waits_on(wait):
    log = []

    async def stubborn():
        try:
            await wait
        except asyncio.CancelledError:
            log.append("heard")
        await wait
        log.append("woken")

    task = asyncio.create_task(stubborn())
    await rounds()
    task.cancel()
    await rounds()
    assert log == ["heard"]
    wait.wake()
    await task
    assert log == ["heard", "woken"]


async def test_a_deadline_ends_the_waiting(wait):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await wait
    log = []
    task = asyncio.create_task(times(wait, 1, log))
    await rounds()
    wait.wake()
    await task


async def test_cancelling_where_nobody_waits_says_so(wait):
    assert wait.cancel() is False
    wait.result()


async def test_context_variables_are_those_of_the_task(wait):
    import contextvars

    variable = contextvars.ContextVar("variable", default="outside")
    seen = []

    async def within():
        variable.set("inside")
        await wait
        seen.append(variable.get())

    task = asyncio.create_task(within())
    await rounds()
    wait.wake()
    await task
    assert (seen, variable.get()) == (["inside"], "outside")
