"""The goals, and whether a run reaches them; ratios within one run wherever they can be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench import paired
from bench.paired import Spread
from bench.results import Results

Figure = tuple[str, str, str]
"""Workload, peer, name of the figure."""
Compare = Callable[[Mapping[int, float], Mapping[int, float]], list[float]]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, alone or held against another one of the same round, must not exceed a limit.

    Attributes:
        unit: of the limit; ``×`` for a ratio.
    """

    title: str
    figure: Figure
    limit: float
    unit: str = "×"
    against: Figure | None = None
    compare: Compare = paired.ratios


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says about a goal; nothing if it has not measured it."""

    goal: Goal
    measured: Spread | None

    @property
    def reached(self) -> bool | None:
        """Whether the median is within the limit."""
        return None if self.measured is None else self.measured.median <= self.goal.limit


def judge(results: Results, goals: Sequence[Goal]) -> list[Verdict]:
    """Hold a run against the goals."""
    return [Verdict(goal, _measured(results, goal)) for goal in goals]


def _measured(results: Results, goal: Goal) -> Spread | None:
    values = results.rounds(*goal.figure)
    if goal.against is None:
        found = list(values.values())
    else:
        found = goal.compare(values, results.rounds(*goal.against))
    return Spread.of(found) if found else None


def _over(workload: str, peer: str, figure: str = "cpu_us") -> tuple[Figure, Figure]:
    return (workload, "rolecall", figure), (workload, peer, figure)


def _goal(title: str, limit: float, pair: tuple[Figure, Figure]) -> Goal:
    return Goal(title, pair[0], limit, against=pair[1])


_ALLOWED: Final = ("chat-16", "rolecall", "cpu_us")

GOALS: Final = (
    _goal("chat, remembered token: CPU against Envoy", 0.8, _over("chat-16", "envoy")),
    _goal("chat, remembered token: CPU against bare nginx", 3.0, _over("chat-16", "nginx")),
    _goal("chat, remembered token: CPU against LiteLLM", 0.01, _over("chat-16", "litellm")),
    _goal("stream of 100 events: CPU against Envoy", 1.0, _over("stream", "envoy")),
    _goal("128-KiB body: CPU against Envoy", 1.5, _over("large", "envoy")),
    _goal(
        "denied call: CPU against an allowed one", 0.8, (("denied", "rolecall", "cpu_us"), _ALLOWED)
    ),
    Goal(
        "new token (RS256): CPU beyond a remembered one",
        ("cold-rs256", "rolecall", "cpu_us"),
        60.0,
        "µs",
        _ALLOWED,
        paired.differences,
    ),
    _goal(
        "10,000 rules: CPU against one rule",
        1.05,
        (("rules-10000", "rolecall", "cpu_us"), ("rules-1", "rolecall", "cpu_us")),
    ),
    _goal("p99 at half load: against Envoy", 1.5, _over("half-load", "envoy", "p99_ms")),
    _goal(
        "p99 beside a flood of unknown keys: against none",
        2.0,
        (
            ("unknown-keys", "rolecall", "flooded_p99_ms"),
            ("unknown-keys", "rolecall", "calm_p99_ms"),
        ),
    ),
    Goal("ready after start", ("ready", "rolecall", "ready_s"), 0.6, "s"),
    Goal("memory of one worker after the load", ("memory", "rolecall", "after_mib"), 60.0, "MiB"),
    Goal(
        "growth of its memory in the second half of the load",
        ("memory", "rolecall", "growth_mib"),
        1.0,
        "MiB",
    ),
)
