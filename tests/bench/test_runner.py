"""The order of a run: rounds of workloads, one gateway after another in each."""

from bench import runner
from bench.peers import PEERS
from bench.results import Step
from bench.workloads import GROUPS, NAMES

BY_NAME = {peer.name: peer for peer in PEERS}
TWO = [BY_NAME["envoy"], BY_NAME["rolecall"]]


def test_gateways_take_turns_within_a_workload():
    assert runner.steps(GROUPS, ("chat-16", "denied"), TWO, 2) == [
        Step("chat-16", "envoy", 1),
        Step("chat-16", "rolecall", 1),
        Step("denied", "envoy", 1),
        Step("denied", "rolecall", 1),
        Step("chat-16", "rolecall", 2),
        Step("chat-16", "envoy", 2),
        Step("denied", "rolecall", 2),
        Step("denied", "envoy", 2),
    ]


def test_each_gateway_is_first_as_often_as_the_others():
    steps = runner.steps(GROUPS, ("stream",), PEERS, len(PEERS))
    first = {step.round: step.peer for step in reversed(steps)}
    assert sorted(first.values()) == sorted(BY_NAME)


def test_a_gateway_that_checks_nothing_refuses_nothing():
    steps = runner.steps(GROUPS, ("denied", "cold-rs256", "keys"), PEERS, 1)
    assert {step.peer for step in steps} == {"envoy", "rolecall"}


def test_memory_is_watched_once():
    steps = runner.steps(GROUPS, NAMES, TWO, 5)
    assert [step for step in steps if step.workload == "memory" and step.round > 1] == []
    assert {step.workload for step in steps} == set(NAMES)


def test_without_gateways_there_is_nothing_to_do():
    assert runner.steps(GROUPS, NAMES, [], 5) == []
