"""What a proxy answers that was asked for a way is yes or no."""

import pytest

from rolecall.wire import ConnectAnswer

ANSWERS = {
    b"HTTP/1.1 200 Connection established\r\n\r\n": True,
    b"HTTP/1.0 200\r\nVia: p\r\n\r\n": True,
    b"HTTP/1.1 204 \r\n\r\n": True,
    b"HTTP/1.1 407 Who are you?\r\n\r\n": False,
    b"HTTP/1.1 2000 OK\r\n\r\n": False,
    b"HTTP/2 200 OK\r\n\r\n": False,
    b"SSH-2.0-OpenSSH\r\n\r\n": False,
    b"\r\n\r\n": False,
    b"x" * (16 * 1024 + 1): False,
}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer[:24])
def test_an_answer_says_the_same_wherever_it_is_cut(answer):
    for cut in range(min(len(answer), 64)):
        reading = ConnectAnswer()
        assert reading.feed(answer[:cut]) is None
        assert reading.feed(answer[cut:]) is ANSWERS[answer]


def test_what_follows_the_head_is_not_the_proxys_to_say():
    assert ConnectAnswer().feed(b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01") is False
