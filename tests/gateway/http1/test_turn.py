"""A coroutine gets its turns: by hand while it waits on ours, in a task for all else."""

import asyncio

import pytest

from rolecall.gateway.http1.turn import Turn
from rolecall.upstream import Wait
from tests.parts.clock import forward
from tests.parts.waiting import rounds


class Running:
    """A coroutine on its way.

    Attributes:
        turn: its turn.
        ended: how often it was said to have ended.
    """

    def __init__(self, coroutine):
        self.ended = 0
        self.turn = Turn(asyncio.get_running_loop(), coroutine, self._done)

    def begin(self):
        self.turn.go_on()
        return self

    def _done(self, turn):
        assert turn is self.turn
        self.ended += 1


def tasks():
    return len(asyncio.all_tasks())


async def on(awaited, log):
    """Await, and write down how that went and who did it."""
    log.append("began")
    try:
        log.append(await awaited)
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    log.append("in a task" if asyncio.current_task() else "by hand")


# Without a task


async def test_who_waits_for_nothing_has_ended_when_begun():
    async def nothing():
        log.append(asyncio.current_task() is us)

    log, us, before = [], asyncio.current_task(), tasks()
    assert Running(nothing()).begin().ended == 1
    assert log == [True]
    assert tasks() == before


async def test_who_waits_goes_on_within_the_call_that_wakes_it():
    loop, before, log = asyncio.get_running_loop(), tasks(), []
    wait = Wait(loop)

    async def three_times():
        for number in range(3):
            await wait
            log.append(number)

    running = Running(three_times()).begin()
    for number in range(3):
        assert (len(log), running.ended) == (number, 0)
        wait.wake()
    assert (log, running.ended, tasks()) == ([0, 1, 2], 1, before)
    wait.wake()
    await rounds()
    assert running.ended == 1


async def test_it_may_wait_at_one_place_and_then_at_another():
    loop, log = asyncio.get_running_loop(), []
    first, second = Wait(loop), Wait(loop)

    async def both():
        await first
        log.append("first")
        await second
        log.append("second")

    running = Running(both()).begin()
    second.wake()
    assert log == []
    first.wake()
    first.wake()
    assert log == ["first"]
    second.wake()
    assert (log, running.ended) == (["first", "second"], 1)


async def test_who_wakes_itself_while_it_runs_is_not_entered_twice():
    wait = Wait(asyncio.get_running_loop())

    async def waking():
        wait.wake()
        await wait
        wait.wake()

    running = Running(waking()).begin()
    assert running.ended == 0
    wait.wake()
    assert running.ended == 1


# With a task


async def sleeping_a_moment():
    await asyncio.sleep(0)
    return await asyncio.sleep(0.001, "slept")


async def within_a_deadline():
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        return await asyncio.sleep(0.001, "in time")


async def beyond_a_deadline():
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()
    except TimeoutError:
        return "too late"


async def shielded():
    return await asyncio.shield(asyncio.sleep(0, "shielded"))


async def gathered():
    return await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0.001, 2))


async def in_a_thread():
    return await asyncio.to_thread(lambda: "from a thread")


async def in_a_group():
    await asyncio.sleep(0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(0, "from a group"))
    return task.result()


async def of_a_future_that_is_done():
    future = asyncio.get_running_loop().create_future()
    future.set_result("done")
    return await future


async def of_a_future_that_fails():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_exception, LookupError("failed"))
    try:
        await future
    except LookupError as error:
        return str(error)


async def of_a_future_that_is_cancelled():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.cancel)
    try:
        await future
    except asyncio.CancelledError:
        return "cancelled"


@pytest.mark.parametrize(
    ("awaited", "result", "how"),
    [
        (sleeping_a_moment, "slept", "in a task"),
        (within_a_deadline, "in time", "in a task"),
        (beyond_a_deadline, "too late", "in a task"),
        (shielded, "shielded", "in a task"),
        (gathered, [1, 2], "in a task"),
        (in_a_thread, "from a thread", "in a task"),
        (in_a_group, "from a group", "in a task"),
        (of_a_future_that_is_done, "done", "by hand"),
        (of_a_future_that_fails, "failed", "in a task"),
        (of_a_future_that_is_cancelled, "cancelled", "in a task"),
    ],
)
async def test_whatever_asyncio_has_to_await(awaited, result, how):
    before, log = tasks(), []

    running = Running(on(awaited(), log))
    # not within the task of this test
    asyncio.get_running_loop().call_soon(running.begin)
    while not running.ended:
        await forward(0.001)
    assert log == ["began", result, how]
    assert (running.ended, tasks()) == (1, before)


async def test_after_the_task_has_come_it_still_waits_on_ours():
    wait, log = Wait(asyncio.get_running_loop()), []

    async def mixed():
        await wait
        log.append("by hand")
        await asyncio.sleep(0)
        for number in range(2):
            await wait
            log.append(number)

    running = Running(mixed()).begin()
    wait.wake()
    assert log == ["by hand"]
    await rounds()
    for number in range(2):
        assert (len(log), running.ended) == (1 + number, 0)
        wait.wake()
        await rounds()
    assert (log, running.ended) == (["by hand", 0, 1], 1)


# The ends of it


async def waiting(wait):
    await wait


async def sleeping(wait):
    await asyncio.get_running_loop().create_future()


async def waiting_in_a_task(wait):
    await asyncio.sleep(0)
    await wait


STATES = [waiting, sleeping, waiting_in_a_task]
every_state = pytest.mark.parametrize("state", STATES)


@every_state
@pytest.mark.parametrize("by", ["stop", "cancel"])
async def test_it_can_be_ended_wherever_it_waits(state, by):
    before, log = tasks(), []
    wait = Wait(asyncio.get_running_loop())
    running = Running(on(state(wait), log)).begin()
    await rounds()
    getattr(running.turn, by)()
    if state is waiting and by == "stop":
        assert log == ["began", "CancelledError"]
    await rounds()
    assert log == ["began", "CancelledError"]
    assert (running.ended, tasks()) == (1, before)
    wait.wake()
    getattr(running.turn, by)()
    await rounds()
    assert running.ended == 1


@every_state
async def test_who_ends_all_may_be_in_the_midst_of_the_set_of_them(state):
    """As uvicorn does when its patience has ended."""
    turns = set()
    waits = [Wait(asyncio.get_running_loop()) for _ in range(10)]
    for wait in waits:
        turn = Turn(asyncio.get_running_loop(), state(wait), turns.discard)
        turns.add(turn)
        turn.go_on()
    await rounds()
    for turn in turns:
        assert turn.cancel(msg="no more patience")
    await rounds()
    assert turns == set()


@every_state
@pytest.mark.parametrize("after", STATES)
async def test_who_is_told_to_end_may_still_wait_for_something(state, after):
    log, wait = [], Wait(asyncio.get_running_loop())
    last = Wait(asyncio.get_running_loop())

    async def tidy():
        try:
            await state(wait)
        except asyncio.CancelledError:
            log.append("told")
            await (asyncio.sleep(0) if after is sleeping else after(last))
            log.append("tidied")

    running = Running(tidy()).begin()
    await rounds()
    running.turn.stop()
    await rounds()
    wait.wake()
    last.wake()
    await rounds()
    assert (log, running.ended) == (["told", "tidied"], 1)


async def test_who_is_running_cannot_be_ended():
    async def ending_itself():
        running.turn.stop()
        log.append("still here")

    log = []
    running = Running(ending_itself())
    running.begin()
    assert (log, running.ended) == (["still here"], 1)


async def test_being_woken_comes_before_being_ended():
    wait, log = Wait(asyncio.get_running_loop()), []

    async def patient():
        await wait
        log.append("woken")
        await wait

    running = Running(patient()).begin()
    running.turn.cancel()
    wait.wake()
    assert (log, running.ended) == (["woken"], 0)
    await rounds()
    assert running.ended == 1


async def test_an_exception_without_a_task_comes_to_whoever_let_it_go_on():
    async def failing():
        raise LookupError("at once")

    async def failing_later():
        await wait
        raise LookupError("later")

    wait = Wait(asyncio.get_running_loop())
    running = Running(failing())
    with pytest.raises(LookupError, match="at once"):
        running.begin()
    assert running.ended == 1
    running = Running(failing_later()).begin()
    with pytest.raises(LookupError, match="later"):
        wait.wake()
    assert running.ended == 1


async def test_an_exception_in_a_task_is_its_tasks():
    async def failing():
        await asyncio.sleep(0)
        raise LookupError("later")

    running = Running(failing()).begin()
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    with pytest.raises(LookupError, match="later"):
        await task
    await rounds()
    assert running.ended == 1


async def test_an_exception_at_the_end_is_seen_too():
    async def failing():
        try:
            await wait
        finally:
            raise LookupError("while tidying up")

    wait = Wait(asyncio.get_running_loop())
    running = Running(failing()).begin()
    with pytest.raises(LookupError):
        running.turn.stop()
    assert running.ended == 1
