import logging
from dataclasses import replace

import pytest

from rolecall.core import STATUS, Actor, Call, Caller, Reason, Refusal
from rolecall.record import Recorder

CALLER = Caller(
    "https://login.example.com",
    "john",
    roles=frozenset({"b", "a"}),
    claims={"email": "john@example.com"},
)
CALL = Call("chat", "gpt")
OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


@pytest.fixture
def written(caplog):
    """The one line that was written: its level, its message, and its fields."""
    caplog.set_level(logging.INFO)

    def written():
        (record,) = caplog.records
        fields = {k: v for k, v in vars(record).items() if k not in OF_EVERY_RECORD}
        return record.levelname, record.getMessage(), fields

    return written


@pytest.mark.parametrize("reason", Reason)
def test_a_refusal_is_one_line_with_its_reason(written, reason):
    Recorder().refused("r1", Refusal(reason, "The sentence."), None, None)
    level = "WARNING" if STATUS[reason] >= 500 else "INFO"
    fields = {"request_id": "r1", "status": STATUS[reason], "reason": reason.value}
    assert written() == (level, "refused", fields)


def test_a_refusal_says_who_asked_for_what_as_far_as_it_is_known(written):
    Recorder().refused("r1", Refusal(Reason.MODEL_NOT_ALLOWED, "No."), CALLER, CALL)
    assert written()[2] == {
        "request_id": "r1",
        "status": 403,
        "reason": "model_not_allowed",
        "issuer": "https://login.example.com",
        "subject": "john",
        "roles": ["a", "b"],
        "endpoint": "chat",
        "model": "gpt",
    }


def test_c47_a_refusal_names_whoever_acts_behind_the_subject(written):
    acted = replace(CALLER, actors=(Actor("https://a.example", "planner"),))
    Recorder().refused("r1", Refusal(Reason.MODEL_NOT_ALLOWED, "No."), acted, CALL)
    fields = written()[2]
    assert fields["actors"] == [
        {"subject": "planner", "client": None, "issuer": "https://a.example"}
    ]
    names = list(fields)
    assert names.index("actors") == names.index("subject") + 1


def test_a_stream_that_broke_off_is_a_warning(written):
    failure = Refusal(Reason.UPSTREAM_TIMEOUT, "The upstream sent nothing for 1 s.")
    Recorder().broken_off("r1", failure, CALLER, CALL)
    level, message, fields = written()
    assert (level, message) == ("WARNING", "broken off")
    assert (fields["request_id"], fields["reason"]) == ("r1", "upstream_timeout")


def test_an_upstreams_error_is_a_warning_without_its_words(written):
    Recorder().upstream_refused("r1", 429, CALL)
    fields = {"request_id": "r1", "status": 429, "endpoint": "chat", "model": "gpt"}
    assert written() == ("WARNING", "upstream answered with an error", fields)


def test_nothing_is_put_together_for_a_log_that_does_not_want_it(caplog):
    caplog.set_level(logging.ERROR)
    Recorder().refused("r1", Refusal(Reason.EXPIRED, "No."), CALLER, CALL)
    assert not caplog.records
