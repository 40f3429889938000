import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.wire import WholeEvents

LINE_ENDS = [b"\n", b"\r\n", b"\r"]


def fed(pieces):
    stream = WholeEvents()
    return [stream.feed(piece) for piece in pieces], stream.end()


@pytest.mark.parametrize("end", LINE_ENDS)
def test_an_event_passes_when_it_is_whole_and_not_before(end):
    first = b"data: one" + end * 2
    assert fed([first + b"data: t", b"wo" + end, end]) == (
        [first, b"", b"data: two" + end * 2],
        b"",
    )


@pytest.mark.parametrize("end", LINE_ENDS)
@pytest.mark.parametrize("names", [b"event: x", b"id: 1", b": comment", b"retry: 1"])
def test_the_fields_of_an_event_stay_together(end, names):
    event = names + end + b"data: one" + end * 2
    assert fed([event[:-1], event[-1:]]) in (
        ([b"", event], b""),
        ([event[:-1], event[-1:]], b""),
    )


def test_what_is_left_at_a_good_end_is_handed_out():
    assert fed([b"data: one\n\ndata: [DONE]\n"]) == ([b"data: one\n\n"], b"data: [DONE]\n")


def test_an_event_of_more_than_a_mebibyte_passes_in_pieces():
    piece = b"x" * (512 * 1024)
    passed, rest = fed([b"data: ", piece, piece, b"\n\n"])
    assert passed[:2] == [b"", b""]
    assert passed[2] == b"data: " + piece * 2
    assert b"".join(passed) + rest == b"data: " + piece * 2 + b"\n\n"


STREAMS = st.lists(st.sampled_from([b"data", b": ", b"a", b"\n", b"\n\n", b"\r\n\r\n", b"\r\r"]))


@given(STREAMS)
def test_nothing_is_lost_or_added(pieces):
    passed, rest = fed(pieces)
    assert b"".join(passed) + rest == b"".join(pieces)


@given(STREAMS)
def test_what_has_passed_ends_with_an_event(pieces):
    passed, _ = fed(pieces)
    so_far = b""
    for piece in passed:
        so_far += piece
        assert not so_far or so_far.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))
