"""What is worked out of a head once: nothing of it outlives what it depends on."""

import json
from hashlib import sha256

import pytest

from rolecall.core import Refusal
from rolecall.gateway.head import read_head
from rolecall.gateway.http1 import KEPT

from ..upstream.parts.deployments import deployment
from .parts import revoking, serving
from .parts.doors import CHAT
from .parts.http import connected, message
from .parts.revoking import revoke, take_back
from .parts.tokens import token

HERS = token("basic_user", sub="jane")
JSON = ("Content-Type", "application/json")


def scope(*headers, query=b"", **more):
    return {
        "headers": [(b"content-type", b"application/json"), *headers],
        "query_string": query,
    } | more


def test_it_is_worked_out_once_for_as_long_as_it_is_kept():
    headers = [(b"authorization", b"Bearer abc")]
    first = read_head(scope(*headers, extensions={KEPT: (kept := {})}))
    assert (first.token, first.fingerprint) == (b"abc", sha256(b"abc").digest())
    assert read_head(scope(*headers, extensions={KEPT: kept})) is first
    for other in ({}, {"extensions": {}}, {"extensions": {KEPT: {}}}):
        assert read_head(scope(*headers, **other)) is not first


WRONG = {
    "type": scope((b"content-type", b"text/plain")),
    "length": scope((b"content-length", b"1001")),
    "query": scope(query=b"model=gpt"),
}


@pytest.mark.parametrize("asked", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_never_taken_for_checked(asked):
    head = read_head(scope((b"authorization", b"Bearer abc")))
    with pytest.raises(Refusal):
        head.check(asked, 1000)
    assert not head.checked


def deployments():
    """One of each vendor's."""
    return deployment(), deployment("claude", "anthropic")


def test_what_goes_on_of_it_is_worked_out_once_for_each_upstream():
    asked = scope((b"x-api-key", b"abc"), (b"user-agent", b"A"), (b"openai-beta", b"B"))
    head = read_head(asked)
    openai, anthropic = deployments()
    fields = head.passed(asked, openai)
    assert fields.headers == [(b"user-agent", b"A"), (b"openai-beta", b"B")]
    assert head.passed(asked, anthropic).headers[0] == (b"user-agent", b"A")
    assert (b"openai-beta", b"B") not in head.passed(asked, anthropic).headers
    assert head.passed(asked, openai) is fields


def test_upstreams_of_generations_that_were_replaced_are_forgotten():
    asked = scope((b"x-api-key", b"abc"))
    head = read_head(asked)
    first, _ = deployments()
    fields = head.passed(asked, first)
    for _ in range(9):
        for other in deployments():
            head.passed(asked, other)
    assert head.passed(asked, first) is not fields


def test_no_token_is_kept_as_no_token():
    kept = {}
    for _ in range(2):
        with pytest.raises(Refusal):
            read_head(scope(extensions={KEPT: kept}))
    assert kept == {}


def asked(connection, *headers, **fields):
    body = json.dumps(CHAT.body(**fields)).encode()
    connection.send(message("POST", CHAT.path, [JSON, *headers], body))
    return connection.reply()


def test_on_one_connection_each_request_is_judged_by_itself(gateway, upstream):
    mine, other = ("x-api-key", token("basic_user")), ("x-api-key", token("guest"))
    with connected(gateway.port) as connection:
        for _ in range(3):
            assert asked(connection, mine).status == 200
            assert asked(connection, mine, user="x" * 100).status == 200
            long = asked(connection, mine, user="x" * 70_000)
            CHAT.refused(long, "too_large")
            CHAT.refused(asked(connection, other), "model_not_allowed")
    assert len(upstream.received) == 6


def test_on_one_connection_each_upstream_gets_what_its_vendor_understands(gateway, upstream):
    headers = (("x-api-key", token("basic_user")), ("anthropic-beta", "b"), ("user-agent", "A"))
    with connected(gateway.port) as connection:
        for model in ("gpt", "gpt", "claude", "gpt", "claude"):
            assert asked(connection, *headers, model=model).status == 200
        assert asked(connection, *headers[:2], ("user-agent", "B"), model="gpt").status == 200
    agents = [received.header("user-agent")[0] for received in upstream.received]
    assert agents == ["A"] * 5 + ["B"]


def test_a_connection_is_kept_but_not_its_callers_right(tmp_path, upstream):
    sections = revoking.configuration(tmp_path, upstream.url)
    with serving.running(tmp_path, sections) as gateway, connected(gateway.port) as connection:
        hers = ("x-api-key", HERS)
        assert [asked(connection, hers).status for _ in range(3)] == [200] * 3
        number = revoke(gateway, sub="jane").json["id"]
        assert [asked(connection, hers).status for _ in range(3)] == [401] * 3
        assert take_back(gateway, number).status == 200
        assert [asked(connection, hers).status for _ in range(3)] == [200] * 3
