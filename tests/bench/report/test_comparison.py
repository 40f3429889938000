"""The lines that the continuous integration shows."""

from bench.report import comparison
from bench.results import Failure, Step

PEERS = ("rolecall", "envoy")
FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30, 33, 36]},
    ("chat-16", "envoy"): {"cpu_us": [40, 40, 40]},
    ("denied", "envoy"): {"cpu_us": [20, 20, 20]},
}
GONE = Failure(Step("denied", "rolecall", 1), "500 instead of 403")


def test_each_workload_has_a_line(run):
    span = "chat, remembered token, 16 connections; 0.75 to 0.90 in 3 rounds"
    assert comparison.lines(run(FIGURES, failures=[GONE]), PEERS) == [
        f"rolecall/envoy cpu ratio: 0.82 ({span})",
        "rolecall/envoy cpu ratio (denied): not measured: 500 instead of 403",
        "rolecall/envoy cpu ratio (stream): not measured: it was not asked for",
    ]


def test_a_gateway_that_cannot_be_had_is_named(run):
    first, *_ = comparison.lines(run({}, skipped={"envoy": "no wheel for this machine"}), PEERS)
    assert first == "rolecall/envoy cpu ratio: not measured: no wheel for this machine"
