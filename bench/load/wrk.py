"""Run wrk, and see that every answer had the status that is right."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import programs
from bench.load.asking import Asking

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_PATIENCE: Final = 20
"""Seconds that wrk waits for an answer."""


class WrongAnswers(Exception):
    """The gateway answered otherwise than it should; the text says how often."""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw.

    Attributes:
        refused: answers with a status of 400 or more.
        broken: connections that failed, and answers that took longer than 20 s.
        p50: microseconds.
        p99: microseconds.
    """

    requests: int
    seconds: float
    refused: int
    broken: int
    p50: int
    p99: int

    @property
    def rps(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Callers:
    """Who calls.

    Attributes:
        connections: callers at the same time; each waits for its answer before it calls again.
        pause: milliseconds that a caller pauses before each call, on average; chosen evenly
            between none and twice as much.
        tokens: a file with tokens, each call takes the next one.
        first: the number of the token to begin with.
    """

    connections: int
    pause: int = 0
    tokens: Path | None = None
    first: int = 0


def run(asking: Asking, callers: Callers, seconds: int, cores: frozenset[int]) -> Load:
    """Call for that many seconds.

    Raises:
        Missing: wrk is not installed.
        ProgramFailed: it does not run.
    """
    wrk = programs.find("wrk", "wrk")
    counts = [f"-c{callers.connections}", "-t1", f"-d{seconds}s", f"--timeout={_PATIENCE}s"]
    script: list[str | Path] = [asking.headers, asking.body, str(callers.pause)]
    if callers.tokens is not None:
        script += [callers.tokens, str(callers.first)]
    command: list[str | Path] = [wrk, *counts, f"--script={_SCRIPT}", asking.url, "--", *script]
    return parse(programs.run(command, cores=cores, seconds=seconds + _PATIENCE + 10))


def parse(output: str) -> Load:
    """Read the line that our script prints after wrk's own.

    Raises:
        ProgramFailed: it is not there.
    """
    for line in reversed(output.splitlines()):
        if line.startswith('{"requests"'):
            return Load(**json.loads(line))
    raise programs.ProgramFailed(f"wrk: {output.strip()[-300:]}")


def check(load: Load, status: int) -> None:
    """See that all answers were of this kind.

    Raises:
        WrongAnswers: some were not, or there were none.
    """
    if load.requests == 0:
        raise WrongAnswers("no answers")
    wrong = load.requests - load.refused if status >= 400 else load.refused
    if wrong:
        raise WrongAnswers(f"{wrong} of {load.requests} answers are not {status}")
    if load.broken:
        raise WrongAnswers(f"{load.broken} connections failed beside {load.requests} answers")
