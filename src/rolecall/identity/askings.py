"""What is being asked for: whoever wants the same meanwhile takes part in it."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Outcome = TypeVar("Outcome")


class Askings(Generic[Key, Outcome]):
    """Tasks by what they ask for; one that has ended is forgotten."""

    def __init__(self) -> None:
        self._tasks: dict[Key, asyncio.Task[Outcome]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, key: Key) -> bool:
        return key in self._tasks

    async def outcome(self, key: Key, ask: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
        """Ask, or take part in the asking that is under way.

        Args:
            key: what is asked for.
            ask: called where nobody asks for it yet.
        """
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(ask())
            task.add_done_callback(lambda _: self._tasks.pop(key))
        # whoever goes away must not take the outcome of the others along
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End all that is under way."""
        for task in list(self._tasks.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
