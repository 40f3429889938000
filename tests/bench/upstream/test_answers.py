"""A stream is right if its events say what was sent, to its end."""

import pytest

from bench.upstream import answers

EVENTS = [answers.event(number) for number in range(answers.EVENTS)]
END = b"data: [DONE]\n\n"


def test_all_events_say_the_text():
    assert answers.text_of(b"".join(EVENTS) + END) == answers.TEXT


def test_a_gateway_may_add_events_that_say_nothing():
    role = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}\r\n\r\n'
    usage = b'data: {"choices":[],"usage":{"total_tokens":66}}\n\n'
    assert answers.text_of(b": hello\n\n" + role + b"".join(EVENTS) + usage + END) == answers.TEXT


@pytest.mark.parametrize(
    "events",
    [
        EVENTS[1:],
        EVENTS[:-1],
        [*EVENTS[:5], EVENTS[6], EVENTS[5], *EVENTS[7:]],
        [*EVENTS, EVENTS[0]],
    ],
    ids=["first lost", "last lost", "swapped", "twice"],
)
def test_lost_and_changed_events_are_seen(events):
    assert answers.text_of(b"".join(events) + END) != answers.TEXT


@pytest.mark.parametrize(
    "body",
    [b"", b"".join(EVENTS), b"".join(EVENTS)[:-9] + END, b'{"error": {}}'],
    ids=["nothing", "no end", "half an event", "an error"],
)
def test_what_is_no_whole_stream_is_an_error(body):
    with pytest.raises(ValueError, match=r"."):
        answers.text_of(body)
