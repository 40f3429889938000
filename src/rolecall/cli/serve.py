"""``rolecall serve``."""

import logging
import os
import secrets
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
import uvicorn

from rolecall.cli.configuration import config_options, show
from rolecall.cli.descriptors import allow_descriptors
from rolecall.cli.workers import Workers
from rolecall.config import (
    ConfigurationError,
    FileState,
    ListenerTls,
    Loaded,
    file_state,
    load_apart,
)
from rolecall.gateway import (
    Gateway,
    compile_snapshot,
    follow,
    hangup_waiting,
    server_config,
    tls_context,
)
from rolecall.identity import SharedReplays
from rolecall.record import configure

log = logging.getLogger("rolecall.gateway")

# how a worker process learns what its parent was told
_CONFIG: Final = "ROLECALL_WORKER_CONFIG"
_ALLOW_UNKNOWN: Final = "ROLECALL_WORKER_ALLOW_UNKNOWN"
_LOG_FORMAT: Final = "ROLECALL_WORKER_LOG_FORMAT"
_SIBLINGS: Final = "ROLECALL_WORKER_SIBLINGS"
_PROOFS_KEY: Final = "ROLECALL_WORKER_PROOFS_KEY"
# whatever the configuration says later, all must look for a proof in the same place
_PROOFS: Final = "ROLECALL_WORKER_PROOFS"

# seconds that requests under way may still take; Kubernetes kills after 30
_GRACE: Final = 20
_FEW_DESCRIPTORS: Final = 4096


@click.command()
@config_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    default=4000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Processes that share the port.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How log lines are written.",
)
@hangup_waiting()
def serve(  # noqa: PLR0913 - one parameter an option
    config: Path, *, allow_unknown: bool, host: str, port: int, workers: int, log_format: str
) -> None:
    """Serve the gateway.

    The configuration is read again on SIGHUP and whenever its file changes; a change that is
    not valid is logged and ignored.
    """
    seen = file_state(config)
    try:
        loaded = load_apart(config, allow_unknown=allow_unknown)
    except ConfigurationError as error:
        show(error.problems)
        sys.exit(1)
    os.environ[_CONFIG] = str(config)
    os.environ[_ALLOW_UNKNOWN] = "1" if allow_unknown else ""
    os.environ[_LOG_FORMAT] = log_format
    os.environ[_PROOFS_KEY] = secrets.token_hex(32)
    os.environ[_PROOFS] = str(loaded.settings.limits.proofs)
    configure("json" if log_format == "json" else "text")
    for warning in loaded.warnings:
        log.warning("%s", warning)
    descriptors = allow_descriptors()
    if descriptors is not None and 0 <= descriptors < _FEW_DESCRIPTORS:
        log.warning(
            "this process may open %d files and connections at most (ulimit -Hn), and a call under"
            " way takes two",
            descriptors,
        )
    tls = loaded.settings.listener_tls
    if tls is not None:
        _check_tls(tls)
    server = server_config(
        "rolecall.cli.serve:application" if workers > 1 else partial(_application, loaded, seen),
        tls,
        factory=True,
        host=host,
        port=port,
        workers=workers,
        timeout_graceful_shutdown=_GRACE,
    )
    listening = server.bind_socket()
    address, bound = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    log.info("listening on %s://%s:%d", "http" if tls is None else "https", shown, bound)
    # uvicorn raises a caught signal anew when it has stopped; an orderly stop is a success
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    if workers > 1:
        with TemporaryDirectory(prefix="rolecall-") as siblings:
            # where there are no Unix sockets each process speaks for itself
            os.environ[_SIBLINGS] = siblings if hasattr(socket, "AF_UNIX") else ""
            Workers(server, [listening]).run()
        return
    running = uvicorn.Server(server)
    running.run([listening])
    sys.exit(0 if running.started else 1)


def _check_tls(tls: ListenerTls) -> None:
    try:
        tls_context(tls)
    except OSError as error:
        log.error("server.tls cannot be used: %s", error)  # noqa: TRY400 - a sentence is enough
        sys.exit(1)


def application() -> Gateway:
    """Make the application of a worker process; its parent has left word in the environment."""
    configure("json" if os.environ[_LOG_FORMAT] == "json" else "text")
    seen = file_state(Path(os.environ[_CONFIG]))
    try:
        loaded = _load()
    except ConfigurationError as error:
        # it has changed since the parent read it; a worker that died may be replaced any time
        for problem in error.problems:
            log.error("%s", problem)  # noqa: TRY400 - where it was raised helps nobody
        sys.exit(1)
    return _application(loaded, seen)


def _load() -> Loaded:
    allow_unknown = bool(os.environ[_ALLOW_UNKNOWN])
    return load_apart(Path(os.environ[_CONFIG]), allow_unknown=allow_unknown)


def _application(loaded: Loaded, seen: FileState) -> Gateway:
    path = Path(os.environ[_CONFIG])
    key = bytes.fromhex(os.environ[_PROOFS_KEY])
    siblings = Path(folder) if (folder := os.environ.get(_SIBLINGS)) else None
    replays = None
    if siblings is not None:
        replays = SharedReplays(siblings / "proofs", key, int(os.environ[_PROOFS]))
    gateway = Gateway(
        compile_snapshot(loaded.settings, nonce_key=key, replays=replays),
        background=lambda: follow(gateway, path, _load, seen=seen),
        siblings=siblings,
    )
    return gateway
