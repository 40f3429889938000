"""The gateway itself, as the command starts it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.programs import free_port

from .process import Process, environment
from .web import answers


class Gateway:
    """A running gateway.

    Attributes:
        port: where it listens, on the loopback address.
        config_file: what it reads.
    """

    def __init__(self, folder: Path, config: str, workers: int, env: dict[str, str]) -> None:
        self.config_file = folder / "rolecall.yaml"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config_file.write_text(config.replace("{gateway}", self.url))
        options = ["--config", self.config_file, "--port", self.port, "--workers", workers]
        self._ending = False
        self._process = Process(
            [sys.executable, "-m", "rolecall", "serve", *map(str, options)],
            folder / "gateway.log",
            environment(**env),
        )

    @property
    def pid(self) -> int:
        """The process that was started; where there are several workers, their parent."""
        return self._process.pid

    def reload(self) -> None:
        """SIGHUP: it reads its configuration again."""
        self._process.signal(signal.SIGHUP)

    def end(self) -> None:
        """SIGTERM: it begins to end."""
        self._ending = True
        self._process.signal(signal.SIGTERM)

    def log(self) -> str:
        """All that it has written, standard output and error."""
        return self._process.log()

    def ready(self) -> bool:
        """Whether it says that it can serve."""
        return answers(f"{self.url}/health/readiness")

    def alive(self) -> bool:
        """Whether it answers at all."""
        return answers(f"{self.url}/health/liveliness")

    def wait_until_ready(self) -> None:
        """Wait until it can serve; raise with its log if that takes too long."""
        self._process.wait_for(self.ready, what="the gateway is ready")

    def wait_until_alive(self) -> None:
        """Wait until it answers, ready or not."""
        self._process.wait_for(self.alive, what="the gateway answers")

    def stop(self) -> None:
        """It ends by itself within a minute of SIGTERM, and nothing went wrong on the way."""
        if not self._ending:
            self.end()
        try:
            status = self._process.wait()
        except subprocess.TimeoutExpired:
            raise AssertionError(f"alive a minute after SIGTERM; its log:\n{self.log()}") from None
        assert status == 0, f"exit status {status}; its log:\n{self.log()}"
        assert "Traceback" not in self.log(), self.log()

    def kill(self) -> None:
        """End it at once, whatever its state."""
        self._process.kill()


@contextmanager
def running(
    folder: Path, config: str, *, ready: bool = True, workers: int = 1, **env: str
) -> Iterator[Gateway]:
    """Start the gateway with a configuration, and check at the end that it stops in order.

    Args:
        folder: where its configuration and log are written.
        config: the YAML text; ``{gateway}`` in it is the gateway's own URL.
        ready: wait until it is ready; otherwise until it answers at all.
        workers: its processes.
        env: its environment variables.
    """
    folder.mkdir(parents=True, exist_ok=True)
    gateway = Gateway(folder, config, workers, env)
    try:
        gateway.wait_until_ready() if ready else gateway.wait_until_alive()
        yield gateway
    except BaseException:
        gateway.kill()
        raise
    gateway.stop()
