"""Start and stop the mock providers and the key server, on the load's cores."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import nginx, programs
from bench.places import RUN
from bench.sockets import listening
from bench.upstream import answers

_INSIDE: Final = """\
default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            if ($http_authorization != "Bearer {key}") {{ return 401; }}
            return 200 '{answer}';
        }}
    }}"""
_READY_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Upstreams:
    """Ports of the mock providers: one answers at once, one streams."""

    plain: int
    events: int


@contextmanager
def plain_server(cores: frozenset[int]) -> Iterator[int]:
    """Nginx, which answers each request with the same completion; its port."""
    port = programs.free_port()
    folder = RUN / "upstream"
    inside = _INSIDE.format(port=port, key=answers.PROVIDER_KEY, answer=answers.COMPLETION)
    argv = nginx.command(folder, 1, inside)
    with programs.running(argv, cores=cores, log=folder / "log"):
        wait_for(port, folder / "log")
        yield port


@contextmanager
def events_server(cores: frozenset[int]) -> Iterator[int]:
    """The streamer; its port."""
    port = programs.free_port()
    argv = [sys.executable, "-m", "bench.upstream.events", str(port)]
    log = RUN / "upstream" / "events.log"
    with programs.running(argv, cores=cores, log=log):
        wait_for(port, log)
        yield port


@dataclass(frozen=True, slots=True)
class KeyServer:
    """Where the issuer publishes its keys."""

    port: int
    file: Path

    def publish(self, keys: str) -> None:
        """Answer with this key set from now on."""
        new = self.file.with_suffix(".new")
        new.write_text(keys, encoding="ascii")
        new.replace(self.file)

    def hang(self) -> None:
        """Answer nobody from now on."""
        self.file.unlink()

    @property
    def asked(self) -> int:
        """How often the key set was asked for."""
        return self.tally.stat().st_size

    @property
    def tally(self) -> Path:
        """A file with a byte for each request."""
        return self.file.with_suffix(".asked")


@contextmanager
def key_server(cores: frozenset[int], keys: str) -> Iterator[KeyServer]:
    """The key server; it begins with this key set."""
    folder = RUN / "upstream"
    server = KeyServer(programs.free_port(), folder / "jwks.json")
    server.publish(keys)
    server.tally.write_bytes(b"")
    files = [str(server.file), str(server.tally)]
    argv = [sys.executable, "-m", "bench.upstream.keys", str(server.port), *files]
    log = folder / "keys.log"
    with programs.running(argv, cores=cores, log=log):
        wait_for(server.port, log)
        yield server


def wait_for(port: int, log: Path) -> None:
    """Wait until somebody listens on the port.

    Raises:
        ProgramFailed: nobody does within 10 s.
    """
    deadline = time.monotonic() + _READY_WITHIN
    while not listening(port):
        if time.monotonic() > deadline:
            raise programs.ProgramFailed(
                f"nobody listens: {log.read_text(errors='replace')[-500:]}"
            )
        time.sleep(0.005)
