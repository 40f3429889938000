"""The configuration file is watched: a change that is valid takes effect, any other does not."""

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rolecall.config import ConfigurationError, Loaded
from rolecall.gateway.app import Gateway
from rolecall.gateway.snapshot import compile_snapshot

log = logging.getLogger("rolecall.gateway")


async def follow(
    gateway: Gateway, path: Path, load: Callable[[], Loaded], *, every: float = 1.0
) -> None:
    """Reload on SIGHUP and whenever the file changes, for ever.

    Args:
        gateway: the application whose snapshot is replaced.
        path: the configuration file.
        load: reads it.
        every: seconds between two looks at the file.
    """
    hangup = asyncio.Event()
    with suppress(NotImplementedError, AttributeError):  # Windows has no SIGHUP
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup.set)
    seen = await asyncio.to_thread(_state, path)
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await hangup.wait()
        now = await asyncio.to_thread(_state, path)
        if now == seen and not hangup.is_set():
            continue
        hangup.clear()
        seen = now
        await _reload(gateway, load)


async def _reload(gateway: Gateway, load: Callable[[], Loaded]) -> None:
    try:
        loaded = await asyncio.to_thread(load)
    except ConfigurationError as error:
        for problem in error.problems:
            log.warning("%s", problem)
        gateway.reloads["rejected"] += 1
        log.warning("the configuration was not reloaded; the former one serves on")
        return
    for warning in loaded.warnings:
        log.warning("%s", warning)
    await gateway.replace(compile_snapshot(loaded.settings))
    log.info("the configuration was reloaded")


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
