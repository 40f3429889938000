"""Whoever wants what is being asked for already takes part in it."""

import asyncio

import pytest

from rolecall.identity.askings import Askings
from tests.parts.waiting import until


class Asked:
    """Answers with the number of times that it was asked, once the gate is open."""

    def __init__(self):
        self.times = 0
        self.gate = asyncio.Event()

    async def __call__(self):
        self.times += 1
        await self.gate.wait()
        return self.times


async def under_way(asked, *keys):
    """One asking for each key, and the tasks that wait for them."""
    askings = Askings()
    waiting = [asyncio.create_task(askings.outcome(key, asked)) for key in keys]
    await until(lambda: asked.times == len(set(keys)))
    return askings, waiting


async def test_the_same_is_asked_for_once_and_another_beside_it():
    asked = Asked()
    askings, waiting = await under_way(asked, "a", "a", "b", "a")
    assert ("a" in askings, "b" in askings, "c" in askings) == (True, True, False)
    assert (len(askings), asked.times) == (2, 2)
    asked.gate.set()
    assert await asyncio.gather(*waiting) == [2] * 4


async def test_what_has_ended_is_asked_for_again():
    asked = Asked()
    asked.gate.set()
    askings = Askings()
    assert [await askings.outcome("a", asked) for _ in range(3)] == [1, 2, 3]
    assert len(askings) == 0


async def test_what_failed_fails_for_all_and_is_asked_for_again():
    asked, askings = Asked(), Askings()

    async def fail():
        await asked()
        raise ValueError

    waiting = [asyncio.create_task(askings.outcome("a", fail)) for _ in range(2)]
    await until(lambda: asked.times)
    asked.gate.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError] * 2
    assert await askings.outcome("a", asked) == 2


async def test_whoever_goes_away_takes_nothing_from_the_others():
    asked = Asked()
    _, (gone, left) = await under_way(asked, "a", "a")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    asked.gate.set()
    assert await left == 1


async def test_at_the_end_nothing_is_left_under_way():
    asked = Asked()
    askings, waiting = await under_way(asked, "a", "b")
    await askings.close()
    assert len(askings) == 0
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
