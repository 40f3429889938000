"""One request and its answer, as the application asks and says them (ASGI, RFC 9110, RFC 9112)."""

import asyncio
import gc

import pytest

from rolecall.gateway.http1.cycle import HIGH_WATER, Unwritable
from tests.parts.waiting import rounds

from .parts.applications import answer, body_of, echo
from .parts.serving import serving

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK"


def start(status=200, *headers):
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(piece, *, more=False):
    return {"type": "http.response.body", "body": piece, "more_body": more}


def sending(*messages):
    """An application that sends these, and answers ``/last`` well."""

    async def app(scope, receive, send):
        if scope["path"] == "/last":
            await echo(scope, receive, send)
            return
        for message in messages:
            await send(message)

    return app


async def raw(app, sent=GET, *, faults=0):
    """All bytes that come back for a request and another one after it."""
    async with serving(app) as server:
        client = await server.connect()
        await client.send(sent + LAST)
        got = await client.until_end()
        if faults:
            # asyncio tells of a task's exception when it forgets the task
            gc.collect()
        assert len(server.faults) == faults
        server.faults.clear()
        return got


LAST_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nGET /last"
LENGTH_5 = (b"content-length", b"5")

# What is written

ANSWERS = {
    "length": (
        [start(200, (b"x-a", b"b"), LENGTH_5), body(b"hello")],
        OK + b"\r\nx-a: b\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "length in pieces": (
        [start(200, LENGTH_5), body(b"he", more=True), body(b"", more=True), body(b"llo")],
        OK + b"\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "pieces": (
        [start(), body(b"hello", more=True), body(b"", more=True), body(b" world!")],
        OK + b"\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n7\r\n world!\r\n0\r\n\r\n",
    ),
    "pieces of nothing": (
        [start(), body(b"", more=True), body(b"")],
        OK + b"\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "no content": ([start(204), body(b"")], b"HTTP/1.1 204 No Content\r\n\r\n"),
    "not modified": (
        [start(304, LENGTH_5), body(b"")],
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
    ),
    "a status without a name": (
        [start(599, LENGTH_5), body(b"hello")],
        b"HTTP/1.1 599 \r\ncontent-length: 5\r\n\r\nhello",
    ),
    "a status with a name of its own": (
        [start(429, LENGTH_5), body(b"hello")],
        b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "obs-text": (
        [start(200, (b"x-a", b"\xc3\xa4\t"), LENGTH_5), body(b"hello")],
        OK + b"\r\nx-a: \xc3\xa4\t\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "nothing after the end": (
        [start(200, LENGTH_5), body(b"hello"), body(b"more"), start(500), body(b"more")],
        OK + b"\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "nothing after the last chunk": (
        [start(), body(b"hello"), body(b"more", more=True), body(b"")],
        OK + b"\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer(name):
    messages, written = ANSWERS[name]
    assert await raw(sending(*messages)) == written + LAST_ANSWER


HEAD_REQUEST = GET.replace(b"GET", b"HEAD")


@pytest.mark.parametrize(
    ("messages", "written"),
    [
        ([start(200, LENGTH_5), body(b"hello")], OK + b"\r\ncontent-length: 5\r\n\r\n"),
        ([start(200, LENGTH_5), body(b"")], OK + b"\r\ncontent-length: 5\r\n\r\n"),
        ([start(), body(b"hello", more=True), body(b"")], OK + b"\r\n\r\n"),
        ([start(404), body(b"")], b"HTTP/1.1 404 Not Found\r\n\r\n"),
    ],
)
async def test_the_answer_to_head_has_no_body(messages, written):
    assert await raw(sending(*messages), HEAD_REQUEST) == written + LAST_ANSWER


@pytest.mark.parametrize(
    ("messages", "written"),
    [
        ([start(200, LENGTH_5), body(b"hello")], b"\r\ncontent-length: 5"),
        ([start(), body(b"he", more=True), body(b"llo")], b""),
    ],
    ids=["length", "until the end"],
)
async def test_the_answer_to_http_1_0_is_not_chunked_and_ends_its_connection(messages, written):
    got = await raw(sending(*messages), b"GET / HTTP/1.0\r\n\r\n")
    assert got == OK + written + b"\r\nconnection: close\r\n\r\nhello"


async def test_the_servers_own_headers_are_in_every_answer():
    async with serving(sending(start(200, LENGTH_5), body(b"hello"))) as server:
        server.state.default_headers = [(b"date", b"Mon, 01 Jan 2026 00:00:00 GMT")]
        client = await server.connect()
        await client.send(GET)
        got = await client.answer()
        assert got.headers == {"date": "Mon, 01 Jan 2026 00:00:00 GMT", "content-length": "5"}


# Applications that go wrong: what is on its way ends with its connection, and nothing is made up


async def failing(scope, receive, send):
    raise LookupError("of the application")


async def failing_later(scope, receive, send):
    await asyncio.sleep(0)
    raise LookupError("of the application")


async def failing_in_the_middle(scope, receive, send):
    await send(start(200, LENGTH_5))
    await send(body(b"he", more=True))
    raise LookupError("of the application")


async def ending_early(scope, receive, send):
    await send(start())
    await send(body(b"he", more=True))


async def ending_at_once(scope, receive, send):
    """Say nothing at all."""


async def ending_after_its_head(scope, receive, send):
    await send(start(200, LENGTH_5))


@pytest.mark.parametrize(
    ("app", "written"),
    [
        (failing, b""),
        (failing_in_the_middle, OK + b"\r\ncontent-length: 5\r\n\r\nhe"),
        (ending_at_once, b""),
        (ending_after_its_head, b""),
        (ending_early, OK + b"\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n"),
    ],
)
async def test_an_application_that_does_not_answer_ends_its_connection(app, written):
    assert await raw(app, faults=0 if app.__name__.startswith("ending") else 1) == written


async def test_one_that_fails_in_a_task_ends_its_connection_too():
    assert await raw(failing_later, faults=1) == b""


async def test_one_that_fails_when_its_body_comes_is_not_taken_for_a_bad_request():
    async def app(scope, receive, send):
        await body_of(receive)
        raise LookupError("of the application")

    async with serving(app) as server:
        client = await server.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n", b"hello")
        assert await client.until_end() == b""
        assert [str(fault.__context__ or fault) for fault in server.faults] == [
            "of the application"
        ]
        server.faults.clear()


UNWRITABLE = {
    "longer than said": ([start(200, LENGTH_5), body(b"hello world")], b""),
    "shorter than said": ([start(200, LENGTH_5), body(b"he")], b""),
    "longer than said, later": (
        [start(200, LENGTH_5), body(b"hello", more=True), body(b"!")],
        OK + b"\r\ncontent-length: 5\r\n\r\nhello",
    ),
    "shorter than said, later": (
        [start(200, LENGTH_5), body(b"he", more=True), body(b"l")],
        OK + b"\r\ncontent-length: 5\r\n\r\nhe",
    ),
    "a body where none may be": ([start(204), body(b"hello")], b""),
    "no head": ([body(b"hello")], b""),
    "an end and no head": ([body(b"")], b""),
    "CRLF in a value": ([start(200, (b"x", b"a\r\nset-cookie: b"), LENGTH_5)], b""),
    "LF in a value": ([start(200, (b"x", b"a\nset-cookie: b"), LENGTH_5)], b""),
    "CR in a value": ([start(200, (b"x", b"a\rset-cookie: b"), LENGTH_5)], b""),
    "CRLF in a name": ([start(200, (b"x: a\r\nset-cookie", b"b"), LENGTH_5)], b""),
    "a second head in a value": (
        [start(200, (b"x", b"a\r\n\r\nHTTP/1.1 200 OK\r\n"), LENGTH_5)],
        b"",
    ),
}


@pytest.mark.parametrize("name", UNWRITABLE)
async def test_what_would_break_http_is_not_written(name):
    """CWE-113: whatever is in a header, it ends where its line ends."""
    messages, written = UNWRITABLE[name]
    raised = []

    async def app(scope, receive, send):
        try:
            for message in messages:
                await send(message)
        except Unwritable as error:
            raised.append(error)

    assert await raw(app) == written
    assert len(raised) == 1


@pytest.mark.parametrize("first", [(), (LENGTH_5,)], ids=["chunked", "length"])
@pytest.mark.parametrize("then", [(), (LENGTH_5,)], ids=["chunked", "length"])
async def test_after_what_could_not_be_written_something_else_may_be(first, then):
    async def app(scope, receive, send):
        with pytest.raises(Unwritable):
            await send(start(200, (b"x", b"a\nb"), *first))
        await send(start(500, *then))
        await send({"type": "http.response.body", "body": b"sorry"})

    async with serving(app) as server:
        client = await server.connect()
        await client.send(GET)
        got = await client.answer()
        assert (got.status, got.body) == (500, b"sorry")
        assert ("content-length" in got.headers) == bool(then)


# The body, as the application asks for it

EXPECTS = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_once():
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(EXPECTS)
        assert await client.until(CONTINUE) == CONTINUE
        await client.send(b"he", b"llo")
        assert (await client.until(b"hello")).startswith(OK)
        await client.send(LAST)
        assert await client.until_end() == LAST_ANSWER


@pytest.mark.parametrize(
    "head",
    [EXPECTS.replace(b"1.1", b"1.0"), EXPECTS.replace(b"100-Continue", b"nothing")],
    ids=["HTTP/1.0", "something else"],
)
async def test_nobody_else_is(head):
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(head)
        assert client.waiting() is None
        await client.send(b"hello")
        assert (await client.answer()).body == b"POST /a hello"


async def test_who_sends_its_body_at_once_is_not_asked_for_it():
    got = await raw(echo, EXPECTS + b"hello")
    assert got == OK + b"\r\ncontent-length: 13\r\n\r\nPOST /a hello" + LAST_ANSWER


async def test_who_is_refused_without_being_asked_may_not_go_on():
    """Its next bytes would be its body, or its next request: nobody knows (RFC 9110 10.1.1)."""

    async def refuse(scope, receive, send):
        await answer(send, b"no", status=401)

    async with serving(refuse) as server:
        client = await server.connect()
        await client.send(EXPECTS, LAST)
        (got,) = await client.rest_of_answers()
        assert (got.status, got.headers["connection"]) == (401, "close")


async def test_a_body_comes_in_pieces_and_then_the_client_is_gone():
    told = []

    async def app(scope, receive, send):
        told.extend([await receive(), await receive(), await receive()])
        await answer(send, b"")
        told.append(await receive())

    async with serving(app) as server:
        client = await server.connect()
        head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.send(head, b"2\r\nhe\r\n", b"3\r\nllo\r\n", b"0\r\n\r\n")
        await client.answer()
        await rounds()
        assert told == [
            {"type": "http.request", "body": b"he", "more_body": True},
            {"type": "http.request", "body": b"llo", "more_body": True},
            {"type": "http.request", "body": b"", "more_body": False},
            {"type": "http.disconnect"},
        ]


async def test_the_rest_of_a_body_that_nobody_wants_is_read_and_forgotten():
    async def refuse(scope, receive, send):
        await answer(send, b"too large", status=413)

    async with serving(refuse) as server:
        client = await server.connect()
        size = 8 * HIGH_WATER
        await client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % size)
        assert (await client.answer()).status == 413
        await client.send(bytes(size), GET)
        assert (await client.answer()).status == 413


async def test_the_scope_says_what_was_asked_and_by_whom():
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)
        await echo(scope, receive, send)

    async with serving(app) as server:
        client = await server.connect()
        host, port = client.sock.getsockname()
        await client.send(b"GET /a%20b?c HTTP/1.1\r\nHost: h\r\nX-A:  b\r\nx-a: c\r\n\r\n")
        await client.answer()
        (scope,) = seen
        assert scope["type"] == "http"
        assert scope["asgi"]["version"] == "3.0"
        assert (scope["http_version"], scope["method"], scope["scheme"]) == ("1.1", "GET", "http")
        assert (scope["path"], scope["raw_path"], scope["root_path"]) == ("/a b", b"/a%20b", "")
        assert scope["query_string"] == b"c"
        assert scope["headers"] == [(b"host", b"h"), (b"x-a", b"b"), (b"x-a", b"c")]
        assert scope["client"] == (host, port)
        assert scope["server"] == ("127.0.0.1", server.port)


async def test_what_comes_after_a_body_is_no_header():
    """A proxy in front of us vouches for the headers, and not for the trailers (RFC 9110 6.5.1)."""
    seen = []

    async def app(scope, receive, send):
        await body_of(receive)
        seen.append(scope["headers"])
        await answer(send, b"")

    async with serving(app) as server:
        client = await server.connect()
        head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        await client.send(head + b"1\r\na\r\n0\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n" + GET)
        await client.answer()
        await client.answer()
        assert seen == [[(b"host", b"h"), (b"transfer-encoding", b"chunked")], [(b"host", b"h")]]
