"""A head that comes again: it is read as the parser read it, or by the parser itself."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rolecall.gateway.http1 import KEPT
from rolecall.gateway.http1 import connection as server_side
from rolecall.gateway.http1.connection import MOST_NOVEL
from rolecall.gateway.http1.repeated import MOST_BYTES, RepeatedHead

from .parts.applications import answer, body_of
from .parts.client import all_answers
from .parts.serving import serving
from .parts.transcripts import LAST

LINE = b"POST /a?b HTTP/1.1\r\n"
HOST = b"Host: h\r\n"
LENGTH = b"Content-Length: %d\r\n"
HEADS = {
    "the length last": LINE + HOST + b"X: y\r\n" + LENGTH + b"\r\n",
    "the length first": LINE + LENGTH + HOST + b"X: y\r\n\r\n",
    "small letters": LINE + HOST + b"x: y\r\ncontent-length: %d\r\n\r\n",
    "the same digits elsewhere": LINE + HOST + b"X: 5\r\n" + LENGTH + b"\r\n",
}
UNUSUAL = {
    "no length": LINE + HOST + b"\r\n",
    "no space before the length": LINE + HOST + b"Content-Length:5\r\n\r\nhello",
    "another name with that end": LINE + HOST + b"Strength: 5\r\n" + LENGTH % 5 + b"\r\nhello",
    "chunks": LINE + HOST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "to be invited": LINE + HOST + b"Expect: 100-continue\r\n" + LENGTH % 5 + b"\r\nhello",
    "to be the last": LINE + HOST + b"Connection: close\r\n" + LENGTH % 5 + b"\r\nhello",
    "an upgrade": LINE + HOST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
    "an empty line first": b"\r\n" + LINE + HOST + LENGTH % 5 + b"\r\nhello",
    "more than is remembered": LINE
    + HOST
    + b"X: %b\r\n" % (b"y" * MOST_BYTES)
    + LENGTH % 0
    + b"\r\n",
    "a length that is only in the body": LINE + HOST + b"\r\n\r\nContent-Length: 5\r\n\r\n",
}
HEAD = HEADS["the length last"]


def posted(body, head=HEAD):
    return head % len(body) + body


async def tell(scope, receive, send):
    """Say all that was asked."""
    body = await body_of(receive)
    if body is None:
        return
    names = ("http_version", "method", "scheme", "path", "raw_path", "query_string", "headers")
    await answer(send, repr([scope[name] for name in names] + [body]).encode())


async def told(*pieces):
    """Status and body of all answers to these pieces and one request more."""
    async with serving(tell) as server:
        client = await server.connect()
        await client.send(*pieces)
        await client.send(LAST)
        # or it would wait for the rest of a body
        client.finish()
        return [(each.status, each.body) for each in all_answers(await client.until_end())]


class Kept:
    """An application that tells apart what is kept for it."""

    def __init__(self):
        self.kept = []

    async def __call__(self, scope, receive, send):
        kept = scope.get("extensions", {}).get(KEPT)
        number = None
        if kept is not None:
            number = kept.setdefault("number", len(self.kept))
        self.kept.append(number)
        await answer(send, await body_of(receive))


async def kept(*requests):
    app = Kept()
    async with serving(app) as server:
        client = await server.connect()
        for request in requests:
            await client.send(request)
            await client.answer()
    return app.kept


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_it_is_read_as_it_was_read_before(head):
    bodies = [b"hello", b"hello", b"", b"HELLO" * 300]
    requests = [posted(body, head) for body in bodies]
    alone = [(await told(request))[0] for request in requests]
    assert (await told(*requests))[:-1] == alone
    assert await kept(*requests) == [None, 1, 1, 1]


async def test_what_is_kept_is_kept_as_long_as_nothing_else_comes():
    other = posted(b"hello", HEADS["the length first"])
    requests = [posted(b"a"), posted(b"b"), other, posted(b"c"), posted(b"d"), posted(b"e")]
    assert await kept(*requests) == [None, 1, None, None, 4, 4]


@pytest.mark.parametrize("request_", UNUSUAL.values(), ids=UNUSUAL)
async def test_an_unusual_head_is_read_each_time(request_):
    app = Kept()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(request_)
        await client.send(request_)
        await client.send(LAST)
        await client.until_end()
    assert set(app.kept) == {None}


@pytest.mark.parametrize("size", range(1, len(posted(b"hello")) + 1))
async def test_a_known_head_may_come_with_a_part_of_its_body_or_in_parts(size):
    again = posted(b"hello")
    whole = await told(again, again, again)
    assert await told(again, again[:size], again[size:] + again) == whole


async def test_several_at_once_after_a_known_head():
    many = b"".join(posted(b"x" * number) for number in range(50))
    assert await told(posted(b"hello"), many) == await told(posted(b"hello") + many)


async def test_a_body_that_looks_like_a_head_is_not_taken_for_the_head_that_follows_it():
    real = posted(b"hello")
    body = real.replace(b"/a", b"/b")
    asked = await told(HEAD % len(body), body + real, body)
    assert asked == await told(HEAD % len(body) + body, real, body)


async def test_heads_that_never_come_again_are_remembered_a_few_times_only():
    novel = [posted(b"", b"POST /%d HTTP/1.1\r\n" % n + HOST + LENGTH + b"\r\n") for n in range(9)]
    same = novel[MOST_NOVEL]
    assert await kept(*novel[:MOST_NOVEL], same, same) == [None] * (MOST_NOVEL + 2)
    found = await kept(*novel[: MOST_NOVEL - 1], novel[0], novel[0], same, same)
    assert found[-3:] == [MOST_NOVEL, None, MOST_NOVEL + 2]


async def test_beside_many_connections_none_is_remembered(monkeypatch):
    monkeypatch.setattr(server_side, "MOST_REMEMBERED", 0)
    assert await kept(posted(b"a"), posted(b"b")) == [None, None]


async def test_an_answer_that_does_not_wait_for_the_body():
    async def hasty(_scope, _receive, send):
        await answer(send, b"no")

    async with serving(hasty) as server:
        client = await server.connect()
        await client.send(posted(b"hello"), HEAD % 5, b"he", b"llo", posted(b"hello"), LAST)
        answers = all_answers(await client.until_end())
    assert [each.body for each in answers] == [b"no"] * 4


SCOPE = {"method": "POST", "headers": [(b"host", b"h"), (b"content-length", b"5")]}
SPLIT = LINE + HOST + LENGTH % 5 + b"\r\nhello"
MISREAD = {
    # whoever ends lines otherwise than the parser that read them
    "a line feed alone": SPLIT.replace(b"Host: h\r\n", b"Host: h\n"),
    "a line that was not read": SPLIT.replace(HOST, HOST + b"Content-Length: 7\r\n"),
    "another method": SPLIT.replace(b"POST", b"PUT"),
    "a head without an end": SPLIT[: len(LINE + HOST)],
    "nothing": b"",
}


def test_bytes_that_do_not_fit_what_was_read_are_not_remembered():
    assert RepeatedHead.of(SPLIT, SCOPE) is not None
    assert [name for name, data in MISREAD.items() if RepeatedHead.of(data, SCOPE)] == []


OTHER = {
    "another byte": SPLIT.replace(b"Host: h", b"Host: i"),
    "no digit": SPLIT.replace(b": 5\r", b": +5\r"),
    "no number": SPLIT.replace(b": 5\r", b": \r"),
    "white space after the number": SPLIT.replace(b": 5\r", b": 5 \r"),
    "an underscore": SPLIT.replace(b": 5\r", b": 1_0\r"),
    "digits that are not ASCII": SPLIT.replace(b": 5\r", b": \xef\xbc\x95\r"),
    "too many digits": SPLIT.replace(b": 5\r", b": 0000000000005\r"),
    "two lengths": SPLIT.replace(b": 5\r", b": 5\r\nContent-Length: 6\r"),
    "two in one": SPLIT.replace(b": 5\r", b": 5, 5\r"),
    "one header more": SPLIT.replace(b": 5\r\n", b": 5\r\nX: y\r\n"),
    "a line that goes on": SPLIT.replace(b": 5\r\n", b": 5\r\n 0\r\n"),
    "no line feed": SPLIT.replace(b": 5\r\n", b": 5\r "),
    "not whole": SPLIT[: SPLIT.index(b"hello") - 1],
    "cut in the number": SPLIT[: SPLIT.index(b"5\r\n") + 1],
    "nothing": b"",
}


def test_a_head_that_differs_in_any_other_byte_is_the_parsers():
    head = RepeatedHead.of(SPLIT, SCOPE)
    assert head.read(SPLIT)[1:] == (5, len(SPLIT) - 5)
    assert [name for name, data in OTHER.items() if head.read(data)] == []


def test_what_is_read_again_is_not_shared():
    head = RepeatedHead.of(SPLIT, SCOPE)
    one, other = head.read(SPLIT)[0], head.read(SPLIT.replace(b": 5", b": 42"))[0]
    assert one["headers"] == [(b"host", b"h"), (b"content-length", b"5")]
    assert other["headers"] == [(b"host", b"h"), (b"content-length", b"42")]


EDITS = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.integers(0, 3),
        st.sampled_from(
            [b"", b"\r\n", b"\n", b"\r", b" ", b"0", b"9", b"x", b":", b"\x00", LENGTH]
        ),
    ),
    max_size=2,
)
REQUEST = st.tuples(st.sampled_from(list(HEADS.values())), st.binary(max_size=12), EDITS)


def edited(head, body, edits):
    data = posted(body, head)
    for place, dropped, added in edits:
        data = data[:place] + added + data[place + dropped :]
    return data


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    head=st.sampled_from(list(HEADS.values())),
    requests=st.lists(REQUEST, min_size=1, max_size=3),
    places=st.lists(st.integers(0, 400), max_size=4),
)
async def test_whatever_comes_after_a_known_head_means_what_it_means_by_itself(
    head, requests, places
):
    data = b"".join(edited(*request) for request in requests)
    marks = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    pieces = [data[a:b] for a, b in itertools.pairwise(marks)]
    known = posted(b"known", head)
    assert (await told(known, known, *pieces))[2:] == await told(*pieces)
