"""A server as a process: started in a group of its own, its output in a file, ended for certain."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from .polling import SECONDS, wait_until

T = TypeVar("T")


def environment(**settings: str) -> dict[str, str]:
    """The few variables that a program needs to run, and ``settings``: nothing else leaks in."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "JAVA_HOME")
    return {name: os.environ[name] for name in kept if name in os.environ} | settings


class Process:
    """One running server."""

    def __init__(self, command: Sequence[str], log_file: Path, env: Mapping[str, str]) -> None:
        self._command = command
        self._log_file = log_file
        with log_file.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._popen.pid

    def log(self) -> str:
        """All that it has written, standard output and error."""
        return self._log_file.read_text(errors="replace")

    def wait_for(
        self, condition: Callable[[], T | None], *, what: str, seconds: float = SECONDS
    ) -> T:
        """Wait until ``condition`` is true; raise with the log if it is late or the server ends."""

        def alive_and_condition() -> T | None:
            if (status := self._popen.poll()) is not None:
                raise RuntimeError(f"{self._command[0]} ended with {status}:\n{self.log()}")
            return condition()

        try:
            return wait_until(alive_and_condition, what=what, seconds=seconds)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; its log:\n{self.log()}") from None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server itself."""
        self._popen.send_signal(number)

    def terminate(self) -> int:
        """Ask the server to end, and `wait`."""
        self._popen.terminate()
        return self.wait()

    def wait(self) -> int:
        """Wait until the server has ended and return its exit status; kill its group in any case.

        Raises:
            subprocess.TimeoutExpired: it had not ended within `SECONDS`.
        """
        try:
            return self._popen.wait(SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """End the server and all that it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()
