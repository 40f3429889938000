"""Tables hold medians, the ratio to Envoy, and nothing that was not measured."""

import pytest

from bench.report import tables

FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30, 33, 36], "rps": [9000, 10000, 11000]},
    ("chat-16", "envoy"): {"cpu_us": [40, 44, 40], "rps": [22000, 22000, 22000]},
    ("stream", "rolecall"): {"cpu_us": [900.4, 901, 1100]},
}


def test_a_workload_has_a_row_for_each_gateway_that_was_measured(run):
    chat, stream = tables.of_workloads(run(FIGURES))
    assert chat.columns == ("gateway", "CPU µs", "from, to", "× Envoy", "answers/s")
    assert chat.rows == (
        ("Envoy", "40.0", "40.0 to 44.0", "1.00", "22,000"),
        ("Rolecall", "33.0", "30.0 to 36.0", "0.75", "10,000"),
    )
    assert stream.rows == (("Rolecall", "901", "900 to 1,100", ""),)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5758.3, "5,758"),
        (123.4, "123"),
        (44.31, "44.3"),
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
    assert rows["chat, remembered token: CPU against Envoy"] == ("0.8 ×", "0.75 ×", "reached")
    assert rows["stream of 100 events: CPU against Envoy"] == ("1 ×", "", "not measured")


def test_a_comparison_shows_every_figure(run):
    table = tables.by_round(run(FIGURES), "chat-16", ("rolecall", "envoy"))
    assert table.rows == (
        ("1", "30.0", "40.0", "0.75"),
        ("2", "33.0", "44.0", "0.75"),
        ("3", "36.0", "40.0", "0.90"),
    )
