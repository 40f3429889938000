"""Rules that look at the call: what is refused, what is lowered, and what the upstream is sent."""

import pytest

from .parts import serving
from .parts.doors import CHAT, MESSAGES, TRANSLATED, WAYS
from .parts.tokens import token

every_way = pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)

RULES = [
    {
        "allow": ["strict"],
        "models": ["gpt", "claude"],
        "ceilings": {"max_tokens": 100, "n": 1, "tools": False, "inputs": []},
    },
    {
        "allow": ["lowered"],
        "models": ["gpt", "claude"],
        "ceilings": {"max_tokens": 50, "temperature": [0, 0.5], "tools": ["f"]},
        "on_exceed": "clamp",
    },
    {"allow": ["blue"], "models": ["gpt", "claude"], "when": 'headers["x-team"] == "blue"'},
    {"allow": ["home"], "models": ["gpt", "claude"], "when": 'source_ip.inCidr("127.0.0.0/8")'},
    {"allow": ["away"], "models": ["gpt", "claude"], "when": 'source_ip.inCidr("10.0.0.0/8")'},
    {"allow": ["early"], "models": ["gpt", "claude"], "not_before": "2100-01-01"},
    {"allow": ["late"], "models": ["gpt", "claude"], "expires": "2001-01-01"},
    {"allow": ["broken"], "models": ["gpt", "claude"], "when": 'claims.dept == "ml"'},
    {"allow": ["watched"], "models": ["gpt", "claude"]},
    {"deny": ["watched"], "models": ["*"], "when": "call.stream"},
]


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bounded")
    names = sorted({role for rule in RULES for role in (rule.get("allow") or rule["deny"])})
    sections = serving.configuration(
        folder,
        the_upstream.url,
        roles=[{"role": name} for name in names],
        rules=RULES,
        conditions={"headers": ["x-team"]},
    )
    with serving.running(folder, sections) as running:
        yield running


@pytest.fixture
def ask(gateway, upstream):
    """Call as one role."""

    def ask(role, door, *headers, **fields):
        body = {name: value for name, value in door.body(**fields).items() if value is not ...}
        key = ("x-api-key", token(role))
        return gateway.post(door.path, body, key, *headers, authorised=False)

    return ask


@every_way
def test_a_call_within_its_ceilings_is_forwarded_as_it_is(ask, upstream, door):
    assert ask("strict", door).status == 200
    assert upstream.last.json["max_tokens"] == 100


@every_way
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"max_tokens": 101}, "max_tokens is 101, allowed is at most 100"),
        ({"tools": [{"type": "bash_1", "name": "b"}]}, "tools is bash_1, allowed is none"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            "inputs is image, allowed is text",
        ),
    ],
    ids=["tokens", "tools", "inputs"],
)
def test_a_call_beyond_its_ceilings_is_refused(ask, upstream, door, fields, sentence):
    reply = ask("strict", door, **fields)
    assert sentence in door.refused(reply, "ceiling_exceeded")
    assert not upstream.received


def test_a_call_that_leaves_its_size_open_is_beyond_any(ask, upstream):
    reply = ask("strict", CHAT, max_tokens=...)
    assert "max_tokens is without a bound" in CHAT.refused(reply, "ceiling_exceeded")
    assert reply.json["error"]["param"] == "max_tokens"
    assert not upstream.received


@every_way
def test_the_upstream_is_sent_what_a_call_was_lowered_to(ask, upstream, door):
    tools = [{"name": name, "input_schema": {}} for name in "fg"]
    if door.form == "openai":
        tools = [{"type": "function", "function": {"name": name}} for name in "fg"]
    reply = ask("lowered", door, max_tokens=4096, temperature=1, tools=tools)
    assert reply.status == 200
    sent = upstream.last.json
    assert (sent["max_tokens"], sent["temperature"], len(sent["tools"])) == (50, 0.5, 1)


@pytest.mark.parametrize(
    ("door", "field"),
    [(CHAT, "max_completion_tokens"), (TRANSLATED, "max_tokens")],
    ids=["as it is", "translated"],
)
def test_a_bound_that_was_left_out_is_written(ask, upstream, door, field):
    assert ask("lowered", door, max_tokens=...).status == 200
    assert upstream.last.json[field] == 50


@every_way
def test_a_spelling_that_only_some_upstreams_read_is_refused(ask, upstream, door):
    reply = ask("lowered", door, maxTokens=9)
    assert "write max_tokens" in door.refused(reply, "invalid_request")
    assert not upstream.received


@every_way
def test_a_call_is_allowed_by_what_surrounds_it(ask, door):
    assert ask("blue", door, ("X-Team", "blue")).status == 200
    assert ask("blue", door, ("X-Team", " blue \t")).status == 200
    assert ask("home", door).status == 200


@pytest.mark.parametrize(
    ("role", "headers", "reason"),
    [
        ("blue", [("X-Team", "red")], "model_not_allowed"),
        ("blue", [], "condition_error"),
        ("blue", [("X-Team", "blue"), ("X-Team", "blue")], "invalid_request"),
        ("away", [], "model_not_allowed"),
        ("early", [], "model_not_allowed"),
        ("late", [], "model_not_allowed"),
        ("broken", [], "condition_error"),
    ],
)
def test_a_call_is_refused_by_what_surrounds_it(ask, upstream, role, headers, reason):
    MESSAGES.refused(ask(role, MESSAGES, *headers), reason)
    assert not upstream.received


def test_a_denial_may_look_at_the_body(ask):
    assert ask("watched", CHAT).status == 200
    CHAT.refused(ask("watched", CHAT, stream=True), "denied_by_rule")


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("strict", ["gpt", "claude"]),
        ("home", ["gpt", "claude"]),
        ("watched", ["gpt", "claude"]),
        ("away", []),
        ("late", []),
        ("broken", []),
    ],
)
def test_what_is_listed_is_what_can_be_called(gateway, role, names):
    key = ("x-api-key", token(role))
    reply = gateway.get("/v1/models", key, authorised=False)
    assert [entry["id"] for entry in reply.json["data"]] == names
    for name in ("gpt", "claude"):
        one = gateway.get(f"/v1/models/{name}", key, authorised=False)
        assert one.status == (200 if name in names else 403)
