"""Wherever the network cuts the bytes: GOAWAY is cut out, and what cannot be HTTP/2 is seen."""

import itertools

import pytest
from h2.exceptions import FrameTooLargeError, ProtocolError
from hyperframe.frame import DataFrame, GoAwayFrame, PingFrame, SettingsFrame
from hypothesis import given
from hypothesis import strategies as st

from rolecall.upstream.http2.frames import MAX_FRAME, Frames, GoAway


def goaway(last=5, code=0, more=b"", stream=0):
    frame = GoAwayFrame(0)
    frame.last_stream_id, frame.error_code, frame.additional_data = last, code, more
    data = bytearray(frame.serialize())
    data[5:9] = stream.to_bytes(4)
    return bytes(data)


def data(payload):
    frame = DataFrame(1)
    frame.data = payload
    return frame.serialize()


SETTINGS = SettingsFrame(0).serialize()
PING = PingFrame(0).serialize()
# a frame whose content looks like a GOAWAY
DISGUISED = data(goaway() * 3)


def cut(pieces):
    """What comes of bytes in pieces: bytes that follow each other are one."""
    frames = Frames()
    parts = itertools.chain.from_iterable(frames.cut(piece) for piece in [SETTINGS, *pieces])
    found = []
    for part in parts:
        if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += part
        else:
            found.append(part)
    assert found[0].startswith(SETTINGS)
    found[0] = found[0][len(SETTINGS) :]
    return [part for part in found if part]


def test_goaway_is_cut_out():
    assert cut([PING + goaway(5) + PING]) == [PING, GoAway(5), PING]
    assert cut([goaway(2**31 - 1) + goaway(3)]) == [GoAway(2**31 - 1), GoAway(3)]
    assert cut([goaway(7, 11, b"too many pings") + DISGUISED]) == [GoAway(7), DISGUISED]
    assert cut([DISGUISED + SETTINGS]) == [DISGUISED + SETTINGS]


def test_the_reserved_bit_is_ignored():
    frame = bytearray(goaway(5))
    frame[9] |= 0x80
    assert cut([bytes(frame)]) == [GoAway(5)]


def test_a_goaway_that_is_malformed_is_left_to_h2():
    short = goaway()[:9].replace(b"\0\0\x08", b"\0\0\x04", 1) + b"\0\0\0\5"
    assert cut([short + PING]) == [short + PING]
    elsewhere = goaway(stream=1)
    assert cut([elsewhere + PING]) == [elsewhere + PING]


def test_a_frame_that_is_too_long_is_not_waited_for():
    longest = data(bytes(MAX_FRAME))
    assert cut([longest]) == [longest]
    for frame in (data(bytes(MAX_FRAME + 1)), goaway(more=bytes(MAX_FRAME))):
        with pytest.raises(FrameTooLargeError):
            cut([PING, frame[:9]])


@pytest.mark.parametrize("beginning", [PING, goaway(), data(b"x"), b"\0\0\x05\x01\0\0\0\0\1"])
def test_settings_must_come_first(beginning):
    with pytest.raises(ProtocolError, match="SETTINGS"):
        list(Frames().cut(beginning))


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-OpenSSH\r\n"])
def test_another_protocol_is_seen_at_once(said):
    with pytest.raises(ProtocolError):
        list(Frames().cut(said[:9]))


FRAMES = st.lists(
    st.one_of(
        st.sampled_from([SETTINGS, PING, DISGUISED, goaway(), goaway(9, 2, b"why")]),
        st.binary(max_size=40).map(data),
    ),
    max_size=8,
)


@given(frames=FRAMES, places=st.lists(st.integers(0, 400), max_size=10))
def test_in_any_pieces_the_same_is_found(frames, places):
    sent = b"".join(frames)
    marks = sorted({min(place, len(sent)) for place in places} | {0, len(sent)})
    assert cut(sent[a:b] for a, b in itertools.pairwise(marks)) == cut([sent])
    rest = b"".join(frame for frame in frames if frame[3] != 7)
    assert b"".join(part for part in cut([sent]) if isinstance(part, bytes)) == rest
    assert sum(isinstance(part, GoAway) for part in cut([sent])) == sum(
        frame[3] == 7 for frame in frames
    )
