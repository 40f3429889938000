"""A caller counts a stream only if it says what was sent, to its end."""

import time

import pytest

from bench.load.streams import Caller, request_of
from bench.upstream import answers
from bench.upstream.http import chunk, head

HEAD = head("200 OK", "text/event-stream", None)
EVENTS = [chunk(answers.event(number)) for number in range(answers.EVENTS)]
END = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
REQUEST = request_of(4000, {"authorization": "Bearer a.b.c"}, b'{"stream": true}')


def reading(wire, until):
    caller = Caller(REQUEST, until)
    caller.connection_made(wire)
    return caller


def test_the_request_is_whole():
    assert REQUEST == (
        b"POST /v1/chat/completions HTTP/1.1\r\n"
        b"host: 127.0.0.1:4000\r\n"
        b"content-type: application/json\r\n"
        b"content-length: 16\r\n"
        b"authorization: Bearer a.b.c\r\n"
        b"\r\n"
        b'{"stream": true}'
    )


@pytest.mark.parametrize(
    ("answer", "right", "wrong"),
    [
        ([HEAD, *EVENTS, END], 1, 0),
        ([HEAD, *EVENTS[1:], END], 0, 1),
        ([HEAD, *EVENTS, b"0\r\n\r\n"], 0, 1),
        ([head("200 OK", "text/event-stream", 0)], 0, 1),
        ([head("502 Bad Gateway", "text/event-stream", None), *EVENTS, END], 0, 1),
    ],
    ids=["right", "an event lost", "no end", "empty", "an error"],
)
async def test_a_stream_is_judged_by_all_of_it(wire, answer, right, wrong):
    caller = reading(wire, until=0)
    for piece in answer:
        caller.data_received(piece)
    caller.connection_lost(None)
    assert (caller.right, caller.wrong) == (right, wrong)
    assert caller.ended.done()
    assert wire.closed
    assert wire.written == REQUEST


async def test_pieces_may_end_anywhere(wire):
    caller = reading(wire, until=0)
    for byte in b"".join([HEAD, *EVENTS, END]):
        caller.data_received(bytes([byte]))
    assert (caller.right, caller.wrong) == (1, 0)


@pytest.mark.parametrize("pieces", [0, 1, 50])
async def test_a_stream_that_is_cut_off_is_wrong(wire, pieces):
    caller = reading(wire, until=0)
    for piece in [HEAD, *EVENTS][:pieces]:
        caller.data_received(piece)
    caller.connection_lost(ConnectionResetError())
    assert (caller.right, caller.wrong) == (0, 1)


async def test_a_caller_asks_again_until_the_time_is_over(wire):
    caller = reading(wire, until=time.perf_counter() + 3600)
    for piece in [HEAD, *EVENTS, END]:
        caller.data_received(piece)
    assert wire.written == REQUEST * 2
    assert len(caller.first) == 1
    assert not caller.ended.done()
    caller.connection_lost(None)
    await caller.ended
    assert (caller.right, caller.wrong) == (1, 1)
