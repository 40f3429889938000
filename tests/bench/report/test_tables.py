"""Tables hold medians, what they are held against, and nothing that was not measured."""

import pytest

from bench.report import tables
from bench.results import Failure, Step

FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30, 33, 36], "rps": [9000, 10000, 11000]},
    ("chat-16", "envoy"): {"cpu_us": [40, 44, 40], "rps": [22000, 22000, 22000]},
    ("denied", "rolecall"): {"cpu_us": [24, 22, 27]},
    ("cold-rs256", "rolecall"): {"cpu_us": [75, 80, 90]},
    ("half-load", "rolecall"): {"rps": [5000], "share": [0.484], "p99_ms": [1.234]},
    ("memory", "rolecall"): {"rest_mib": [40], "after_mib": [48.5], "requests": [1_000_123]},
}
WORKLOADS = ("chat-16", "chat-1", "denied", "cold-rs256", "half-load", "memory")


def test_a_workload_has_a_row_for_each_gateway_that_was_measured(run):
    chat, *_ = tables.of_workloads(run(FIGURES, workloads=WORKLOADS))
    assert chat.columns == ("gateway", "CPU µs", "from, to", "× Envoy", "answers/s")
    assert chat.rows == (
        ("Envoy", "40.0", "40.0 to 44.0", "1.00", "22,000"),
        ("Rolecall", "33.0", "30.0 to 36.0", "0.75", "10,000"),
    )


def test_a_workload_that_was_not_measured_has_no_table(run):
    titles = [table.title.partition(":")[0] for table in tables.of_workloads(run(FIGURES))]
    assert titles == ["chat-16", "denied"]


@pytest.mark.parametrize(
    ("workload", "shown"),
    [
        ("denied", {"CPU µs": "24.0", "× the other": "0.75"}),
        ("cold-rs256", {"CPU µs": "80.0", "µs beyond chat-16": "47.0"}),
        ("half-load", {"answers/s": "5,000", "of its highest": "48%", "p99 ms": "1.23"}),
        ("memory", {"MiB at rest": "40.0", "MiB after": "48.5", "requests": "1,000,123"}),
    ],
)
def test_a_workload_shows_what_it_measures(run, workload, shown):
    found = {
        table.title.partition(":")[0]: table
        for table in tables.of_workloads(run(FIGURES, workloads=WORKLOADS))
    }[workload]
    (row,) = found.rows
    cells = dict(zip(found.columns, row, strict=True))
    assert cells.pop("gateway") == "Rolecall"
    cells.pop("from, to", None)
    assert cells == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5758.3, "5,758"),
        (123.4, "123"),
        (99.96, "100"),
        (44.31, "44.3"),
        (9.996, "10.0"),
        (3.386, "3.39"),
        (0.75, "0.75"),
        (0.0057, "0.0057"),
        (0.0, "0"),
        (-12.34, "-12.3"),
    ],
)
def test_numbers_have_the_digits_that_mean_something(value, text):
    assert tables.number(value) == text


def test_goals_say_what_became_of_them(run):
    rows = {row[0]: row[1:] for row in tables.of_goals(run(FIGURES)).rows}
    assert rows["chat, remembered token: CPU against Envoy"] == (
        "0.8 ×", "0.75 ×", "0.75 to 0.90", "reached",
    )  # fmt: skip
    assert rows["memory of one worker after the load"] == ("60 MiB", "48.5 MiB", "", "reached")
    assert rows["ready after start"] == ("0.6 s", "", "", "not measured")


def test_a_comparison_shows_every_figure(run):
    table = tables.by_round(run(FIGURES), "chat-16", ("rolecall", "envoy"))
    assert table.rows == (
        ("1", "30.0", "40.0", "0.75"),
        ("2", "33.0", "44.0", "0.75"),
        ("3", "36.0", "40.0", "0.90"),
    )


def test_where_rolecall_costs_more_than_envoy_is_said(run):
    dear = {
        ("chat-16", "rolecall"): {"cpu_us": [60, 66, 72]},
        ("chat-16", "envoy"): {"cpu_us": [40, 44, 40]},
        ("denied", "rolecall"): {"cpu_us": [20]},
        ("denied", "envoy"): {"cpu_us": [20]},
    }
    assert tables.dearer(run(dear)) == [("chat-16", 1.5)]


def test_a_gateway_that_cannot_be_had_says_why(run):
    rows = {row[0]: row[1] for row in tables.of_peers(run({}, skipped={"nginx": "no nginx"})).rows}
    assert rows == {"nginx": "not measured: no nginx", "Envoy": "1.40.0", "Rolecall": "0.1.0"}


def test_failures_and_disturbance_are_noted(run):
    crowded = {("chat-16", "envoy"): {"cpu_us": [40], "others_share": [0.31]}}
    gone = Failure(Step("denied", "envoy", 2), "200 instead of 403")
    failed, busy = tables.notes(run(crowded, failures=[gone]))
    assert failed == "denied, Envoy, round 2: 200 instead of 403"
    assert "busy for 31% of the time" in busy


def test_a_quiet_run_has_no_notes(run):
    quiet = {
        ("chat-16", "envoy"): {"others_share": [0.01, 0.04]},
        ("workers-2", "envoy"): {"others_share": [0.9, 0.9]},
    }
    assert tables.notes(run(quiet)) == []
