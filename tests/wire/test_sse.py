from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.wire.sse import Decoder, Event, EventTooLargeError, encode, encode_data

STREAMS = {
    "one line of data": (b"data: a\n\n", [Event(None, b"a")]),
    "a named event": (b"event: ping\ndata: {}\n\n", [Event("ping", b"{}")]),
    "several data lines are joined": (b"data: a\ndata: b\ndata:\n\n", [Event(None, b"a\nb\n")]),
    "one space after the colon is not data": (
        b"data:a\n\ndata:  b\n\n",
        [(None, b"a"), (None, b" b")],
    ),
    "a field without a colon is empty": (b"data\n\n", [Event(None, b"")]),
    "colons in the data stay": (b"data: a: b\n\n", [Event(None, b"a: b")]),
    "carriage returns end lines": (
        b"event: x\rdata: a\r\rdata: b\r\r",
        [("x", b"a"), (None, b"b")],
    ),
    "carriage return and line feed": (b"data: a\r\ndata: b\r\n\r\n", [Event(None, b"a\nb")]),
    "mixed line ends": (b"data: a\rdata: b\r\n\ndata: c\n\r", [(None, b"a\nb"), (None, b"c")]),
    "comments are read over": (b": hi\n:\n\ndata: a\n: x\n\n", [Event(None, b"a")]),
    "an event without data is none": (b"event: x\n\ndata: a\n\n", [Event(None, b"a")]),
    "an empty name is no name": (b"event\ndata: a\n\n", [Event(None, b"a")]),
    "id, retry and unknown fields are read over": (
        b"id: 1\nretry: 5\nx: y\n data: z\ndata: a\n\n",
        [Event(None, b"a")],
    ),
    "a byte order mark opens the stream": (b"\xef\xbb\xbfdata: a\n\n", [Event(None, b"a")]),
    "a byte order mark elsewhere is a name": (b"\n\xef\xbb\xbfdata: a\n\n", []),
    "what is unfinished is no event": (b"data: a\n\ndata: b\n", [Event(None, b"a")]),
    "bytes that are not UTF-8 stay in the data": (b"data: \xff\n\n", [Event(None, b"\xff")]),
    "line separators of Unicode end no line": (
        "data: a\u2028b\x0bc\x85\n\n".encode(),
        [Event(None, "a\u2028b\x0bc\x85".encode())],
    ),
    "nothing": (b"", []),
}


def decode(pieces, **options):
    decoder = Decoder(**options)
    return [event for piece in pieces for event in decoder.feed(piece)]


def pieces_of(stream, cuts):
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[start:stop] for start, stop in pairwise(places)]


@pytest.mark.parametrize(("stream", "events"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_read_as_the_standard_says(stream, events):
    assert decode([stream]) == [Event(*e) if isinstance(e, tuple) else e for e in events]


@pytest.mark.parametrize("stream", [stream for stream, _ in STREAMS.values()], ids=STREAMS)
def test_byte_by_byte_is_the_same_as_at_once(stream):
    assert decode(bytes([byte]) for byte in stream) == decode([stream])


@given(
    st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"event", b"x", b"\xef\xbb\xbf"])),
    st.lists(st.integers(0, 1000)),
)
def test_where_a_stream_is_cut_does_not_matter(tokens, cuts):
    stream = b"".join(tokens)
    assert decode(pieces_of(stream, cuts)) == decode([stream])


@given(
    st.one_of(
        st.none(), st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), min_size=1)
    ),
    st.binary(),
)
def test_what_is_written_is_read_again(name, data):
    # the standard has one line end only
    read = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert decode([encode(Event(name, data))]) == [Event(name, read)]


def test_a_plain_event_is_one_line():
    assert encode_data(b"[DONE]") == b"data: [DONE]\n\n"
    assert encode(Event("error", b"a\nb")) == b"event: error\ndata: a\ndata: b\n\n"


@pytest.mark.parametrize("name", ["a\nb", "a\r", "\n"])
def test_a_name_cannot_start_another_field(name):
    with pytest.raises(ValueError, match="line end"):
        encode(Event(name, b""))


OVERSIZED = {
    "one long line": [b"data: " + b"a" * 100],
    "a long line in pieces": [b"data: ", *[b"a"] * 100],
    "many lines": [b"data: a\n"] * 20,
    "a complete event": [b"data: " + b"a" * 100 + b"\n\n"],
    "a long comment": [b":" + b"a" * 100],
}


@pytest.mark.parametrize("pieces", OVERSIZED.values(), ids=OVERSIZED)
def test_an_event_that_outgrows_its_bound_is_an_error(pieces):
    with pytest.raises(EventTooLargeError, match="64 bytes"):
        decode(pieces, max_event_bytes=64)


def test_the_bound_is_for_one_event_not_for_the_stream():
    assert len(decode([b"data: aaaaaaaaaaaaaaaa\n\n"] * 100, max_event_bytes=64)) == 100
    assert decode([b": still here\n"] * 100, max_event_bytes=64) == []
