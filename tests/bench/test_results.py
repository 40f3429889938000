"""Every figure of every round is kept, and read as it was written."""

import json

import pytest

from bench import results
from bench.results import Failure, Sample, Step, Unreadable

from .parts.runs import run

FIGURES = {
    ("chat-16", "rolecall"): {"cpu_us": [30.5, 31, 29], "rps": [1, 2, 3]},
    ("chat-16", "envoy"): {"cpu_us": [44, 45, 46]},
}
FAILED = Failure(Step("stream", "envoy", 2), "it is gone")


@pytest.mark.parametrize("found", [run({}), run(FIGURES), run(FIGURES, failures=[FAILED])])
def test_what_is_written_is_read(found, tmp_path):
    path = tmp_path / "new" / "run.json"
    results.write(found, path)
    assert results.read(path) == found
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


def test_a_sample_takes_a_line():
    lines = results.dumps(run(FIGURES)).splitlines()
    assert sum('"cpu_us"' in line for line in lines) == 6


def test_figures_are_found_by_round():
    found = run(FIGURES)
    assert found.rounds("chat-16", "rolecall", "cpu_us") == {1: 30.5, 2: 31, 3: 29}
    assert found.rounds("chat-16", "envoy", "rps") == {}
    assert found.rounds("stream", "envoy", "cpu_us") == {}


def test_an_outcome_is_added():
    more = run({}).with_outcome(FAILED).with_outcome(Sample(Step("denied", "envoy", 1), {"rps": 1}))
    assert more.failures == (FAILED,)
    assert more.done == {Step("denied", "envoy", 1)}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"shape": 0}', json.dumps({"shape": results.SHAPE, "samples": [{}]})],
)
def test_a_file_that_holds_something_else_is_refused(text, tmp_path):
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(Unreadable, match=r"run\.json"):
        results.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="No such file"):
        results.read(tmp_path / "run.json")
