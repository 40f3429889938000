"""Answers on their way back: as they are, translated, and what is said when there is none."""

import json
import re
import socket
import threading
from contextlib import ExitStack

import pytest

from rolecall.wire.sse import Decoder

from .parts import serving
from .parts.doors import CHAT, MESSAGES, TRANSLATED, WAYS, code_of
from .parts.http import connected, message
from .parts.polling import wait_until
from .parts.upstream import ANTHROPIC_ANSWER, OPENAI_ANSWER, answers

every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
as_it_is = pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)

JSON = ("Content-Type", "application/json")
EVENTS = ("Content-Type", "text/event-stream")


def ask(gateway, door, **fields):
    return gateway.post(door.path, door.body(**fields))


def ask_in_haste(gateway, door, stalled, **fields):
    """Ask for a model whose upstream has little time for everything, and let that pass."""
    return gateway.post_too_late(
        door.path, door.body(model=f"hasty-{door.model}", **fields), stalled
    )


def begun(gateway, connection, door, **fields):
    """Send a streamed call and read the head of its answer."""
    body = json.dumps(door.body(stream=True, **fields)).encode()
    headers = [JSON, ("Authorization", f"Bearer {gateway.token}")]
    connection.send(message("POST", door.path, headers, body))
    return connection.head()


def lines(caplog):
    """What is written down about requests; one line at most."""
    found = [record for record in caplog.records if record.name == "rolecall.requests"]
    assert len(found) < 2
    return found


def events_of(body):
    assert body.endswith(b"\n\n"), "the stream ends inside an event"
    return [event.data for event in Decoder().feed(body)]


ODD_JSON = b' {"id": 1,\n "x": 1e2, "finish_reason": null, "caf\\u00e9": "\xc3\xa9", "x": 1.0} '


@as_it_is
def test_a_plain_answer_arrives_byte_for_byte(gateway, upstream, door):
    upstream.answer = answers(
        200,
        ODD_JSON,
        JSON,
        ("X-RateLimit-Remaining-Requests", "7"),
        ("anthropic-ratelimit-tokens-remaining", "8"),
        ("request-id", "req_1"),
        ("x-request-id", "req_2"),
        ("Set-Cookie", "session=1"),
        ("X-Powered-By", "the upstream"),
        ("openai-organization", "acme"),
        ("Server", "upstream/1"),
    )
    reply = ask(gateway, door)
    assert (reply.status, reply.body) == (200, ODD_JSON)
    assert set(reply.headers) == {
        "date",
        "content-type",
        "content-length",
        "x-ratelimit-remaining-requests",
        "anthropic-ratelimit-tokens-remaining",
        "request-id",
        "x-upstream-request-id",
        "x-request-id",
    }
    assert reply.headers["x-upstream-request-id"] == "req_2"
    assert len(reply.headers["x-request-id"]) == 24


@as_it_is
def test_a_stream_arrives_byte_for_byte(gateway, upstream, door):
    reply = ask(gateway, door, stream=True)
    assert reply.status == 200
    assert reply.body == b"".join(door.events)
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert len(reply.headers["x-request-id"]) == 24


def test_a_translated_answer_is_openais(gateway, upstream):
    reply = ask(gateway, TRANSLATED)
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json["object"] == "chat.completion"
    said = OPENAI_ANSWER["choices"][0]["message"]["content"]
    assert reply.json["choices"][0]["message"]["content"] == said
    assert ANTHROPIC_ANSWER["content"][0]["text"] == said


def test_a_translated_stream_is_openais(gateway, upstream):
    *chunks, last = events_of(ask(gateway, TRANSLATED, stream=True).body)
    deltas = [json.loads(chunk)["choices"][0]["delta"] for chunk in chunks]
    assert "".join(delta.get("content") or "" for delta in deltas) == "Hello"
    assert last == b"[DONE]"


@every_way
def test_an_event_passes_while_the_upstream_holds_the_next_one_back(gateway, upstream, door):
    gate = upstream.gate()

    said = next(place for place, event in enumerate(door.events) if b"Hel" in event) + 1

    async def answer(received, wire):
        await wire.events(*door.events[:said])
        await gate.wait()
        for event in door.events[said:]:
            await wire.chunk(event)
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    with connected(gateway.port) as connection:
        try:
            assert begun(gateway, connection, door).status == 200
            body = b""
            while b"Hel" not in body:
                body += connection.piece()
            assert b'"lo"' not in body
        finally:
            gate.open()
        while piece := connection.piece():
            body += piece
    assert b'"lo"' in body
    assert (b"[DONE]" if door.form == "openai" else b"message_stop") in events_of(body)[-1]


@as_it_is
def test_events_are_whole_wherever_the_upstream_cuts_them(gateway, upstream, door):
    stream = b"".join(door.events).replace(b"\n", b"\r\n")

    async def answer(received, wire):
        await wire.events(*(stream[place : place + 7] for place in range(0, len(stream), 7)))
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    assert ask(gateway, door, stream=True).body == stream


async def closes_at_once(received, wire):
    wire.reset()


async def never_answers(received, wire):
    await wire.until_the_caller_hangs_up()


async def stalls_in_the_head(received, wire):
    await wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: appl")
    await wire.until_the_caller_hangs_up()


async def stalls_in_the_body(received, wire):
    await wire.head(200, JSON, ("Content-Length", 1000))
    await wire.write(b'{"id":')
    await wire.until_the_caller_hangs_up()


async def breaks_off_in_the_body(received, wire):
    await wire.head(200, JSON, ("Content-Length", 1000))
    await wire.write(b'{"id":')
    wire.reset()


async def breaks_off_in_a_chunk(received, wire):
    await wire.head(200, JSON, ("Transfer-Encoding", "chunked"))
    await wire.write(b'ff\r\n{"id":')
    wire.reset()


async def redirects(received, wire):
    await wire.whole(307, b"", ("Location", "http://169.254.169.254/"))


async def redirects_as_a_stream(received, wire):
    await wire.whole(302, b"data: x\n\n", EVENTS, ("Location", "http://169.254.169.254/"))


async def switches_protocols(received, wire):
    await wire.head(101, ("Upgrade", "websocket"), ("Connection", "Upgrade"))
    await wire.until_the_caller_hangs_up()


async def answers_garbage(received, wire):
    await wire.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10 + b"\r\n\r\n")
    wire.reset()


async def answers_a_head_without_end(received, wire):
    await wire.head(200, JSON, ("X-Long", "x" * 100_000))
    wire.reset()


FAILURES = {
    "closes at once": (closes_at_once, "upstream_error"),
    "never answers": (never_answers, "upstream_timeout"),
    "stalls in the head": (stalls_in_the_head, "upstream_timeout"),
    "stalls in the body": (stalls_in_the_body, "upstream_timeout"),
    "breaks off in the body": (breaks_off_in_the_body, "upstream_error"),
    "breaks off in a chunk": (breaks_off_in_a_chunk, "upstream_error"),
    "redirects": (redirects, "upstream_error"),
    "redirects as a stream": (redirects_as_a_stream, "upstream_error"),
    "switches protocols": (switches_protocols, "upstream_error"),
    "answers garbage": (answers_garbage, "upstream_error"),
    "answers a head without end": (answers_a_head_without_end, "upstream_error"),
}


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize(("answer", "reason"), FAILURES.values(), ids=FAILURES)
def test_an_upstream_that_fails_before_its_answer_is_an_error_of_ours(  # noqa: PLR0917 - columns of a table
    gateway, upstream, door, stream, answer, reason
):
    upstream.answer = answer
    if reason == "upstream_timeout":
        reply = ask_in_haste(gateway, door, upstream.stalled.is_set, stream=stream)
    else:
        reply = ask(gateway, door, stream=stream)
    sentence = door.refused(reply, reason)
    assert "upstream" in sentence
    assert "127.0.0.1" not in str(reply)
    assert "169.254" not in str(reply)


FORMLESS = {
    "HTML": (b"<html>", ("Content-Type", "text/html")),
    "no JSON": (b'{"id":', JSON),
    "nothing": (b"", JSON),
    "another format": (json.dumps(OPENAI_ANSWER).encode(), JSON),
    "an array": (b"[]", JSON),
    "a name twice": (b'{"type":"message","type":"message"}', JSON),
    "compressed": (b"\x1f\x8b\x08\x00", JSON, ("Content-Encoding", "gzip")),
}


@pytest.mark.parametrize("answer", FORMLESS.values(), ids=FORMLESS)
def test_an_answer_that_cannot_be_translated_is_a_502(gateway, upstream, answer):
    upstream.answer = answers(200, *answer)
    TRANSLATED.refused(ask(gateway, TRANSLATED), "upstream_error")


@every_way
def test_a_compressed_stream_is_a_502(gateway, upstream, door):
    upstream.answer = answers(200, b"\x1f\x8b\x08\x00", EVENTS, ("Content-Encoding", "gzip"))
    sentence = door.refused(ask(gateway, door, stream=True), "upstream_error")
    assert "compressed" in sentence


@as_it_is
def test_a_compressed_plain_answer_keeps_its_encoding(gateway, upstream, door):
    upstream.answer = answers(200, b"\x1f\x8b\x08\x00", JSON, ("Content-Encoding", "gzip"))
    reply = ask(gateway, door)
    assert (reply.body, reply.headers["content-encoding"]) == (b"\x1f\x8b\x08\x00", "gzip")


def refusing_port(stack):
    """A port where nobody listens."""
    bound = stack.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    return bound.getsockname()[1]


def silent_port(stack):
    """A port whose queue is full, so that the next connection is never accepted."""
    listening = stack.enter_context(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    for _ in range(3):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(listening.getsockname())
    return listening.getsockname()[1]


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_upstream_that_is_down_is_an_error_of_ours(tmp_path, door, stream):
    with ExitStack() as stack:
        sections = serving.configuration(tmp_path, f"http://127.0.0.1:{refusing_port(stack)}")
        gateway = stack.enter_context(serving.running(tmp_path, sections))
        door.refused(ask(gateway, door, stream=stream), "upstream_unavailable")


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_an_upstream_that_accepts_nobody_is_an_error_of_ours(tmp_path, door, stream):
    with ExitStack() as stack:
        sections = serving.configuration(tmp_path, f"http://127.0.0.1:{silent_port(stack)}")
        gateway = stack.enter_context(serving.running(tmp_path, sections))
        reply = ask_in_haste(gateway, door, lambda: gateway.busy, stream=stream)
        door.refused(reply, "upstream_timeout")


def half(door):
    event = door.events[3]
    return event[: len(event) // 2]


def breaks_off_between_events(door):
    async def answer(received, wire):
        await wire.events(*door.events[:3])
        wire.reset()

    return answer


def breaks_off_inside_an_event(door):
    async def answer(received, wire):
        await wire.events(*door.events[:3], half(door))
        wire.reset()

    return answer


def closes_without_the_last_chunk(door):
    async def answer(received, wire):
        await wire.events(*door.events[:3], half(door))
        wire._writer.close()

    return answer


def stalls_inside_an_event(door):
    async def answer(received, wire):
        await wire.events(*door.events[:3], half(door))
        await wire.until_the_caller_hangs_up()

    return answer


BREAKS = {
    "breaks off between events": (breaks_off_between_events, "upstream_error"),
    "breaks off inside an event": (breaks_off_inside_an_event, "upstream_error"),
    "closes without the last chunk": (closes_without_the_last_chunk, "upstream_error"),
    "stalls inside an event": (stalls_inside_an_event, "upstream_timeout"),
}


@every_way
@pytest.mark.parametrize(("behaviour", "reason"), BREAKS.values(), ids=BREAKS)
def test_a_stream_that_breaks_ends_with_an_error_event(  # noqa: PLR0917 - columns of a table
    gateway, upstream, door, behaviour, reason, caplog
):
    upstream.answer = behaviour(door)
    with connected(gateway.port) as connection:
        reply = begun(gateway, connection, door, model=f"hasty-{door.model}")
        assert reply.status == 200
        body = b""
        while b"Hel" not in body:
            body += connection.piece()
        if reason == "upstream_timeout":
            wait_until(upstream.stalled.is_set, "the upstream has stalled")
            gateway.pass_over(serving.HASTE)
        while piece := connection.piece():
            body += piece
    *events, last = events_of(body)
    request_id = reply.headers["x-request-id"]
    assert code_of(json.loads(last), door.form, request_id) == reason
    assert "Hel" in str(events)
    assert b"[DONE]" not in body
    assert b"message_stop" not in body
    if door.form == "anthropic":
        assert body.rpartition(b"event: ")[2].startswith(b"error\n")
    line = wait_until(lambda: lines(caplog), "the line in the log")[0]
    assert (line.getMessage(), line.request_id, line.reason) == ("broken off", request_id, reason)


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_bad_chunk_is_never_taken_for_an_end(gateway, upstream, door, stream):
    async def answer(received, wire):
        media_type = EVENTS if stream else JSON
        await wire.head(200, media_type, ("Transfer-Encoding", "chunked"))
        await wire.chunk(b"".join(door.events[:3]) if stream else b"{}")
        await wire.write(b"zz\r\n")
        await wire.until_the_caller_hangs_up()

    upstream.answer = answer
    reply = ask_in_haste(gateway, door, upstream.stalled.is_set, stream=stream)
    error = json.loads(events_of(reply.body)[-1]) if reply.status == 200 else reply.json
    code = code_of(error, door.form, reply.headers["x-request-id"])
    assert code in {"upstream_error", "upstream_timeout"}
    assert b"[DONE]" not in reply.body
    assert b"message_stop" not in reply.body


GARBAGE = {
    "no JSON": b"data: {\n\n",
    "an unknown form": b'data: {"type":"content_block_delta","index":7,"delta":{}}\n\n',
    "the end before the end": b"",
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_a_stream_that_cannot_be_translated_ends_with_an_error_event(
    gateway, upstream, garbage, caplog
):
    async def answer(received, wire):
        await wire.events(*TRANSLATED.events[:3], *([garbage] if garbage else []))
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    reply = ask(gateway, TRANSLATED, stream=True)
    *_, last = events_of(reply.body)
    assert code_of(json.loads(last), "openai", None) == "upstream_error"
    assert b"[DONE]" not in reply.body
    if garbage:
        assert (
            wait_until(lambda: lines(caplog), "the line in the log")[0].reason == "upstream_error"
        )


def test_an_error_in_anthropics_stream_is_one_in_openais(gateway, upstream):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    async def answer(received, wire):
        event = b"event: error\ndata: %s\n\n" % json.dumps(error).encode()
        await wire.events(*TRANSLATED.events[:3], event)
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    *_, last = events_of(ask(gateway, TRANSLATED, stream=True).body)
    assert json.loads(last)["error"]["message"] == "Overloaded"


@as_it_is
def test_an_error_event_of_the_upstream_passes_as_it_is(gateway, upstream, door):
    error = b'event: error\ndata: {"error": {"message": "Overloaded", "x": 1.0}}\n\n'

    async def answer(received, wire):
        await wire.events(*door.events[:3], error)
        await wire.write(b"0\r\n\r\n")

    upstream.answer = answer
    reply = ask(gateway, door, stream=True)
    assert reply.body == b"".join((*door.events[:3], error))


ERRORS = (400, 401, 403, 404, 413, 429, 500, 503, 529)


def vendors_error(door, status):
    error = {"type": "a_type_of_theirs", "message": f"Said by the vendor: {status}."}
    if door.upstream_path.endswith("/messages"):
        return {"type": "error", "error": error, "request_id": "req_1"}
    return {"error": {**error, "param": None, "code": None, "x": 1.0}}


@every_way
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("status", ERRORS)
def test_an_upstreams_error_keeps_its_status_and_its_message(  # noqa: PLR0917 - columns of a table
    gateway, upstream, door, stream, status, caplog
):
    sent = json.dumps(vendors_error(door, status), indent=1).encode()
    headers = [("Retry-After", "7"), ("retry-after-ms", "7000"), ("x-should-retry", "true")]
    upstream.answer = answers(status, sent, JSON, *headers)
    reply = ask(gateway, door, stream=stream)
    assert reply.status == status
    assert reply.json["error"]["message"] == f"Said by the vendor: {status}."
    assert reply.json["error"]["type"] == "a_type_of_theirs"
    if door.translated:
        assert set(reply.json) == {"error"}
        assert set(reply.json["error"]) == {"message", "type", "param", "code"}
    else:
        assert reply.body == sent
    assert [reply.headers[name.lower()] for name, _ in headers] == ["7", "7000", "true"]
    assert len(reply.headers["x-request-id"]) == 24
    line = lines(caplog)[0]
    assert (line.request_id, line.status) == (reply.headers["x-request-id"], status)


@every_way
@pytest.mark.parametrize("status", [404, 502])
def test_an_error_page_becomes_an_error_in_the_callers_format(gateway, upstream, door, status):
    page = b"<html><body>nginx at 10.0.0.7</body></html>"
    upstream.answer = answers(status, page, ("Content-Type", "text/html"))
    reply = ask(gateway, door)
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert code_of(reply.json, door.form, reply.headers["x-request-id"]) == "upstream_error"
    assert str(status) in reply.json["error"]["message"]
    assert b"10.0.0.7" not in reply.body


@every_way
def test_a_failing_upstream_harms_no_later_call(gateway, upstream, door):
    for answer in (closes_at_once, breaks_off_in_the_body, answers_garbage):
        upstream.answer = answer
        assert ask(gateway, door).status == 502
    upstream.forget()
    assert ask(gateway, door).status == 200


@every_way
def test_calls_share_connections_and_not_answers(gateway, upstream, door):
    async def echo(received, wire):
        text = re.search(rb"I am number \d+", received.body)[0].decode()
        if received.target.endswith("/messages"):
            answer = ANTHROPIC_ANSWER | {"content": [{"type": "text", "text": text}]}
        else:
            answer = {"choices": [{"message": {"content": text}}]}
        await wire.whole(200, json.dumps(answer).encode(), JSON)

    upstream.answer = echo
    said = {}

    def call(number):
        messages = [{"role": "user", "content": f"I am number {number}"}]
        reply = ask(gateway, door, messages=messages)
        said[number] = f'I am number {number}"' in reply.body.decode()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "all have their answer")
    assert list(said.values()) == [True] * 20
