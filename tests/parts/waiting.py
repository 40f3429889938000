"""What is to happen soon is waited for, however long it takes; `tests.conftest` ends what hangs."""

import asyncio


async def until(condition):
    """Let the loop go round until this is true, and return it."""
    while not (found := condition()):  # noqa: ASYNC110 - who changes it tells nobody
        await asyncio.sleep(0)
    return found


async def rounds(number=3):
    """Let the loop go round: what was sent is read, what was said is heard."""
    for _ in range(number):
        await asyncio.sleep(0)
