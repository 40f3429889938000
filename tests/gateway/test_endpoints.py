"""The endpoints table: what is in it, and that nothing else is."""

import json

import pytest

from rolecall.gateway.endpoints import ENDPOINTS

from .parts.doors import CHAT, MESSAGES, refused
from .parts.http import message

ANTHROPIC = ("anthropic-version", "2023-06-01")
FORMS = {"openai": [], "anthropic": [ANTHROPIC]}


def ask(gateway, method, target, *headers, host="gateway.example", authorised=True):
    """Ask with a body that every endpoint which calls a model would accept."""
    door = MESSAGES if "messages" in target else CHAT
    sent = [("Content-Type", "application/json"), *headers]
    if authorised:
        sent.append(("x-api-key", gateway.token))
    body = json.dumps(door.body()).encode()
    return gateway.raw(message(method, target, sent, body, host=host), method)


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/v1/chat/completions", 200),
        ("POST", "/chat/completions", 200),
        ("POST", "/v1/messages", 200),
        ("POST", "/messages", 200),
        ("GET", "/v1/models", 200),
        ("GET", "/models", 200),
        ("GET", "/v1/models/gpt", 200),
        ("GET", "/models/gpt", 200),
        ("GET", "/health/liveliness", 200),
        ("GET", "/health/liveness", 200),
        ("GET", "/health/readiness", 200),
        ("GET", "/livez", 200),
        ("GET", "/readyz", 200),
    ],
)
def test_every_endpoint_answers_with_and_without_v1(gateway, method, target, status):
    reply = ask(gateway, method, target)
    assert reply.status == status
    assert len(reply.headers["x-request-id"]) == 24


def test_the_table_holds_no_more_than_this():
    assert {f"{method} {path}" for method, path in ENDPOINTS} == {
        "POST /v1/chat/completions",
        "POST /chat/completions",
        "POST /v1/messages",
        "POST /messages",
        "GET /v1/models",
        "GET /models",
        "POST /explain",
        "GET /whoami",
        "GET /.well-known/oauth-protected-resource",
        "GET /health/liveliness",
        "GET /health/liveness",
        "GET /health/readiness",
        "GET /livez",
        "GET /readyz",
        "GET /metrics",
        "POST /revocations",
        "GET /revocations",
        "POST /backchannel-logout",
        "POST /security-events",
    }


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [(*place, endpoint) for place, endpoint in ENDPOINTS.items()],
    ids=[" ".join(place) for place in ENDPOINTS],
)
def test_only_health_answers_without_a_token(gateway, upstream, method, path, endpoint):
    reply = ask(gateway, method, path, authorised=False)
    if endpoint.kind in {"live", "ready"}:
        assert reply.status == 200
    elif endpoint.kind in {
        "metrics",
        "resource",
        "revoke",
        "revocations",
        "logout",
        "security_event",
    }:
        # this gateway has none: test_metrics.py, test_resource.py, test_revoking.py,
        # test_signalling.py
        assert reply.status == 404
    else:
        refused(reply, "missing_token", endpoint.form or "openai")
    assert not upstream.received


NOWHERE = [
    ("POST", "/"),
    ("POST", "/v1"),
    ("POST", "/v2/chat/completions"),
    ("POST", "/v1/chat/completions/"),
    ("POST", "//v1/chat/completions"),
    ("POST", "/v1//chat/completions"),
    ("POST", "/V1/chat/completions"),
    ("POST", "/v1/Chat/Completions"),
    ("POST", "/v1/chat/completions;x"),
    ("POST", "/v1/chat/completions%20"),
    ("POST", "/v1/chat/completions%00"),
    ("POST", "/v1/chat%252Fcompletions"),
    ("POST", "/v1/./chat/completions"),
    ("POST", "/v1/../v1/chat/completions"),
    ("POST", "/v1/%2e%2e/v1/chat/completions"),
    ("POST", "/v1/models/%2e%2e/chat/completions"),
    ("POST", "/health/liveliness/../../v1/chat/completions"),
    ("POST", "/v1/messages/"),
    ("POST", "/v1/messages/batches"),
    ("POST", "/v1/messages/count_tokens"),
    ("POST", "/v1/responses"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/embeddings"),
    ("POST", "/v1/images/generations"),
    ("POST", "/v1/batches"),
    ("POST", "/v1/files"),
    ("POST", "/v1/moderations"),
    ("GET", "/v1/realtime?model=gpt"),
    ("POST", "/openai/deployments/gpt/chat/completions?api-version=2024-10-21"),
    ("POST", "/v1beta/models/gpt:generateContent"),
    ("POST", "/model/gpt/invoke"),
    ("POST", "/config/update"),
    ("GET", "/v1/models/"),
    ("GET", "/metrics"),
    ("GET", "/docs"),
    ("GET", "/openapi.json"),
    ("GET", "/v1/chat/completions"),
    ("GET", "/v1/messages"),
    ("PUT", "/v1/chat/completions"),
    ("PATCH", "/v1/messages"),
    ("DELETE", "/v1/models/gpt"),
    ("POST", "/v1/models"),
    ("POST", "/v1/models/gpt"),
    ("OPTIONS", "/v1/chat/completions"),
    ("POST", "/health/liveliness"),
]


@pytest.mark.parametrize(("form", "headers"), FORMS.items(), ids=FORMS)
@pytest.mark.parametrize(("method", "target"), NOWHERE, ids=" ".join)
def test_what_is_not_in_the_table_is_a_404(gateway, upstream, method, target, form, headers):  # noqa: PLR0917 - columns of a table
    refused(ask(gateway, method, target, *headers), "not_found", form)
    assert not upstream.received


def test_the_head_of_nothing_is_a_404_without_a_body(gateway):
    reply = ask(gateway, "HEAD", "/v1/chat/completions")
    assert (reply.status, reply.body) == (404, b"")


@pytest.mark.parametrize("path", ["/v1/v1/messages", "/v1/v1/chat/completions"])
def test_a_doubled_v1_says_how_to_set_the_base_url(gateway, upstream, path):
    sentence = refused(ask(gateway, "POST", path), "not_found", "openai")
    assert "/v1 twice" in sentence
    assert "without /v1" in sentence
    assert not upstream.received


def test_a_wrong_method_names_the_right_one(gateway):
    sentence = refused(ask(gateway, "GET", "/v1/messages"), "not_found", "openai")
    assert sentence == "This path answers POST requests only, not GET."


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example/v1/models?x=",
        "evil.example/health/liveliness?",
        "gateway.example:4000/..?",
        "localhost/health/liveliness#",
        "",
    ],
)
@pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)
def test_the_host_header_decides_nothing(gateway, upstream, door, host):
    reply = ask(gateway, "POST", door.path, host=host, authorised=False)
    door.refused(reply, "missing_token")
    refused(ask(gateway, "POST", "/v1/responses", host=host), "not_found", "openai")
    assert not upstream.received
    assert ask(gateway, "POST", door.path, host=host).status == 200
    assert upstream.last.header("host") == [f"127.0.0.1:{upstream.port}"]


@pytest.mark.parametrize("door", [CHAT, MESSAGES], ids=lambda door: door.name)
def test_an_absolute_target_is_its_path(gateway, upstream, door):
    target = f"http://evil.example/health/liveliness/../..{door.path}"
    refused(ask(gateway, "POST", target), "not_found", "openai")
    target = f"http://evil.example{door.path}"
    door.refused(ask(gateway, "POST", target, authorised=False), "missing_token")
    assert not upstream.received
    assert ask(gateway, "POST", target).status == 200
    assert upstream.last.header("host") == [f"127.0.0.1:{upstream.port}"]


def test_headers_that_name_another_method_or_path_decide_nothing(gateway, upstream):
    names = ("X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix")
    reply = ask(
        gateway, "GET", "/v1/responses", *((name, "/v1/chat/completions") for name in names)
    )
    refused(reply, "not_found", "openai")
    assert not upstream.received


def test_an_upgrade_to_a_websocket_is_an_ordinary_request(gateway):
    headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]
    refused(gateway.get("/v1/responses", *headers), "not_found", "openai")
