"""Who is asking: the token in its header, and every way in which there is none."""

import json
import time

import pytest

from .parts.doors import ENDPOINTS, MESSAGES
from .parts.http import connected, message
from .parts.tokens import FOREIGN_KEY, UNKNOWN_KEY, token

BASIC = "Basic am9objpzZWNyZXQ="

REFUSED = {
    "no token": ("missing_token", list),
    "an empty header": ("missing_token", lambda: [("Authorization", "")]),
    "the Basic scheme": ("malformed_token", lambda: [("Authorization", BASIC)]),
    "a bare token": ("malformed_token", lambda: [("Authorization", token())]),
    "nothing after Bearer": ("malformed_token", lambda: [("Authorization", "Bearer")]),
    "two tokens in one": (
        "malformed_token",
        lambda: [("Authorization", f"Bearer {token()}, Bearer {token()}")],
    ),
    "no JWT": ("malformed_token", lambda: [("Authorization", "Bearer sk-123")]),
    "no JWT as a key": ("malformed_token", lambda: [("x-api-key", "sk-ant-123")]),
    "too long": ("malformed_token", lambda: [("x-api-key", "a" * 20_000)]),
    "expired": ("expired", lambda: [("x-api-key", token(exp=int(time.time()) - 61))]),
    "not valid yet": ("not_yet_valid", lambda: [("x-api-key", token(nbf=time.time() + 600))]),
    "foreign": ("unknown_issuer", lambda: [("x-api-key", token(iss="https://evil.example"))]),
    "for others": ("wrong_audience", lambda: [("x-api-key", token(aud="another-app"))]),
    "forged": ("bad_signature", lambda: [("x-api-key", token(key=FOREIGN_KEY))]),
    "unknown key": ("unknown_key", lambda: [("x-api-key", token(key=UNKNOWN_KEY))]),
    "without expiry": ("invalid_claim", lambda: [("x-api-key", token(exp=None))]),
    "a logout token": ("wrong_token_kind", lambda: [("x-api-key", token(events={}))]),
    "bound to a key": ("sender_mismatch", lambda: [("x-api-key", token(cnf={"jkt": "x"}))]),
}


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize(("reason", "headers"), REFUSED.values(), ids=REFUSED)
def test_a_token_that_cannot_be_used_is_a_401_before_the_body_comes(
    gateway, upstream, door, reason, headers
):
    announced = [("Content-Type", "application/json"), ("Content-Length", "1000")]
    with connected(gateway.port) as connection:
        connection.send(message("POST", door.path, [*announced, *headers()]))
        reply = connection.reply()
    door.refused(reply, reason, status=401)
    assert not upstream.received


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
def test_nobody_is_asked_for_a_body_without_a_token(gateway, door):
    expecting = [("Content-Length", "1000"), ("Expect", "100-continue")]
    with connected(gateway.port) as connection:
        connection.send(message("POST", door.path, expecting))
        first = connection.socket.recv(65536)
    assert first.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in first


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
def test_a_client_that_expects_100_continue_gets_it_with_a_token(gateway, door):
    body = json.dumps(door.body()).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("x-api-key", gateway.token),
        ("Content-Length", str(len(body))),
        ("Expect", "100-continue"),
    ]
    with connected(gateway.port) as connection:
        connection.send(message("POST", door.path, headers))
        assert connection.socket.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        assert connection.reply().status == 200


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        ("Authorization", "Bearer "),
        ("authorization", "bearer "),
        ("AUTHORIZATION", "BEARER "),
        ("X-Api-Key", ""),
        ("api-key", ""),
        ("x-goog-api-key", ""),
    ],
)
def test_a_token_works_in_each_of_the_four_headers(gateway, door, header, prefix):
    reply = gateway.post(door.path, door.body(), (header, prefix + gateway.token), authorised=False)
    assert reply.status == 200


ALL_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
PAIRS = [(a, b) for i, a in enumerate(ALL_HEADERS) for b in ALL_HEADERS[i + 1 :]]


def credentials(names, tokens):
    return [
        (name, f"Bearer {value}" if name == "authorization" else value)
        for name, value in zip(names, tokens, strict=True)
    ]


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize("names", PAIRS, ids="+".join)
def test_two_different_credentials_are_a_400_that_says_what_to_unset(
    gateway, upstream, door, names
):
    two = credentials(names, [gateway.token, "sk-ant-left-over"])
    sentence = door.refused(
        gateway.post(door.path, door.body(), *two, authorised=False),
        "conflicting_credentials",
    )
    assert names[0] in sentence
    assert names[1] in sentence
    assert "unset one of them" in sentence
    assert "ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN" in sentence
    assert "left-over" not in sentence
    assert not upstream.received


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize("names", [*PAIRS, ALL_HEADERS], ids="+".join)
def test_the_same_token_may_stand_in_several_headers(gateway, door, names):
    same = credentials(names, [gateway.token] * len(names))
    assert gateway.post(door.path, door.body(), *same, authorised=False).status == 200


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize("name", ALL_HEADERS)
def test_a_credential_header_that_comes_twice_is_a_400(gateway, upstream, door, name):
    twice = credentials([name, name], [gateway.token, gateway.token])
    sentence = door.refused(
        gateway.post(door.path, door.body(), *twice, authorised=False),
        "conflicting_credentials",
    )
    assert sentence == f"The header {name} was sent more than once."
    assert not upstream.received


@pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
@pytest.mark.parametrize(
    "name", ["access_token", "api_key", "key", "token", "API-KEY", "x-api-key"]
)
def test_credentials_in_the_query_are_a_400(gateway, upstream, door, name):
    reply = gateway.post(f"{door.path}?{name}={gateway.token}", door.body())
    sentence = door.refused(reply, "invalid_request")
    assert gateway.token not in sentence
    assert not upstream.received


def test_credentials_in_the_query_alone_are_none(gateway):
    reply = gateway.post(
        f"{MESSAGES.path}?access_token={gateway.token}", MESSAGES.body(), authorised=False
    )
    MESSAGES.refused(reply, "missing_token")
