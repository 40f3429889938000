"""The configuration file is watched: a change that is valid takes effect, any other does not."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rolecall.config import ConfigurationError, FileState, Loaded, file_state
from rolecall.gateway.app import Gateway
from rolecall.gateway.snapshot import compile_snapshot
from rolecall.identity import StoreError

_State = dict[Path, FileState]

log = logging.getLogger("rolecall.gateway")


@contextmanager
def hangup_waiting() -> Iterator[None]:
    """Let a SIGHUP wait meanwhile, instead of ending a process that does not listen for it yet.

    A process that is started meanwhile lets it wait too, until its gateway begins to `follow`.
    """
    _hold(signal.SIG_BLOCK)
    try:
        yield
    finally:
        _hold(signal.SIG_UNBLOCK)


def _hold(how: int) -> None:
    with suppress(AttributeError):  # Windows has no SIGHUP
        signal.pthread_sigmask(how, {signal.SIGHUP})


async def follow(
    gateway: Gateway,
    path: Path,
    load: Callable[[], Loaded],
    *,
    seen: FileState = None,
    every: float = 1.0,
) -> None:
    """Reload on SIGHUP and whenever the file changes, for ever.

    Args:
        gateway: the application whose snapshot is replaced.
        path: the configuration file.
        load: reads it.
        seen: what the file was before it was read the first time; keys may have been fetched since.
        every: seconds between two looks at the file.
    """
    hangup = asyncio.Event()
    with suppress(NotImplementedError, AttributeError):  # Windows has no SIGHUP
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup.set)
    _hold(signal.SIG_UNBLOCK)
    known = await asyncio.to_thread(_state, path, gateway.files)
    if seen is not None:
        known[path] = seen
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(every):
                await hangup.wait()
        now = await asyncio.to_thread(_state, path, gateway.files)
        if now == known and not hangup.is_set():
            continue
        hangup.clear()
        await _reload(gateway, load)
        # a file that is included only now may have changed since it was read: it is read once more
        known = {file: now.get(file) for file in _watched(path, gateway.files)}


async def _reload(gateway: Gateway, load: Callable[[], Loaded]) -> None:
    try:
        loaded = await asyncio.to_thread(load)
    except ConfigurationError as error:
        _reject(gateway, error.problems)
        return
    for warning in loaded.warnings:
        log.warning("%s", warning)
    # thousands of conditions take a tenth of a second, in which nobody would be answered
    snapshot = await asyncio.to_thread(compile_snapshot, loaded.settings)
    try:
        await gateway.replace(snapshot)
    except StoreError as error:
        _reject(gateway, [error])
        return
    log.info("the configuration was reloaded")


def _reject(gateway: Gateway, problems: Iterable[object]) -> None:
    for problem in problems:
        log.warning("%s", problem)
    gateway.reloads["rejected"] += 1
    log.warning("the configuration was not reloaded; the former one serves on")


def _watched(path: Path, files: Iterable[str]) -> set[Path]:
    return {path, *map(Path, files)}


def _state(path: Path, files: Iterable[str]) -> _State:
    """What tells whether a file has changed, of the configuration and of all that it includes."""
    return {file: file_state(file) for file in _watched(path, files)}
