"""Start a gateway on its core, and see that it answers as it should before it is measured."""

import http.client
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import calls, proc, programs, sockets
from bench.calls import Call
from bench.cores import Cores
from bench.peers import Peer, Setting
from bench.upstream import answers


class WrongAnswer(Exception):
    """A gateway does not do what is to be measured; the text says what it did instead."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that runs.

    Attributes:
        folder: its configuration and its log.
        ready: seconds from its start to its first right answer.
        rest: MiB of resident memory at that moment.
    """

    peer: Peer
    folder: Path
    pid: int
    port: int
    ready: float
    rest: float

    def ask(self, call: Call, token: str | None) -> sockets.Answer:
        """One request; without a token if there is None."""
        headers = {} if token is None else self.peer.headers(token)
        return sockets.post(self.port, calls.PATH, headers, call.body)


@contextmanager
def started(
    peer: Peer, setting: Setting, folder: Path, cores: Cores, token: str
) -> Iterator[Gateway]:
    """A gateway with this setting, as long as the block runs; its files go into ``folder``.

    Raises:
        ProgramFailed: it does not answer within a minute.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = programs.free_port()
    launch = peer.launch(setting, folder, port)
    log = folder / "log"
    began = time.monotonic()
    with programs.running(launch.argv, cores=cores.gateway, log=log, env=launch.env) as process:
        starting = Gateway(peer, folder, process.pid, port, 0.0, 0.0)
        while not _answers(starting, token):
            if process.poll() is not None or time.monotonic() - began > 60:
                told = log.read_text(encoding="utf-8", errors="replace")[-300:].strip()
                raise programs.ProgramFailed(f"{peer.name} did not start: {told}")
            time.sleep(0.005)
        ready = time.monotonic() - began
        rest = proc.resident_mib(process.pid)
        yield Gateway(peer, folder, process.pid, port, ready, rest)


def _answers(gateway: Gateway, token: str) -> bool:
    if not sockets.listening(gateway.port):
        return False
    try:
        return gateway.ask(calls.CHAT, token).status == 200
    except (OSError, http.client.HTTPException):
        return False


def check(gateway: Gateway, call: Call, token: str) -> None:
    """See that the call is answered right, and that what must be refused is.

    Raises:
        WrongAnswer: it is not.
    """
    expected = call.status if gateway.peer.guards else 200
    answer = gateway.ask(call, token)
    if answer.status != expected:
        raise WrongAnswer(f"{answer.status} instead of {expected}: {answer.body[:200]!r}")
    if call is calls.STREAM:
        _check_stream(answer.body)
    if gateway.peer.guards:
        _check_refusals(gateway, token)


def _check_stream(body: bytes) -> None:
    try:
        right = answers.text_of(body) == answers.TEXT
    except ValueError as error:
        raise WrongAnswer(f"a stream is broken: {error}") from None
    if not right:
        raise WrongAnswer("a stream lost or changed events")


def _check_refusals(gateway: Gateway, token: str) -> None:
    head, _, signature = token.rpartition(".")
    forged = f"{head}.{signature[:-8]}{signature[-8:].swapcase()}"
    cases = (
        ("a model that the role may not call", calls.FORBIDDEN, token, 403),
        ("no token", calls.CHAT, None, 401),
        ("a forged token", calls.CHAT, forged, 401),
    )
    for name, call, presented, expected in cases:
        status = gateway.ask(call, presented).status
        if status != expected:
            raise WrongAnswer(f"{name} is answered {status} instead of {expected}")
