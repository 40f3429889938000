"""The way of a request: what policy says, and what the upstream is sent."""

import json
from hashlib import sha256

import pytest

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS, MESSAGES, TRANSLATED, WAYS, refused
from .parts.http import message
from .parts.serving import ROLES
from .parts.tokens import token

both_endpoints = pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)
every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)

KEYS = {"rolecall_" + "a1" * 32: "internal_user", "sk-master-key-of-the-tests": "proxy_admin"}
CALLABLE = ["gpt", "claude", "hasty-gpt", "hasty-claude", "team/gpt", "chat-only"]


@both_endpoints
@pytest.mark.parametrize("roles", [(), ("stranger",), ("internal_user",), ("BASIC_USER",)])
def test_a_caller_without_a_role_is_a_403_that_says_so(gateway, upstream, door, roles):
    key = ("x-api-key", token(*roles))
    reply = gateway.post(door.path, door.body(), key, authorised=False)
    assert "no role" in door.refused(reply, "no_role")
    assert not upstream.received


@both_endpoints
def test_a_role_without_rules_calls_nothing(gateway, upstream, door):
    key = ("x-api-key", token("guest"))
    reply = gateway.post(door.path, door.body(), key, authorised=False)
    assert door.refused(reply, "model_not_allowed").endswith("You may call none.")
    assert not upstream.received


@both_endpoints
def test_a_403_lists_what_may_be_called(gateway, upstream, door):
    sentence = door.refused(gateway.post(door.path, door.body(model="secret")), "model_not_allowed")
    assert sentence == (
        f"Your roles (internal_user) do not allow secret. You may call: {', '.join(CALLABLE)}."
    )
    assert not upstream.received


@both_endpoints
def test_a_refusal_does_not_tell_whether_a_model_exists(gateway, door):
    existing, unknown = (
        gateway.post(door.path, door.body(model=model)) for model in ("secret", "secreT")
    )
    assert existing.status == unknown.status
    assert existing.headers.keys() == unknown.headers.keys()
    assert existing.headers["www-authenticate"] == unknown.headers["www-authenticate"]
    one, other = (
        reply.body.replace(reply.headers["x-request-id"].encode(), b"")
        for reply in (existing, unknown)
    )
    assert one.replace(b"secret", b"secreT") == other


@both_endpoints
@pytest.mark.parametrize(
    "model",
    [
        "GPT",
        " gpt",
        "gpt ",
        "gpt\u200b",
        "gpt\x00",
        "\uff47\uff50\uff54",
        "openai/gpt",
        "gpt:latest",
    ],
)
def test_a_name_that_is_merely_similar_is_another_model(gateway, upstream, door, model):
    door.refused(gateway.post(door.path, door.body(model=model)), "model_not_allowed")
    assert not upstream.received


@both_endpoints
def test_a_model_that_is_allowed_and_served_by_nothing_is_a_404(gateway, upstream, door):
    sentence = door.refused(gateway.post(door.path, door.body(model="ghost")), "model_not_found")
    assert "no upstream serves it" in sentence
    assert not upstream.received


@both_endpoints
def test_deny_wins(gateway, upstream, door):
    reply = gateway.post(door.path, door.body(model="team/forbidden"))
    door.refused(reply, "denied_by_rule")
    assert not upstream.received


def test_a_model_may_be_allowed_at_one_endpoint_only(gateway, upstream):
    assert gateway.post(CHAT.path, CHAT.body(model="chat-only")).status == 200
    upstream.forget()
    reply = gateway.post(MESSAGES.path, MESSAGES.body(model="chat-only"))
    MESSAGES.refused(reply, "endpoint_not_allowed")
    assert not upstream.received


def test_a_model_that_another_endpoint_serves_says_where(gateway, upstream):
    reply = gateway.post(MESSAGES.path, MESSAGES.body(model="gpt"))
    sentence = MESSAGES.refused(reply, "invalid_request")
    assert sentence.endswith("call it at /v1/chat/completions.")
    assert not upstream.received


@every_way
def test_a_call_reaches_the_upstream_under_the_upstreams_name(gateway, upstream, door):
    assert gateway.post(door.path, door.body()).status == 200
    assert upstream.last.method == "POST"
    assert upstream.last.target == door.upstream_path
    assert upstream.last.json["model"] == door.upstream_model


VALUES = {
    "0.2": 0.2,
    "1e2": 1e2,
    "1.0": 1.0,
    "1": 1,
    "-0.0": -0.0,
    "0.1000000000000000055511151231257827": 0.1,
    "9007199254740993": 9007199254740993,
    "12345678901234567890123": 12345678901234567890123,
    "-12345678901234567890123": -12345678901234567890123,
    '"Zo\\u00eb \\ud83d\\udc4b \\u2028 \\" \\\\ \\u0000"': 'Zoë 👋 \u2028 " \\ \x00',
    '"café"': "café",
    "[]": [],
    "{}": {},
    "null": None,
    '{"b":1,"a":[true,false,null]}': {"b": 1, "a": [True, False, None]},
}


@every_way
@pytest.mark.parametrize(("written", "value"), VALUES.items(), ids=VALUES)
def test_values_and_unknown_fields_arrive_as_they_were_sent(
    gateway, upstream, door, written, value
):
    body = json.dumps(door.body())[:-1] + ', "a_field_of_tomorrow": ' + written + "}"
    assert gateway.post(door.path, body.encode()).status == 200
    arrived = upstream.last.json["a_field_of_tomorrow"]
    assert repr(arrived) == repr(value)


@both_endpoints
def test_what_is_forwarded_is_written_anew_from_what_was_read(gateway, upstream, door):
    body = b' {"mod\\u0065l" : "%s",\n "messages":[ ] , "x" :1e2,"y":"\\u00e9"} '
    gateway.post(door.path, body % door.model.encode())
    assert upstream.last.body == (
        b'{"model":"%s","messages":[],"x":100.0,"y":"\xc3\xa9"}' % door.upstream_model.encode()
    )
    assert upstream.last.header("content-length") == [str(len(upstream.last.body))]


NEVER_FORWARDED = [
    ("Cookie", "session=1"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-User", "admin"),
    ("X_Forwarded_User", "admin"),
    ("X-Forwarded-Uri", "/v1/models"),
    ("Forwarded", "for=10.0.0.1"),
    ("X-Real-IP", "10.0.0.1"),
    ("X-Original-URL", "/admin"),
    ("X-Auth-Request-User", "admin"),
    ("X-Remote-User", "admin"),
    ("X-Rolecall-Subject", "admin"),
    ("OpenAI-Organization", "org-evil"),
    ("OpenAI-Project", "proj-evil"),
    ("Proxy-Authorization", "Basic x"),
    ("X-Litellm-Model", "secret"),
    ("X-Portkey-Config", "{}"),
    ("X-Model", "secret"),
    ("X-HTTP-Method-Override", "GET"),
    ("Referer", "https://gateway.example/"),
    ("Origin", "https://gateway.example"),
    ("Accept-Encoding", "gzip"),
    ("TE", "trailers"),
    ("X-Stainless-Lang", "python"),
]
COMPANY_KEYS = {
    "chat": ("authorization", "Bearer sk-openai-company"),
    "messages": ("x-api-key", "sk-ant-company"),
    "translated": ("x-api-key", "sk-ant-company"),
}


@every_way
@pytest.mark.parametrize("header", ["Authorization", "x-api-key", "api-key", "x-goog-api-key"])
def test_the_upstream_gets_the_companys_key_and_never_the_callers_token(
    gateway, upstream, door, header
):
    prefix = "Bearer " if header == "Authorization" else ""
    credential = (header, prefix + gateway.token)
    assert gateway.post(door.path, door.body(), credential, authorised=False).status == 200
    sent = {name.lower(): value for name, value in upstream.last.headers}
    keys = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
    assert [(name, sent[name]) for name in keys if name in sent] == [COMPANY_KEYS[door.name]]
    assert gateway.token not in str(upstream.last)


@every_way
def test_headers_that_the_upstream_has_no_use_for_stay_here(gateway, upstream, door):
    assert gateway.post(door.path, door.body(), *NEVER_FORWARDED).status == 200
    allowed = {"host", "content-type", "content-length", "accept-encoding", "anthropic-version"}
    assert upstream.last.names - {COMPANY_KEYS[door.name][0]} <= allowed
    assert upstream.last.header("accept-encoding") == ["identity"]


@every_way
def test_headers_that_the_upstream_understands_pass(gateway, upstream, door):
    passed = {
        "accept": "application/json",
        "user-agent": "Anthropic/Python 2.12.0",
        "idempotency-key": "once",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "tracestate": "a=b",
    }
    gateway.post(door.path, door.body(), *passed.items())
    assert {name: upstream.last.header(name) for name in passed} == {
        name: [value] for name, value in passed.items()
    }


def test_anthropics_version_is_the_callers_or_else_a_default(gateway, upstream):
    gateway.post(MESSAGES.path, MESSAGES.body(), ("anthropic-version", "2026-10-21"))
    assert upstream.last.header("anthropic-version") == ["2026-10-21"]
    upstream.forget()
    gateway.post(MESSAGES.path, MESSAGES.body())
    assert upstream.last.header("anthropic-version") == ["2023-06-01"]


def test_anthropics_version_of_a_translated_call_is_the_translations(gateway, upstream):
    gateway.post(TRANSLATED.path, TRANSLATED.body(), ("anthropic-version", "2026-10-21"))
    assert upstream.last.header("anthropic-version") == ["2023-06-01"]


@pytest.mark.parametrize(
    ("door", "header", "passes"),
    [
        (CHAT, "openai-beta", True),
        (CHAT, "anthropic-beta", False),
        (MESSAGES, "anthropic-beta", True),
        (MESSAGES, "openai-beta", False),
        (TRANSLATED, "anthropic-beta", False),
        (TRANSLATED, "openai-beta", False),
    ],
)
def test_a_vendors_beta_header_goes_to_that_vendor(gateway, upstream, door, header, passes):
    gateway.post(door.path, door.body(), (header, "a-1"), (header, "b-2"))
    assert upstream.last.header(header) == (["a-1", "b-2"] if passes else [])


@pytest.mark.parametrize(
    ("door", "query"),
    [(CHAT, "api-version=1&x=a%20b%2F"), (MESSAGES, "beta=true")],
    ids=["chat", "messages"],
)
def test_a_query_is_forwarded_as_it_was_written(gateway, upstream, door, query):
    assert gateway.post(f"{door.path}?{query}", door.body()).status == 200
    assert upstream.last.target == f"{door.upstream_path}?{query}"


def test_the_query_of_a_translated_call_means_nothing_to_its_upstream(gateway, upstream):
    assert gateway.post(f"{TRANSLATED.path}?api-version=1", TRANSLATED.body()).status == 200
    assert upstream.last.target == "/v1/messages"


@both_endpoints
def test_bytes_of_all_kinds_in_the_query_do_no_harm(gateway, upstream, door):
    query = "".join(chr(code) for code in range(0x21, 0x100) if chr(code) != "#")
    data = message(
        "POST",
        f"{door.path}?{query}",
        [("Content-Type", "application/json"), ("x-api-key", gateway.token)],
        json.dumps(door.body()).encode(),
    )
    assert gateway.raw(data).status in {200, 400}


@pytest.mark.parametrize(("target", "one"), [("/v1/models", False), ("/v1/models/gpt", True)])
def test_models_are_shown_in_openais_shape(gateway, target, one):
    model = {"id": "gpt", "object": "model", "created": 0, "owned_by": "rolecall"}
    answer = gateway.get(target).json
    if one:
        assert answer == model
    else:
        assert answer["object"] == "list"
        assert answer["data"][0] == model
        assert [entry["id"] for entry in answer["data"]] == CALLABLE


@pytest.mark.parametrize(("target", "one"), [("/v1/models", False), ("/v1/models/gpt", True)])
def test_models_are_shown_in_anthropics_shape_to_anthropics_clients(gateway, target, one):
    model = {
        "type": "model",
        "id": "gpt",
        "display_name": "gpt",
        "created_at": "1970-01-01T00:00:00Z",
    }
    answer = gateway.get(target, ("anthropic-version", "2023-06-01")).json
    if one:
        assert answer == model
    else:
        assert answer["data"][0] == model
        assert [entry["id"] for entry in answer["data"]] == CALLABLE
        assert (answer["has_more"], answer["first_id"], answer["last_id"]) == (
            False,
            CALLABLE[0],
            CALLABLE[-1],
        )


def test_what_is_listed_is_exactly_what_can_be_called(gateway):
    listed = {entry["id"] for entry in gateway.get("/v1/models").json["data"]}
    every = [*CALLABLE, "team/forbidden", "secret", "ghost", "nothing"]
    called = {
        name
        for name in every
        for door in ENDPOINTS
        if gateway.post(door.path, door.body(model=name)).status == 200
    }
    shown = {name for name in every if gateway.get(f"/v1/models/{name}").status == 200}
    assert listed == called == shown


@pytest.mark.parametrize("target", ["/v1/models/team/gpt", "/models/team%2Fgpt"])
def test_the_id_of_a_model_may_hold_slashes(gateway, target):
    assert gateway.get(target).json["id"] == "team/gpt"


@pytest.mark.parametrize(
    ("headers", "form"), [((), "openai"), ((("anthropic-version", "1"),), "anthropic")]
)
@pytest.mark.parametrize(
    ("target", "roles", "reason"),
    [
        ("/v1/models", (), "no_role"),
        ("/v1/models/gpt", (), "no_role"),
        ("/v1/models/secret", ROLES, "model_not_allowed"),
        ("/v1/models/nothing", ROLES, "model_not_allowed"),
        ("/v1/models/team/forbidden", ROLES, "denied_by_rule"),
        ("/v1/models/ghost", ROLES, "model_not_found"),
        ("/v1/models/gpt", ("guest",), "model_not_allowed"),
    ],
)
def test_a_model_that_cannot_be_called_is_not_shown(gateway, headers, form, target, roles, reason):  # noqa: PLR0917 - columns of a table
    key = ("x-api-key", token(*roles))
    reply = gateway.get(target, key, *headers, authorised=False)
    refused(reply, reason, form)


def test_a_role_without_rules_sees_an_empty_list(gateway):
    reply = gateway.get("/v1/models", ("x-api-key", token("guest")), authorised=False)
    assert reply.json == {"object": "list", "data": []}


@pytest.fixture
def with_keys(tmp_path, upstream):
    """A gateway that knows static keys beside its issuer."""
    static, master = KEYS
    sections = serving.configuration(
        tmp_path,
        upstream.url,
        keys=[
            {
                "hash": f"sha256:{sha256(static.encode()).hexdigest()}",
                "subject": "nightly",
                "roles": [KEYS[static]],
                "expires": "never",
            }
        ],
        general_settings={"master_key": master},
    )
    with serving.running(tmp_path, sections) as running:
        yield running


@every_way
def test_a_static_key_calls_what_its_roles_allow_and_never_goes_upstream(with_keys, upstream, door):
    (key, _) = KEYS
    for header in (("x-api-key", key), ("Authorization", f"Bearer {key}")):
        assert with_keys.post(door.path, door.body(), header, authorised=False).status == 200
        (received,) = upstream.received
        assert key not in str(received)
        upstream.forget()


@both_endpoints
def test_the_master_key_calls_nothing_that_no_rule_gives_it(with_keys, upstream, door):
    (_, master) = KEYS
    reply = with_keys.post(door.path, door.body(), ("x-api-key", master), authorised=False)
    assert "(proxy_admin)" in door.refused(reply, "model_not_allowed")
    assert not upstream.received


@both_endpoints
def test_two_good_credentials_of_two_callers_are_a_conflict(with_keys, door):
    reply = with_keys.post(door.path, door.body(), ("x-api-key", next(iter(KEYS))))
    door.refused(reply, "conflicting_credentials")
