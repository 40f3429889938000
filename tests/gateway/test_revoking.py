"""``/revocations``: for administrators alone, and with effect on the next request."""

import time

import pytest

from rolecall.config.instants import parse_instant

from .parts import revoking, serving
from .parts.doors import CHAT, refused
from .parts.revoking import ADMIN, listed, revoke, take_back
from .parts.tokens import ISSUER, token


@pytest.fixture(scope="module")
def one_gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("revoking")
    with serving.running(folder, revoking.configuration(folder, the_upstream.url)) as running:
        yield running


@pytest.fixture
def gateway(one_gateway, upstream):
    yield one_gateway
    for entry in listed(one_gateway)["revocations"]:
        assert take_back(one_gateway, entry["id"]).status == 200


def call(gateway, credential):
    return gateway.post(CHAT.path, CHAT.body(), ("x-api-key", credential), authorised=False)


def test_a_revocation_takes_effect_on_the_next_request_and_is_taken_back(gateway):
    hers, his = token("basic_user", sub="jane"), token("basic_user", sub="john")
    assert call(gateway, hers).status == 200
    reply = revoke(gateway, sub="jane")
    assert reply.status == 201
    entry = reply.json
    assert (entry["issuer"], entry["sub"], entry["expires"]) == (ISSUER, "jane", None)
    assert entry["cause"] == "administrator"
    CHAT.refused(call(gateway, hers), "revoked")
    refused(gateway.get("/v1/models", ("x-api-key", hers), authorised=False), "revoked", "openai")
    assert call(gateway, his).status == 200
    assert listed(gateway)["revocations"] == [entry]
    assert take_back(gateway, entry["id"]).json == {"id": entry["id"], "deleted": True}
    assert call(gateway, hers).status == 200


def test_a_revocation_ends_when_no_token_that_it_is_about_can_still_be_good(gateway):
    now = time.time()
    longest = 86_400 + 2 * 60
    assert parse_instant(revoke(gateway, jti="t1").json["expires"]) == pytest.approx(
        now + longest, abs=5
    )
    moment = "2100-01-01T00:00:00Z"
    entry = revoke(gateway, sub="jane", issued_before=moment).json
    assert entry["issued_before"] == moment
    assert parse_instant(entry["expires"]) == parse_instant(moment) + longest
    for fields in ({"sid": "s1"}, {"client": "batch"}):
        assert revoke(gateway, **fields).json["expires"] is None
    assert revoke(gateway, sid="s1", expires=moment).json["expires"] == moment
    key = revoke(gateway, issuer="rolecall:keys", sub="nightly", issued_before=moment).json
    assert key["expires"] is None


def test_a_revocation_may_last_to_the_end_of_the_calendar(gateway):
    last = "9999-12-31T23:59:59Z"
    entry = revoke(gateway, sub="jane", issued_before=last).json
    # what lies beyond cannot be written
    assert (entry["issued_before"], entry["expires"]) == (last, last)
    assert listed(gateway)["revocations"] == [entry]


def test_what_is_revoked_twice_stands_there_once(gateway):
    first, second = revoke(gateway, sub="jane").json, revoke(gateway, sub="jane").json
    assert listed(gateway)["revocations"] == [second]
    assert listed(gateway, f"?after={first['id']}")["revocations"] == [second]
    assert listed(gateway, f"?after={second['id']}") == {"revocations": [], "next": None}


def test_only_administrators_may(gateway):
    for method in ("GET", "POST"):
        reply = gateway.get("/revocations", method=method, authorised=False)
        refused(reply, "missing_token", "openai")
        reply = gateway.get("/revocations", method=method)
        sentence = refused(reply, "endpoint_not_allowed", "openai")
        assert sentence == "Your roles (internal_user) may not revoke anything."
    number = revoke(gateway, sub="jane").json["id"]
    reply = gateway.get(f"/revocations/{number}", method="DELETE")
    refused(reply, "endpoint_not_allowed", "openai")


FAULTS = {
    "nothing": ({}, "issued_before"),
    "an expiry alone": ({"expires": "2100-01-01"}, "issued_before"),
    "another issuer": ({"issuer": "https://evil.example", "sub": "a"}, "issuer"),
    "no issuer": ({"issuer": None, "sub": "a"}, "issuer"),
    "a number": ({"sub": 1}, "sub"),
    "nobody": ({"sub": ""}, "sub"),
    "a long name": ({"sub": "a" * 2049}, "sub"),
    "a time that is none": ({"issued_before": "soon"}, "issued_before"),
    "a time as a number": ({"issued_before": 1}, "issued_before"),
    "a time before all others": ({"issued_before": "0001-01-01T00:00:00+14:00"}, "issued_before"),
    "a time after all others": ({"issued_before": "9999-12-31T23:59:59-14:00"}, "issued_before"),
    "an expiry after all times": ({"sub": "a", "expires": "9999-12-31T23:59:59-14:00"}, "expires"),
    "an expiry that is past": ({"sub": "a", "expires": "2020-01-01T00:00:00Z"}, "expires"),
    "an unknown key": ({"sub": "a", "email": "a@example.com"}, "email"),
}


@pytest.mark.parametrize(("fields", "param"), FAULTS.values(), ids=FAULTS)
def test_a_revocation_that_cannot_be_understood_is_refused(gateway, fields, param):
    reply = revoke(gateway, **fields)
    refused(reply, "invalid_request", "openai")
    assert reply.json["error"]["param"] == param
    assert listed(gateway)["revocations"] == []


@pytest.mark.parametrize("number", ["0", "-1", "9" * 30, "a", "1/2", "", "%D9%A1"])
def test_a_number_that_is_none_is_not_found(gateway, number):
    reply = take_back(gateway, number)
    refused(reply, "not_found", "openai")


def test_after_must_be_a_number(gateway):
    reply = gateway.get("/revocations?after=x", ADMIN, authorised=False)
    refused(reply, "invalid_request", "openai")


def test_a_body_that_is_no_object_is_refused(gateway):
    for body in (b"[]", b"{", b'{"sub":"a","sub":"b"}'):
        assert gateway.post("/revocations", body, ADMIN, authorised=False).status == 400
    reply = gateway.post("/revocations", b"{}", ADMIN, authorised=False, content_type="text/plain")
    refused(reply, "unsupported_media_type", "openai")


def test_where_nobody_may_revoke_over_http_nothing_is_found(tmp_path, the_upstream):
    sections = revoking.configuration(tmp_path, the_upstream.url)
    del sections["revocations"]["administrators"]
    with serving.running(tmp_path, sections) as gateway:
        for method in ("GET", "POST"):
            reply = gateway.get("/revocations", ADMIN, method=method, authorised=False)
            refused(reply, "not_found", "openai")
        refused(take_back(gateway, 1), "not_found", "openai")


def test_where_nothing_is_configured_nothing_is_found(the_gateway):
    for method, path in (("GET", "/revocations"), ("POST", "/revocations")):
        refused(the_gateway.get(path, method=method), "not_found", "openai")
    refused(the_gateway.get("/revocations/1", method="DELETE"), "not_found", "openai")
    for path in ("/backchannel-logout", "/security-events"):
        refused(the_gateway.post(path, b""), "not_found", "openai")
