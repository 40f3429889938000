"""A connection over time: one request after another, clients that go away, and the server's end."""

import asyncio
import json
import re

import pytest

from rolecall.gateway.http1.connection import FAREWELL, LINGER
from rolecall.upstream import Wait
from tests.parts.clock import forward
from tests.parts.waiting import rounds, until

from .parts.applications import Gate, Stream, answer, body_of, echo
from .parts.client import all_answers
from .parts.serving import serving

MANY = 2000
CLOSE = b"Connection: close"
PADDING = b"X: " + b"y" * 1000


def get(path, *fields):
    return b"\r\n".join([b"GET %b HTTP/1.1" % path.encode(), b"Host: h", *fields, b"", b""])


def post(path, body):
    return b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%b" % (
        path.encode(),
        len(body),
        body,
    )


# One after another


async def in_many_ways(scope, receive, send):
    """Answer at once, in a later round, or after a wait."""
    match int(scope["path"][1:]) % 3:
        case 1:
            await asyncio.sleep(0)
        case 2:
            wait = Wait(asyncio.get_running_loop())
            asyncio.get_running_loop().call_soon(wait.wake)
            await wait
    await echo(scope, receive, send)


async def test_pipelined_requests_are_answered_in_their_order():
    asked = [get(f"/{number}") for number in range(MANY)]
    async with serving(in_many_ways) as server:
        client = await server.connect()
        await client.send(b"".join(asked))
        for number in range(MANY):
            assert (await client.answer()).body == b"GET /%d" % number
        assert client.waiting() is None


async def test_pipelined_upgrades_are_declined_one_after_another():
    asked = [get(f"/{number}", b"Connection: upgrade", b"Upgrade: x") for number in range(MANY)]
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(b"".join(asked))
        for number in range(MANY):
            assert (await client.answer()).body == b"GET /%d" % number


async def test_a_request_begins_when_the_one_before_it_is_answered():
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(get("/1") + get("/2"), get("/3"))
        await until(lambda: app.begun)
        assert app.begun == ["/1"]
        app.opened.set()
        assert [(await client.answer()).body for _ in range(3)] == [b"/1", b"/2", b"/3"]
        assert app.begun == ["/1", "/2", "/3"]


@pytest.mark.parametrize("app", [echo, in_many_ways], ids=["at once", "in time"])
async def test_while_requests_wait_no_more_are_read(app):
    """However fast they come, no more wait than came in one read (256 KiB)."""
    most = 0

    async def counting(scope, receive, send):
        nonlocal most
        most = max(most, len(server.connections[0]._next))
        await app(scope, receive, send)

    asked = [get(f"/{number}", PADDING) for number in range(3 * MANY)]
    async with serving(counting) as server:
        client = await server.connect()
        sending = asyncio.create_task(client.send(b"".join(asked), get("/0", CLOSE)))
        got = await client.until_end()
        await sending
    answered = re.findall(rb"GET /(\d+)", got)
    assert answered == [*(b"%d" % number for number in range(3 * MANY)), b"0"]
    assert most <= 256 * 1024 / len(PADDING)


@pytest.mark.parametrize("sent", [b"", b"hel"])
async def test_a_pipelined_request_may_get_its_body_later(sent):
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        whole = post("/2", b"hello")
        head = whole[: -len(b"hello")]
        await client.send(get("/1"), head + sent)
        app.opened.set()
        assert (await client.answer()).body == b"/1"
        await client.send(whole[len(head + sent) :])
        assert (await client.answer()).body == b"/2"


# Clients that go away

HEAD = b"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
STAGES = {
    "nothing": (b"", []),
    "half a request line": (HEAD[:7], []),
    "half a head": (HEAD[:30], []),
    "a head": (HEAD, ["/1"]),
    "half a body": (HEAD + b"hel", ["/1"]),
    "a request": (HEAD + b"hello", ["/1"]),
    "a request and half another": (HEAD + b"hello" + HEAD[:30], ["/1"]),
    "more requests, waiting": (HEAD + b"hello" + get("/2") + get("/3"), ["/1"]),
}
every_end = pytest.mark.parametrize("end", ["close", "reset"])


@every_end
@pytest.mark.parametrize("stage", STAGES)
async def test_a_client_that_goes_away_takes_its_application_with_it(stage, end):
    sent, begun = STAGES[stage]
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(sent)
        if stage == "more requests, waiting":
            # nobody listens for its end
            server.connections[0].transport.resume_reading()
        await until(lambda: app.begun == begun)
        getattr(client, end)()
        await until(lambda: not server.state.connections)
        await rounds(2)
        assert app.ended == [(path, "cancelled") for path in begun]
        assert not server.state.tasks
    assert app.begun == begun


@every_end
@pytest.mark.parametrize("awaits", ["wait", "future"])
async def test_it_is_cancelled_in_the_moment_in_which_the_client_is_seen_to_be_gone(awaits, end):
    told = []

    async def app(scope, receive, send):
        await body_of(receive)
        loop = asyncio.get_running_loop()
        try:
            await (Wait(loop) if awaits == "wait" else loop.create_future())
        except asyncio.CancelledError:
            told.append(await receive())
            await answer(send, b"nobody hears it")
            raise

    async with serving(app) as server:
        client = await server.connect()
        await client.send(get("/"))
        await until(lambda: server.state.tasks)
        getattr(client, end)()
        await until(lambda: not server.state.connections)
        await rounds(0 if awaits == "wait" else 2)
        assert told == [{"type": "http.disconnect"}]
        assert not server.state.tasks


@every_end
async def test_a_client_that_goes_away_in_the_middle_of_its_answer(end):
    app = Stream()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(get("/"))
        app.pieces.put_nowait(b"one")
        await client.until(b"one")
        getattr(client, end)()
        await until(lambda: not server.state.connections)
        await rounds(2)
        assert app.ended == ["cancelled"]


@every_end
async def test_a_client_that_goes_away_after_its_answer(end):
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(get("/"))
        assert (await client.answer()).status == 200
        getattr(client, end)()
        await until(lambda: not server.state.connections)


async def test_an_application_learns_that_its_client_is_gone_from_receive():
    told = []

    async def app(scope, receive, send):
        await answer(send, b"first")
        told.append(await receive())

    async with serving(app) as server:
        client = await server.connect()
        await client.send(HEAD)
        assert (await client.answer()).body == b"first"
        assert told == [{"type": "http.disconnect"}]


# Hanging up


async def test_a_client_that_is_still_sending_gets_its_last_answer():
    """Whoever closes on unread bytes resets the connection, and the answer with it."""

    async def refuse(scope, receive, send):
        await answer(send, b"too large", status=413)

    body = bytes(8_000_000)
    async with serving(refuse) as server:
        client = await server.connect()
        await client.send(b"POST / HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body))
        await client.send(body)
        (got,) = await client.rest_of_answers()
        assert (got.status, got.body) == (413, b"too large")


async def test_whoever_keeps_sending_after_the_last_answer_is_cut_off():
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(b"nonsense\r\n\r\n", b"more", b"more")
        (got,) = await client.rest_of_answers()
        assert got.status == 400
        assert json.loads(got.body)["error"]["code"] == "invalid_request"
        await forward(LINGER - 0.1)
        await client.send(b"more")
        assert server.state.connections
        await forward(0.2)
        assert not server.state.connections


async def test_a_refusal_does_not_wait_for_an_application_that_waits_for_the_body():
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        await until(lambda: app.begun)
        await client.send(b"nonsense")
        (got,) = await client.rest_of_answers()
        assert got.status == 400
        assert app.ended == [("/1", "cancelled")]


@pytest.mark.parametrize("whole", [True, False], ids=["a whole answer", "half an answer"])
async def test_a_broken_body_gets_no_second_answer(whole):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"no", "more_body": not whole})
        if not whole:
            await body_of(receive)

    async with serving(app) as server:
        client = await server.connect()
        await client.send(b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        await client.send(b"nonsense")
        body = b"2\r\nno\r\n" + (b"0\r\n\r\n" if whole else b"")
        assert (await client.until_end()).partition(b"\r\n\r\n")[2] == body


# The server stops


async def test_an_idle_connection_ends_when_no_request_is_on_its_way():
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(get("/1"))
        await client.answer()
        server.connections[0].shutdown()
        await forward(FAREWELL - 0.1)
        assert client.waiting() is None
        await forward(0.2)
        assert await client.until_end() == b""


@pytest.mark.parametrize("used", [True, False])
async def test_a_request_that_was_on_its_way_is_answered_and_is_the_last(used):
    async with serving(echo) as server:
        client = await server.connect()
        if used:
            await client.send(get("/1"))
            await client.answer()
        server.connections[0].shutdown()
        await client.send(get("/2") + get("/3"))
        (got,) = await client.rest_of_answers()
        assert (got.body, got.headers["connection"]) == (b"GET /2", "close")


async def test_requests_that_wait_are_answered_and_the_last_says_so():
    app = Gate()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(get("/1") + get("/2") + get("/3"))
        await until(lambda: app.begun)
        server.connections[0].shutdown()
        app.opened.set()
        answers = await client.rest_of_answers()
        assert [(got.body, got.headers.get("connection")) for got in answers] == [
            (b"/1", None),
            (b"/2", None),
            (b"/3", "close"),
        ]


@pytest.mark.parametrize("next_request", [True, False])
async def test_a_stream_that_has_begun_goes_on_to_its_end(next_request):
    """Its head has promised to take another request, which may be on its way."""
    app = Stream()
    async with serving(app) as server:
        client = await server.connect()
        await client.send(get("/"))
        app.pieces.put_nowait(b"one")
        got = await client.until(b"one\r\n")
        server.connections[0].shutdown()
        for piece in (b"two", b""):
            app.pieces.put_nowait(piece)
        got += await client.until(b"\r\n0\r\n\r\n")
        (whole,) = all_answers(got)
        assert whole.body == b"onetwo"
        if next_request:
            await client.send(get("/"))
            app.pieces.put_nowait(b"")
            (last,) = await client.rest_of_answers()
            assert (last.body, last.headers["connection"]) == (b"", "close")
        else:
            await forward(FAREWELL + 0.1)
            assert await client.until_end() == b""


async def test_a_body_that_is_on_its_way_is_waited_for():
    async with serving(echo) as server:
        client = await server.connect()
        await client.send(HEAD + b"hel")
        await until(lambda: server.state.tasks)
        server.connections[0].shutdown()
        await client.send(b"lo")
        (got,) = await client.rest_of_answers()
        assert (got.body, got.headers["connection"]) == (b"POST /1 hello", "close")


@pytest.mark.parametrize("awaits", ["wait", "future"])
async def test_when_the_server_has_no_more_patience_every_application_is_told(awaits):
    """As uvicorn does it: it goes through the set of tasks, which must not change meanwhile."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one,", "more_body": True})
        loop = asyncio.get_running_loop()
        try:
            await (Wait(loop) if awaits == "wait" else loop.create_future())
        except asyncio.CancelledError:
            await send({"type": "http.response.body", "body": b"the gateway stops"})

    async with serving(app) as server:
        clients = [await server.connect() for _ in range(3)]
        for client in clients:
            await client.send(get("/"))
            await client.until(b"one,")
            server.connections[clients.index(client)].shutdown()
        for task in server.state.tasks:
            task.cancel(msg="timeout graceful shutdown exceeded")
        last = b"11\r\nthe gateway stops\r\n0\r\n\r\n"
        for client in clients:
            assert await client.until(last) == b"\r\n" + last
        await forward(FAREWELL)
        for client in clients:
            assert await client.until_end() == b""
