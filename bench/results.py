"""The results of a run: every figure of every round, as they are written and read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

from bench.machine import Machine

SHAPE: Final = 1
"""Count this up when the file changes its shape: older files are then not read any more."""


class Unreadable(Exception):
    """The file holds no results; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement of the plan."""

    workload: str
    peer: str
    round: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one measurement showed; the figures' names end with their unit."""

    step: Step
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no sample."""

    step: Step
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often.

    Attributes:
        seconds: of load in each measurement.
        requests: that the memory is watched over.
    """

    workloads: tuple[str, ...]
    peers: tuple[str, ...]
    rounds: int
    seconds: int
    requests: int


@dataclass(frozen=True, slots=True)
class Results:
    """A run.

    Attributes:
        began: when, in UTC (ISO 8601).
        versions: of each peer that could be had.
        skipped: why the others could not.
    """

    began: str
    machine: Machine
    plan: Plan
    versions: Mapping[str, str]
    skipped: Mapping[str, str]
    samples: tuple[Sample, ...] = ()
    failures: tuple[Failure, ...] = field(default=())

    def with_outcome(self, outcome: Sample | Failure) -> Self:
        """With one more sample or failure."""
        if isinstance(outcome, Sample):
            return replace(self, samples=(*self.samples, outcome))
        return replace(self, failures=(*self.failures, outcome))

    def rounds(self, workload: str, peer: str, figure: str) -> dict[int, float]:
        """One figure by round; empty if it was not measured."""
        return {
            sample.step.round: sample.figures[figure]
            for sample in self.samples
            if (sample.step.workload, sample.step.peer) == (workload, peer)
            and figure in sample.figures
        }

    @property
    def done(self) -> frozenset[Step]:
        """What need not be measured again."""
        return frozenset(sample.step for sample in self.samples)


def write(results: Results, path: Path) -> None:
    """Replace the file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(dumps(results), encoding="utf-8")
    new.replace(path)


def dumps(results: Results) -> str:
    """The file's text: a sample a line, so that two files can be compared."""
    value = asdict(results)
    lists = {name: value.pop(name) for name in ("samples", "failures")}
    head = json.dumps({"shape": SHAPE, **value}, indent=1)
    tail = (f' "{name}": [{_lines(entries)}]' for name, entries in lists.items())
    return head[:-2] + ",\n" + ",\n".join(tail) + "\n}\n"


def _lines(entries: list[dict[str, Any]]) -> str:
    if not entries:
        return ""
    flat = ({**entry.pop("step"), **entry} for entry in entries)
    return "\n  " + ",\n  ".join(map(json.dumps, flat)) + "\n "


def read(path: Path) -> Results:
    """Read a file.

    Raises:
        Unreadable: it is not there, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.pop("shape") != SHAPE:
            raise Unreadable(f"{path.name} is of another version; measure anew")
        samples = tuple(Sample(_step(one), one["figures"]) for one in value.pop("samples"))
        failures = tuple(Failure(_step(one), one["reason"]) for one in value.pop("failures"))
        plan: dict[str, Any] = value.pop("plan")
        plan |= {name: tuple(plan[name]) for name in ("workloads", "peers")}
        return Results(
            machine=Machine(**value.pop("machine")),
            plan=Plan(**plan),
            samples=samples,
            failures=failures,
            **value,
        )
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"{path.name} holds no results: {error!r}") from None


def _step(one: dict[str, Any]) -> Step:
    return Step(one["workload"], one["peer"], one["round"])
