"""Goals are held against medians of paired rounds."""

import pytest

from bench import paired
from bench.goals import GOALS, Goal, judge
from bench.peers import PEERS
from bench.workloads import NAMES

from .parts.runs import run

OWN = ("chat-16", "rolecall", "cpu_us")
OTHERS = ("chat-16", "envoy", "cpu_us")
FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30, 100, 36]},
    ("chat-16", "envoy"): {"cpu_us": [40, 200, 40]},
}


@pytest.mark.parametrize(
    ("goal", "measured", "reached"),
    [
        (Goal("", OWN, 0.8, against=OTHERS), 0.75, True),
        (Goal("", OWN, 0.75, against=OTHERS), 0.75, True),
        (Goal("", OWN, 0.7, against=OTHERS), 0.75, False),
        (Goal("", OWN, 0, "µs", OTHERS, paired.differences), -10, True),
        (Goal("", OWN, 35, "µs"), 36, False),
        (Goal("", OWN, 36, "µs"), 36, True),
    ],
)
def test_a_goal_is_reached_when_the_median_is_within_it(goal, measured, reached):
    (verdict,) = judge(run(FIGURES), [goal])
    assert verdict.measured is not None
    assert verdict.measured.median == measured
    assert verdict.reached is reached


@pytest.mark.parametrize(
    "goal",
    [
        Goal("", ("large", "rolecall", "cpu_us"), 1),
        Goal("", OWN, 1, against=("chat-16", "nginx", "cpu_us")),
        Goal("", ("chat-16", "rolecall", "p99_ms"), 1),
    ],
)
def test_what_was_not_measured_is_neither_reached_nor_missed(goal):
    (verdict,) = judge(run(FIGURES), [goal])
    assert verdict.measured is None
    assert verdict.reached is None


def test_goals_name_workloads_and_gateways_that_there_are():
    sides = [side for goal in GOALS for side in (goal.figure, goal.against) if side]
    assert {workload for workload, _, _ in sides} <= set(NAMES)
    assert {peer for _, peer, _ in sides} <= {peer.name for peer in PEERS}
