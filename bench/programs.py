"""Programs that the benchmark runs: pinned to cores, logged, ended by their own handle.

The only module that starts anything.
"""

import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_GRACE: Final = 10.0
# below those that a kernel gives to whoever connects (32768 and up on Linux), so that none is taken
# before its server has started
_PORTS: Final = iter(random.sample(range(20_000, 32_000), k=12_000))


class ProgramFailed(Exception):
    """A program could not be run, or ended badly; the text says which and why."""


class Missing(Exception):
    """A program that must be there is not; the text says how to get it."""


def find(name: str, package: str) -> str:
    """The path of a program.

    Raises:
        Missing: it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{name} is not installed (on Debian: apt-get install {package})")
    return found


def run(
    argv: Sequence[str | Path],
    *,
    given: str | None = None,
    cores: frozenset[int] | None = None,
    seconds: float = 600.0,
    codes: frozenset[int] = frozenset({0}),
) -> str:
    """Run a program to its end; return its output, standard error included.

    Raises:
        ProgramFailed: it cannot be started, exits with none of these codes, or runs longer than
            ``seconds``.
    """
    name = Path(argv[0]).name
    try:
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [*_pinned(cores), *argv],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(f"{name}: {error}") from None
    if done.returncode not in codes:
        raise ProgramFailed(f"{name} exited with {done.returncode}: {_last_line(done.stdout)}")
    return done.stdout


@contextmanager
def running(
    argv: Sequence[str | Path],
    *,
    cores: frozenset[int],
    log: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that runs on these cores as long as the block does."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*_pinned(cores), *argv],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
    try:
        yield process
    finally:
        _end(process)


def _pinned(cores: frozenset[int] | None) -> list[str]:
    if cores is None:
        return []
    # taskset becomes the program itself, so that its process ID is the program's
    return [find("taskset", "util-linux"), "-c", ",".join(map(str, sorted(cores)))]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def free_port() -> int:
    """A TCP port on loopback that nobody listens on; none is given twice.

    Raises:
        ProgramFailed: there is none.
    """
    for port in _PORTS:
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise ProgramFailed("no port is free")
