"""Back-channel logout and pushed security events, over HTTP."""

import time
from urllib.parse import urlencode

import pytest

from .parts import revoking, serving
from .parts.doors import CHAT, refused
from .parts.revoking import listed, take_back
from .parts.tokens import AUDIENCE, FOREIGN_KEY, ISSUER, KEY, UNKNOWN_KEY, signed, token

FORM = "application/x-www-form-urlencoded"
SET = "application/secevent+jwt"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
JANE = {"format": "iss_sub", "iss": ISSUER, "sub": "jane"}


@pytest.fixture(scope="module")
def one_gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("signalling")
    with serving.running(folder, revoking.configuration(folder, the_upstream.url)) as running:
        yield running


@pytest.fixture
def gateway(one_gateway, upstream):
    yield one_gateway
    for entry in listed(one_gateway)["revocations"]:
        take_back(one_gateway, entry["id"])


def call(gateway, **claims):
    credential = token("basic_user", sub="jane", **claims)
    return gateway.post(CHAT.path, CHAT.body(), ("x-api-key", credential), authorised=False)


def logout_token(*, key=KEY, typ="logout+jwt", **claims):
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": "chat-ui",
        "iat": now,
        "exp": now + 120,
        "jti": f"{time.monotonic_ns()}",
        "events": {LOGOUT: {}},
        "sub": "jane",
        **claims,
    }
    return signed({k: v for k, v in whole.items() if v is not None}, typ, key)


def log_out(gateway, logout):
    body = urlencode({"logout_token": logout}).encode()
    return gateway.post("/backchannel-logout", body, authorised=False, content_type=FORM)


def event(*, key=KEY, typ="secevent+jwt", **claims):
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "jti": f"{time.monotonic_ns()}",
        "sub_id": JANE,
        "events": {REVOKED: {"event_timestamp": now}},
        **claims,
    }
    return signed({k: v for k, v in whole.items() if v is not None}, typ, key)


def push(gateway, body, content_type=SET):
    return gateway.post(
        "/security-events", body.encode(), authorised=False, content_type=content_type
    )


def test_a_logout_ends_what_was_issued_before_and_nothing_later(gateway):
    now = int(time.time())
    assert call(gateway).status == 200
    reply = log_out(gateway, logout_token())
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    CHAT.refused(call(gateway), "revoked")
    assert call(gateway, iat=now + 30).status == 200
    (entry,) = listed(gateway)["revocations"]
    assert (entry["sub"], entry["cause"]) == ("jane", "logout")


def test_a_logout_of_one_session_leaves_the_others(gateway):
    assert log_out(gateway, logout_token(sid="s1")).status == 200
    CHAT.refused(call(gateway, sid="s1"), "revoked")
    assert call(gateway, sid="s2").status == 200
    # whoever does not say may be of that session
    CHAT.refused(call(gateway), "revoked")


def test_a_logout_token_is_received_once(gateway):
    logout = logout_token()
    assert log_out(gateway, logout).status == 200
    reply = log_out(gateway, logout)
    assert reply.status == 400
    assert reply.json["error"] == "invalid_request"
    assert "before" in reply.json["error_description"]


NO_LOGOUT = {
    "forged": {"key": FOREIGN_KEY},
    "of an unknown key": {"key": UNKNOWN_KEY},
    "for another client": {"aud": "another"},
    "an access token": {"events": None},
    "another event": {"events": {REVOKED: {}}},
    "an ID token": {"nonce": "n"},
    "of another type": {"typ": "at+jwt"},
    "of nobody": {"sub": None},
    "too old": {"exp": 1},
    "good for ever": {"exp": 4_000_000_000},
    "without end": {"exp": None},
    "without a beginning": {"iat": None},
    "without ID": {"jti": None},
    "of a stranger": {"iss": "https://evil.example"},
}


@pytest.mark.parametrize("changes", NO_LOGOUT.values(), ids=NO_LOGOUT)
def test_what_is_no_logout_token_is_a_400_and_revokes_nothing(gateway, changes):
    reply = log_out(gateway, logout_token(**changes))
    assert reply.status == 400
    assert reply.headers["cache-control"] == "no-store"
    assert set(reply.json) == {"error", "error_description"}
    assert listed(gateway)["revocations"] == []
    assert call(gateway).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"logout_token=", b"token=a", b"logout_token=a&logout_token=b", b"\xff", b"&" * 50],
)
def test_a_form_without_one_logout_token_is_a_400(gateway, body):
    reply = gateway.post("/backchannel-logout", body, authorised=False, content_type=FORM)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")


def test_of_two_logout_tokens_neither_counts(gateway):
    body = urlencode([("logout_token", logout_token()), ("logout_token", logout_token())])
    reply = gateway.post("/backchannel-logout", body.encode(), authorised=False, content_type=FORM)
    assert (reply.status, reply.json["error"]) == (400, "invalid_request")
    assert listed(gateway)["revocations"] == []


def test_a_logout_token_is_of_a_bounded_size_and_in_a_form(gateway):
    reply = log_out(gateway, "a" * 70_000)
    assert reply.status == 400
    reply = gateway.post("/backchannel-logout", b"{}", authorised=False)
    assert reply.status == 400


def test_a_revoked_session_is_acknowledged_and_ended(gateway):
    now = int(time.time())
    reply = push(gateway, event())
    assert (reply.status, reply.body) == (202, b"")
    CHAT.refused(call(gateway), "revoked")
    assert call(gateway, iat=now + 30).status == 200
    (entry,) = listed(gateway)["revocations"]
    assert entry["cause"] == "security_event"


def test_an_event_that_comes_twice_is_acknowledged_twice(gateway):
    said = event()
    assert [push(gateway, said).status for _ in range(2)] == [202, 202]
    assert len(listed(gateway)["revocations"]) == 1


@pytest.mark.parametrize("name", [VERIFICATION, "https://example.com/another"])
def test_other_events_are_acknowledged_and_revoke_nothing(gateway, name):
    assert push(gateway, event(events={name: {"state": "x"}}, sub_id=None)).status == 202
    assert listed(gateway)["revocations"] == []


NO_EVENT = {
    "forged": ({"key": FOREIGN_KEY}, "authentication_failed"),
    "of an unknown key": ({"key": UNKNOWN_KEY}, "invalid_key"),
    "of a stranger": ({"iss": "https://evil.example"}, "invalid_issuer"),
    "for another": ({"aud": "another"}, "invalid_audience"),
    "of another type": ({"typ": "JWT"}, "invalid_request"),
    "a logout token": ({"typ": "logout+jwt"}, "invalid_request"),
    "about nobody": ({"sub_id": None}, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "err"), NO_EVENT.values(), ids=NO_EVENT)
def test_an_event_that_is_not_believed_is_told_as_rfc_8935_does(gateway, changes, err):
    reply = push(gateway, event(**changes))
    assert (reply.status, reply.json["err"]) == (400, err)
    assert reply.json["description"].endswith(".")
    assert reply.headers["content-language"] == "en"
    assert listed(gateway)["revocations"] == []


def test_an_event_of_another_media_type_is_refused(gateway):
    reply = push(gateway, event(), "application/json")
    assert (reply.status, reply.json["err"]) == (400, "invalid_request")


def test_where_no_issuer_has_an_audience_for_them_nothing_is_received(tmp_path, the_upstream):
    sections = revoking.configuration(tmp_path, the_upstream.url)
    del sections["issuers"][0]["logout_audience"], sections["issuers"][0]["event_audience"]
    with serving.running(tmp_path, sections) as gateway:
        for reply in (log_out(gateway, logout_token()), push(gateway, event())):
            refused(reply, "not_found", "openai")


def test_while_an_issuer_s_keys_are_not_known_it_is_asked_to_send_again(tmp_path, the_upstream):
    sections = revoking.configuration(tmp_path, the_upstream.url)
    (tmp_path / "keys.json").write_text("{}")
    with serving.running(tmp_path, sections) as gateway:
        for reply in (log_out(gateway, logout_token()), push(gateway, event())):
            assert (reply.status, reply.headers["retry-after"]) == (503, "1")
            assert reply.json["error"]["code"] == "issuer_unavailable"


def test_neither_signal_opens_anything(gateway):
    for credential in (logout_token(aud=AUDIENCE), event()):
        reply = gateway.post(CHAT.path, CHAT.body(), ("x-api-key", credential), authorised=False)
        CHAT.refused(reply, "wrong_token_kind")
