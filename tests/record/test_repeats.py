import logging
import sys

import pytest

from rolecall.core import Call, Caller, Parameters, Reason, Refusal
from rolecall.record import Recorder
from rolecall.record.repeats import MOST, WINDOW, Repeats

DENIED = Refusal(Reason.MODEL_NOT_ALLOWED, "No.")
EXPIRED = Refusal(Reason.EXPIRED, "No.")
JOHN = Caller("https://login.example.com", "john")
JANE = Caller("https://login.example.com", "jane")
GPT = Call("chat", "gpt")


class Later:
    """Calls what it was given when the test says so."""

    def __init__(self):
        self.waiting = []

    def __call__(self, seconds, function):
        self.waiting.append((seconds, function))

    def come(self):
        waiting, self.waiting = self.waiting, []
        for _, function in waiting:
            function()


@pytest.fixture
def later():
    return Later()


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)

    def lines():
        found = [
            (record.request_id, record.reason, getattr(record, "repeated", None))
            for record in caplog.records
        ]
        caplog.clear()
        return found

    return lines


def test_what_repeats_is_one_line_and_then_a_count(later, lines):
    recorder = Recorder(later)
    for number in range(5):
        recorder.refused(f"r{number}", DENIED, JOHN, GPT)
    assert lines() == [("r0", "model_not_allowed", None)]
    assert [seconds for seconds, _ in later.waiting] == [WINDOW]
    later.come()
    assert lines() == [("r0", "model_not_allowed", 4)]


def test_what_does_not_repeat_is_told_once(later, lines):
    recorder = Recorder(later)
    recorder.refused("r0", DENIED, JOHN, GPT)
    later.come()
    assert len(lines()) == 1


def test_a_new_window_begins_with_a_line(later, lines):
    recorder = Recorder(later)
    recorder.refused("r0", DENIED, JOHN, GPT)
    later.come()
    recorder.refused("r1", DENIED, JOHN, GPT)
    assert [line[0] for line in lines()] == ["r0", "r1"]
    assert len(later.waiting) == 1


@pytest.mark.parametrize(
    "other",
    [
        (EXPIRED, JOHN, GPT),
        (DENIED, JANE, GPT),
        (DENIED, None, GPT),
        (DENIED, JOHN, Call("messages", "gpt")),
        (DENIED, JOHN, Call("chat", "claude")),
        (DENIED, JOHN, None),
    ],
    ids=["reason", "caller", "nobody", "endpoint", "model", "no call"],
)
def test_what_differs_is_no_repetition(later, lines, other):
    recorder = Recorder(later)
    recorder.refused("r0", DENIED, JOHN, GPT)
    recorder.refused("r1", *other)
    assert [line[0] for line in lines()] == ["r0", "r1"]


def test_faults_are_always_lines(later, lines, caplog):
    recorder = Recorder(later)
    for _ in range(3):
        recorder.broken_off("r", EXPIRED, JOHN, GPT)
    assert len(lines()) == 3


def test_what_a_body_asks_for_is_not_remembered_with_its_refusal(later):
    recorder, call = Recorder(later), Call("chat", "gpt", parameters=Parameters(tools=("t",)))
    before = sys.getrefcount(call)
    recorder.refused("r0", DENIED, JOHN, call)
    after = sys.getrefcount(call)
    assert after == before


def test_what_is_remembered_is_bounded(later):
    told = []
    repeats = Repeats(later)
    for number in range(MOST):
        repeats.keep(number, told.append)
    assert repeats.counted(0)
    repeats.keep("one more", told.append)
    assert told == [1]
    assert not repeats.counted(0)
    assert repeats.counted("one more")
