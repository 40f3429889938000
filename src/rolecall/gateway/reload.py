"""The configuration file is watched: a change that is valid takes effect, any other does not."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from rolecall.config import ConfigurationError, Loaded
from rolecall.gateway.app import Gateway
from rolecall.gateway.snapshot import compile_snapshot

_State = dict[Path, tuple[int, int, int] | None]

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
    seen = await asyncio.to_thread(_state, path, gateway.files)
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await hangup.wait()
        now = await asyncio.to_thread(_state, path, gateway.files)
        if now == seen and not hangup.is_set():
            continue
        hangup.clear()
        await _reload(gateway, load)
        # a file that is included only now may have changed since it was read: it is read once more
        seen = {file: now.get(file) for file in _watched(path, gateway.files)}


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


def _watched(path: Path, files: Iterable[str]) -> set[Path]:
    return {path, *map(Path, files)}


def _state(path: Path, files: Iterable[str]) -> _State:
    """What tells whether a file has changed, of the configuration and of all that it includes."""
    state: _State = {}
    for file in _watched(path, files):
        try:
            stat = file.stat()
        except OSError:
            state[file] = None
        else:
            state[file] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return state
