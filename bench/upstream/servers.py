"""Start and stop the mock providers and the key server, on the load's cores."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import programs
from bench.places import RUN
from bench.sockets import listening
from bench.upstream import answers

_NGINX: Final = """\
worker_processes 1;
error_log stderr error;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    keepalive_timeout 3600;
    keepalive_requests 1000000000;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            if ($http_authorization != "Bearer {key}") {{ return 401; }}
            return 200 '{answer}';
        }}
    }}
}}
"""
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
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "nginx.conf"
    config.write_text(
        _NGINX.format(
            folder=folder, port=port, key=answers.PROVIDER_KEY, answer=answers.COMPLETION
        ),
        encoding="ascii",
    )
    argv = nginx(config)
    with programs.running(argv, cores=cores, log=folder / "log"):
        wait_for(port, folder / "log")
        yield port


def nginx(config: Path) -> list[str]:
    """The command that runs nginx in the foreground with this configuration."""
    binary = programs.find("nginx", "nginx-light")
    return [binary, "-p", str(config.parent), "-c", str(config), "-g", "daemon off;"]


@contextmanager
def events_server(cores: frozenset[int]) -> Iterator[int]:
    """The streamer; its port."""
    port = programs.free_port()
    argv = [sys.executable, "-m", "bench.upstream.events", str(port)]
    log = RUN / "upstream" / "events.log"
    with programs.running(argv, cores=cores, log=log):
        wait_for(port, log)
        yield port


@contextmanager
def key_server(cores: frozenset[int], keys: Path, port: int) -> Iterator[None]:
    """The key server; it reads ``keys`` for each answer."""
    argv = [sys.executable, "-m", "bench.upstream.keys", str(port), str(keys)]
    log = RUN / "upstream" / "keys.log"
    with programs.running(argv, cores=cores, log=log):
        wait_for(port, log)
        yield


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
