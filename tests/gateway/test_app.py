"""The application as a whole: health, the keys of its issuers, what it writes down, its faults."""

import asyncio
import json
import logging
import time

import pytest

from rolecall.core import Reason, Refusal
from rolecall.gateway import Gateway, compile_snapshot

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS, MESSAGES, refused
from .parts.http import message
from .parts.polling import wait_until
from .parts.tokens import AUDIENCE, FOREIGN_KEY, ISSUER, KEY_SET, UNKNOWN_KEY, token
from .parts.upstream import answer_well, answers

both_endpoints = pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
JSON = ("Content-Type", "application/json")
ALIVE = ("/health/liveliness", "/health/liveness", "/livez")
READY = ("/health/readiness", "/readyz")


@pytest.mark.parametrize("target", [*ALIVE, *READY])
@pytest.mark.parametrize("credential", [[], [("x-api-key", "not a token")]], ids=["none", "bad"])
def test_health_asks_for_no_token_and_tells_nothing(gateway, target, credential):
    reply = gateway.get(target, *credential, authorised=False)
    assert reply.status == 200
    assert reply.json == {"status": "ready" if target in READY else "alive"}
    assert len(reply.headers["x-request-id"]) == 24


def test_every_answer_has_a_request_id_of_its_own(gateway):
    replies = [gateway.get(target) for target in ("/livez", "/v1/models", "/nowhere") * 3]
    assert len({reply.headers["x-request-id"] for reply in replies}) == 9


def test_a_request_id_of_the_caller_is_not_taken_over(gateway):
    assert gateway.get("/livez", ("x-request-id", "mine")).headers["x-request-id"] != "mine"


class KeyServer:
    """The keys at the upstream's address, there or not."""

    def __init__(self, upstream):
        self.up = False
        self.asked = 0
        upstream.answer = self._answer

    async def _answer(self, received, wire):
        if received.target != "/keys":
            await answer_well(received, wire)
            return
        self.asked += 1
        await wire.whole(200 if self.up else 500, json.dumps(KEY_SET).encode(), JSON)


@pytest.fixture
def key_server(upstream):
    return KeyServer(upstream)


@pytest.fixture
def start(tmp_path, upstream, key_server):
    """Start a gateway whose issuer publishes its keys at the key server."""

    def start():
        issuer = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": f"{upstream.url}/keys"}
        sections = serving.configuration(tmp_path, upstream.url, issuers=[issuer])
        return serving.running(tmp_path, sections)

    return start


def test_a_key_server_that_is_down_is_a_503_until_it_is_up(start, key_server):
    with start() as gateway:
        for door in ENDPOINTS:
            reply = gateway.post(door.path, door.body())
            door.refused(reply, "issuer_unavailable")
            assert reply.headers["retry-after"] == "1"
        refused(gateway.get("/v1/models"), "issuer_unavailable", "openai")
        for target in READY:
            reply = gateway.get(target, authorised=False)
            assert (reply.status, reply.json) == (503, {"status": "waiting for an issuer"})
            assert len(reply.headers["x-request-id"]) == 24
        assert [gateway.get(target, authorised=False).status for target in ALIVE] == [200] * 3
        forged = gateway.get("/v1/models", ("x-api-key", "no.token"), authorised=False)
        refused(forged, "malformed_token", "openai")

        key_server.up = True
        wait_until(lambda: gateway.get("/readyz").status == 200, "the keys are fetched")
        for door in ENDPOINTS:
            assert gateway.post(door.path, door.body()).status == 200


def test_a_key_server_that_goes_down_later_leaves_its_last_good_keys(start, key_server, caplog):
    key_server.up = True
    with start() as gateway:
        key_server.up = False
        asked = key_server.asked
        for _ in range(3):
            unknown = ("x-api-key", token("basic_user", key=UNKNOWN_KEY))
            reply = gateway.post(CHAT.path, CHAT.body(), unknown, authorised=False)
            CHAT.refused(reply, "issuer_unavailable")
            assert reply.headers["retry-after"] == "1"
        assert key_server.asked == asked + 1
        assert "the last good keys serve on" in caplog.text
        for door in ENDPOINTS:
            fresh = ("x-api-key", token("basic_user", jti=door.name))
            assert gateway.post(door.path, door.body(), fresh, authorised=False).status == 200
        assert gateway.get("/readyz").status == 200


def requests_lines(caplog):
    return [record for record in caplog.records if record.name == "rolecall.requests"]


LINES = {
    "no token": (list, {}, "missing_token"),
    "forged": (lambda: [("x-api-key", token(key=FOREIGN_KEY))], {}, "bad_signature"),
    "expired": (lambda: [("x-api-key", token(exp=int(time.time()) - 99))], {}, "expired"),
    "no role": (lambda: [("x-api-key", token())], {}, "no_role"),
    "not allowed": (
        lambda: [("x-api-key", token("basic_user"))],
        {"model": "secret"},
        "model_not_allowed",
    ),
    "steering": (
        lambda: [("x-api-key", token("basic_user"))],
        {"api_base": "x"},
        "invalid_request",
    ),
}


@both_endpoints
@pytest.mark.parametrize(("headers", "fields", "reason"), LINES.values(), ids=LINES)
def test_a_refusal_leaves_one_line_and_no_token(gateway, door, headers, fields, reason, caplog):  # noqa: PLR0917 - columns of a table
    credentials = headers()
    reply = gateway.post(door.path, door.body(**fields), *credentials, authorised=False)
    (line,) = requests_lines(caplog)
    assert line.request_id == reply.headers["x-request-id"]
    assert (line.reason, line.status) == (reason, reply.status)
    for _, sent in credentials:
        for part in sent.split("."):
            assert part not in str([vars(record) for record in caplog.records])


@both_endpoints
def test_a_refused_call_says_who_asked_for_what(gateway, door, caplog):
    gateway.post(door.path, door.body(model="secret"))
    (line,) = requests_lines(caplog)
    assert (line.issuer, line.subject, line.roles) == (ISSUER, "john", ["internal_user"])
    assert (line.endpoint, line.model) == (door.name, "secret")


@both_endpoints
def test_an_allowed_call_leaves_no_line(gateway, door, caplog):
    assert gateway.post(door.path, door.body()).status == 200
    assert not requests_lines(caplog)


@both_endpoints
def test_what_the_upstream_says_of_a_key_is_not_logged(gateway, upstream, door, caplog):
    upstream.answer = answers(401, b'{"error":{"message":"bad key sk-SENTINEL"}}', JSON)
    assert gateway.post(door.path, door.body()).status == 401
    assert "SENTINEL" not in str([vars(record) for record in caplog.records])


class Asked:
    """One request to the application without a server."""

    def __init__(self, body=b"", **scope):
        self.sent = []
        self._body = body
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": CHAT.path,
            "query_string": b"",
            "headers": [
                (b"content-type", b"application/json"),
                (b"x-api-key", token("basic_user").encode()),
            ],
            **scope,
        }

    async def receive(self):
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body}

    async def send(self, sent):
        self.sent.append(sent)


class BrokenTransport:
    """A transport with a fault that nobody has foreseen."""

    async def send(self, _):
        raise ZeroDivisionError

    async def close(self):
        pass


@pytest.fixture
async def broken(tmp_path):
    settings = serving.settings_of(tmp_path, serving.configuration(tmp_path, "http://127.0.0.1:9"))
    snapshot = compile_snapshot(settings)
    await snapshot.verifier.start()
    yield Gateway(snapshot, make_transport=BrokenTransport)
    await snapshot.verifier.stop()


@pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)
async def test_a_fault_of_our_own_is_a_500_that_tells_nothing(broken, door, caplog):
    asked = Asked(json.dumps(door.body()).encode(), path=door.path)
    await broken(asked.scope, asked.receive, asked.send)
    start, body = asked.sent
    assert start["status"] == 500
    error = json.loads(body["body"])
    assert error["error"]["code"] == "internal_error"
    assert "ZeroDivision" not in str(asked.sent)
    (record,) = requests_lines(caplog)
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ZeroDivisionError
    assert dict(start["headers"])[b"x-request-id"] == record.request_id.encode()
    caplog.clear()


async def test_a_websocket_is_turned_away(broken):
    asked = Asked(type="websocket")
    await broken(asked.scope, asked.receive, asked.send)
    assert asked.sent == [{"type": "websocket.close", "code": 1000}]


def test_every_reason_has_a_status_and_every_refusal_a_format():
    for reason in Reason:
        assert 400 <= Refusal(reason, "x").status < 600


def test_pipelined_requests_are_answered_in_order(gateway, upstream):
    two = message("GET", "/livez") + message("GET", "/nowhere")
    assert gateway.raw(two, "GET").json == {"status": "alive"}


async def test_a_client_that_tries_again_and_again_leaves_one_line(tmp_path, caplog):
    sections = serving.configuration(tmp_path, "http://127.0.0.1:9")
    gateway = Gateway(compile_snapshot(serving.settings_of(tmp_path, sections)))
    for _ in range(5):
        asked = Asked(type="http", method="POST", path=CHAT.path, headers=[], query_string=b"")
        await gateway(asked.scope, asked.receive, asked.send)
    (line,) = requests_lines(caplog)
    assert line.reason == "missing_token"
