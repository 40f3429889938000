"""What may stand in a body, and what a body may be."""

import json

import pytest

from rolecall.wire.call import STEERING

from .parts.doors import ENDPOINTS, WAYS
from .parts.http import chunked, connected, message

LIMIT = 64 * 1024

both_endpoints = pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)


def written(door, member=b""):
    """A body as bytes, with one more member before its own."""
    return b"{" + member + json.dumps(door.body()).encode()[1:]


BODIES = {
    "nothing": ("invalid_request", b""),
    "not JSON": ("invalid_request", b"model=gpt"),
    "cut off": ("invalid_request", lambda door: written(door)[:-1]),
    "more than one value": ("invalid_request", lambda door: written(door) + b"{}"),
    "a comment": ("invalid_request", lambda door: written(door) + b"//"),
    "single quotes": ("invalid_request", lambda door: written(door).replace(b'"', b"'")),
    "a byte order mark": ("invalid_request", lambda door: b"\xef\xbb\xbf" + written(door)),
    "UTF-16": ("invalid_request", lambda door: written(door).decode().encode("utf-16")),
    "bytes that are not UTF-8": ("invalid_request", lambda door: written(door, b'"x":"\xff",')),
    "half a surrogate pair": ("invalid_request", lambda door: written(door, b'"x":"\\ud800",')),
    "an array": ("invalid_request", lambda door: b"[" + written(door) + b"]"),
    "null": ("invalid_request", b"null"),
    "NaN": ("invalid_request", lambda door: written(door, b'"x":NaN,')),
    "Infinity": ("invalid_request", lambda door: written(door, b'"x":-Infinity,')),
    "1e999": ("invalid_request", lambda door: written(door, b'"x":1e999,')),
    "65 levels": (
        "invalid_request",
        lambda door: written(door, b'"x":' + b"[" * 64 + b"]" * 64 + b","),
    ),
    "10,000 levels": (
        "invalid_request",
        lambda door: written(door, b'"x":' + b"[" * 10_000 + b"]" * 10_000 + b","),
    ),
    "model twice": ("duplicate_key", lambda door: written(door, b'"model":"secret",')),
    "model twice, the same": (
        "duplicate_key",
        lambda door: written(door, b'"model":"%s",' % door.model.encode()),
    ),
    "model twice, once escaped": (
        "duplicate_key",
        lambda door: written(door, b'"mod\\u0065l":"secret",'),
    ),
    "a name twice, deep": ("duplicate_key", lambda door: written(door, b'"x":[{"a":1,"a":1}],')),
    "Model": ("duplicate_key", lambda door: written(door, b'"Model":"secret",')),
    "MODEL": ("duplicate_key", lambda door: written(door, b'"MODEL":"secret",')),
    "a space before model": ("duplicate_key", lambda door: written(door, b'" model":"secret",')),
    "a space after model": ("duplicate_key", lambda door: written(door, b'"model ":"secret",')),
    "a tab after model": ("duplicate_key", lambda door: written(door, b'"model\\t":"secret",')),
    "a NUL after model": ("duplicate_key", lambda door: written(door, b'"model\\u0000":"secret",')),
    "a zero-width space in model": (
        "duplicate_key",
        lambda door: written(door, b'"mod\\u200bel":"secret",'),
    ),
    "no model": ("model_missing", b'{"messages":[]}'),
    "model null": ("model_missing", b'{"model":null}'),
    "model empty": ("model_missing", b'{"model":""}'),
    "model a number": ("invalid_request", b'{"model":1}'),
    "model a list": ("invalid_request", b'{"model":["gpt"]}'),
    "model an object": ("invalid_request", b'{"model":{"id":"gpt"}}'),
    "model true": ("invalid_request", b'{"model":true}'),
    "model of 257 characters": (
        "invalid_request",
        json.dumps({"model": "x" * 257}).encode(),
    ),
    "stream a string": ("invalid_request", lambda door: written(door, b'"stream":"true",')),
    "stream a number": ("invalid_request", lambda door: written(door, b'"stream":1,')),
    "a tool with a model of its own": (
        "invalid_request",
        lambda door: written(door, b'"tools":[{"type":"advisor"},{"model":"secret"}],'),
    ),
}


@both_endpoints
@pytest.mark.parametrize(("reason", "body"), BODIES.values(), ids=BODIES)
def test_what_could_be_understood_in_two_ways_is_a_400(gateway, upstream, door, reason, body):
    sent = body(door) if callable(body) else body
    door.refused(gateway.post(door.path, sent), reason, status=400)
    assert not upstream.received


STEERING_NAMES = sorted(
    STEERING
    | {
        "litellm_params",
        "litellm_credential_name",
        "aws_region_name",
        "azure_ad_token",
        "vertex_project",
        "API_BASE",
        "Fallbacks",
        "modelId",
        "api-key",
        " base_url",
    }
)


@both_endpoints
@pytest.mark.parametrize("name", STEERING_NAMES)
def test_a_body_cannot_steer_the_gateway(gateway, upstream, door, name):
    reply = gateway.post(door.path, door.body(**{name: "https://evil.example"}))
    sentence = door.refused(reply, "invalid_request")
    assert sentence.startswith(name.strip().casefold().replace("-", "_"))
    assert not upstream.received


@both_endpoints
@pytest.mark.parametrize(
    "query", ["model=secret", "Model=secret", "model", "a=b&%6dodel=x", "api_base=x", "fallbacks="]
)
def test_a_query_cannot_steer_the_gateway(gateway, upstream, door, query):
    door.refused(gateway.post(f"{door.path}?{query}", door.body()), "invalid_request")
    assert not upstream.received


@both_endpoints
def test_a_query_has_a_length(gateway, upstream, door):
    door.refused(gateway.post(f"{door.path}?x={'x' * 4096}", door.body()), "invalid_request")
    assert not upstream.received


@pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
def test_64_levels_and_large_exponents_are_fine(gateway, upstream, door):
    deep = json.loads("[" * 63 + "1e300" + "]" * 63)
    assert gateway.post(door.path, door.body(a_field_of_tomorrow=deep)).status == 200
    assert upstream.last.json["a_field_of_tomorrow"] == deep


def as_long_as(door, length):
    body = json.dumps(door.body()).encode()
    return body + b" " * (length - len(body))


@both_endpoints
def test_a_body_of_just_the_limit_passes(gateway, door):
    assert gateway.post(door.path, as_long_as(door, LIMIT)).status == 200
    pieces = chunked(as_long_as(door, LIMIT)[:100], as_long_as(door, LIMIT)[100:])
    reply = gateway.post(door.path, pieces, ("Transfer-Encoding", "chunked"))
    assert reply.status == 200


@both_endpoints
def test_a_body_over_the_limit_is_a_413(gateway, upstream, door):
    sentence = door.refused(gateway.post(door.path, as_long_as(door, LIMIT + 1)), "too_large")
    assert str(LIMIT) in sentence
    assert not upstream.received


@both_endpoints
def test_a_body_that_says_to_be_over_the_limit_is_not_awaited(gateway, upstream, door):
    headers = [("x-api-key", gateway.token), ("Content-Type", "application/json")]
    length = ("Content-Length", str(LIMIT + 1))
    reply = gateway.raw(message("POST", door.path, [*headers, length]))
    door.refused(reply, "too_large")
    assert not upstream.received


@both_endpoints
def test_a_chunked_body_is_refused_as_soon_as_it_is_over_the_limit(gateway, upstream, door):
    headers = [("x-api-key", gateway.token), ("Content-Type", "application/json")]
    with connected(gateway.port) as connection:
        head = message("POST", door.path, [*headers, ("Transfer-Encoding", "chunked")])
        connection.send(head + chunked(b" " * (LIMIT + 1)).removesuffix(b"0\r\n\r\n"))
        door.refused(connection.reply(), "too_large")
    assert not upstream.received


MEDIA_TYPES = {
    "none": [],
    "text": [("Content-Type", "text/plain")],
    "a form": [("Content-Type", "application/x-www-form-urlencoded")],
    "multipart": [("Content-Type", "multipart/form-data; boundary=x")],
    "another JSON": [("Content-Type", "application/merge-patch+json")],
    "lines of JSON": [("Content-Type", "application/jsonl")],
    "UTF-16": [("Content-Type", "application/json; charset=utf-16")],
    "two in one": [("Content-Type", "application/json, text/plain")],
    "two headers": [("Content-Type", "application/json"), ("Content-Type", "application/json")],
    "two that differ": [("Content-Type", "application/json"), ("content-type", "text/plain")],
    "gzip": [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
    "brotli": [("Content-Type", "application/json"), ("Content-Encoding", "br")],
    "twice compressed": [
        ("Content-Type", "application/json"),
        ("Content-Encoding", "identity"),
        ("Content-Encoding", "deflate"),
    ],
}


@both_endpoints
@pytest.mark.parametrize("headers", MEDIA_TYPES.values(), ids=MEDIA_TYPES)
def test_anything_but_plain_json_is_a_415(gateway, upstream, door, headers):
    reply = gateway.post(door.path, door.body(), *headers, content_type=None)
    door.refused(reply, "unsupported_media_type")
    assert not upstream.received


@both_endpoints
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
    ],
)
def test_json_may_be_announced_in_several_spellings(gateway, door, content_type):
    headers = [("Content-Encoding", "identity")]
    reply = gateway.post(door.path, door.body(), *headers, content_type=content_type)
    assert reply.status == 200
