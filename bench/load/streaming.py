"""Run the callers that read streams, in a process of their own."""

import json
import sys
from dataclasses import dataclass

from bench import programs
from bench.load.asking import Asking
from bench.load.wrk import WrongAnswers


@dataclass(frozen=True, slots=True)
class Streamed:
    """What the callers saw.

    Attributes:
        right: streams that said exactly what was sent.
        wrong: all others.
        seconds: from the first call to the end of the last stream.
        p50: microseconds from a call to its first event.
        p99: the same.
    """

    right: int
    wrong: int
    seconds: float
    p50: float
    p99: float


def run(asking: Asking, connections: int, seconds: int, cores: frozenset[int]) -> Streamed:
    """Read streams for that many seconds, and the last ones to their end.

    Raises:
        ProgramFailed: the callers did not come to an end.
        WrongAnswers: a stream was not as it was sent.
    """
    command = [sys.executable, "-m", "bench.load.streams", str(asking.port)]
    files = [asking.headers, asking.body]
    output = programs.run([*command, *files, str(connections), str(seconds)], cores=cores)
    streamed = Streamed(**json.loads(output.splitlines()[-1]))
    if streamed.wrong or not streamed.right:
        raise WrongAnswers(f"{streamed.wrong} streams are not as sent, {streamed.right} are")
    return streamed
