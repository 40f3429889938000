"""Why, over HTTP: callers about themselves, administrators about anybody."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from .parts import serving
from .parts.doors import CHAT, WAYS, refused
from .parts.tokens import ISSUER, token

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "schema" / "explanation.json").read_text()
)


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explaining")
    sections = serving.configuration(
        folder,
        the_upstream.url,
        roles=[{"role": "user"}, {"role": "boss"}, {"role": "admin"}],
        rules=[
            {"allow": ["user"], "models": ["gpt"], "ceilings": {"max_tokens": 100}},
            {"allow": ["boss"], "models": ["claude"], "when": "now.getHours() < 6"},
            {"deny": ["*"], "models": ["*-preview"]},
            {"allow": ["user"], "models": ["claude"], "on_exceed": "clamp", "ceilings": {"n": 1}},
        ],
        explain={"administrators": ["admin"], "header": True},
    )
    with serving.running(folder, sections) as running:
        yield running


@pytest.fixture
def ask(gateway):
    """Ask as one role, and hold the answer to its schema."""

    def ask(role, **question):
        key = ("x-api-key", token(role))
        reply = gateway.post("/explain", question, key, authorised=False)
        if reply.status == 200:
            Draft202012Validator(SCHEMA).validate(reply.json)
        return reply

    return ask


@pytest.mark.parametrize(
    ("question", "decision", "reason"),
    [
        ({"model": "gpt", "body": {"max_tokens": 50}}, "allow", None),
        ({"model": "gpt"}, "deny", "ceiling_exceeded"),
        ({"body": {"model": "gpt", "max_tokens": 500}}, "deny", "ceiling_exceeded"),
        ({"model": "secret"}, "deny", "model_not_allowed"),
        ({"model": "x-preview", "endpoint": "messages"}, "deny", "denied_by_rule"),
    ],
)
def test_a_caller_asks_about_itself(ask, question, decision, reason):
    reply = ask("user", **question)
    assert (reply.status, reply.json["decision"], reply.json["reason"]) == (200, decision, reason)
    assert reply.headers["cache-control"] == "no-store"


def test_a_caller_sees_the_rules_of_its_own_roles(ask):
    subjects = [step["subject"] for step in ask("user", model="gpt").json["steps"]]
    assert any(subject.startswith("allow user") for subject in subjects)
    assert any(subject.startswith("deny *") for subject in subjects)
    assert not any("boss" in subject for subject in subjects)


def test_an_administrator_sees_all_rules(ask):
    subjects = [step["subject"] for step in ask("admin", model="gpt").json["steps"]]
    assert any(subject.startswith("allow boss") for subject in subjects)


@pytest.mark.parametrize(
    ("more", "decision", "reason"),
    [
        ({"at": "2026-03-01T03:00:00Z"}, "allow", None),
        ({"at": "2026-03-01T13:00:00Z"}, "deny", "model_not_allowed"),
    ],
)
def test_an_administrator_asks_about_anybody_at_any_time(ask, more, decision, reason):
    claims = {"iss": ISSUER, "sub": "eve", "roles": ["boss"]}
    reply = ask("admin", model="claude", claims=claims, **more)
    assert (reply.json["decision"], reply.json["reason"]) == (decision, reason)
    assert reply.json["roles"] == ["boss"]


@pytest.mark.parametrize("field", ["claims", "at", "source_ip", "headers"])
def test_others_are_for_administrators(ask, field):
    sentence = refused(ask("user", model="gpt", **{field: {}}), "model_not_allowed", "openai")
    assert sentence == f"You may ask about your own calls; {field} is for administrators."


@pytest.mark.parametrize(
    ("question", "param"),
    [
        ({"modle": "gpt"}, "modle"),
        ({"model": "gpt", "endpoint": "embeddings"}, "endpoint"),
        ({"model": "gpt", "body": []}, "body"),
        ({"model": "gpt", "body": {"max_tokens": "9"}}, "max_tokens"),
        ({"model": "gpt", "claims": []}, "claims"),
        ({"model": "gpt", "claims": {"iss": "https://evil.example", "sub": "x"}}, "claims"),
        ({"model": "gpt", "claims": {"roles": []}}, "claims"),
        ({"model": "gpt", "at": "noon"}, "at"),
        ({"model": "gpt", "headers": {"a": 1}}, "headers"),
    ],
)
def test_a_question_that_cannot_be_understood_is_a_400(ask, question, param):
    reply = ask("admin", **question)
    refused(reply, "invalid_request", "openai")
    assert reply.json["error"]["param"] == param


def test_a_question_without_a_model_or_a_token_is_refused(ask, gateway):
    refused(ask("user"), "model_missing", "openai")
    refused(gateway.post("/explain", {}, authorised=False), "missing_token", "openai")
    refused(gateway.post("/explain", []), "invalid_request", "openai")


@pytest.mark.parametrize("door", WAYS, ids=lambda door: door.name)
def test_an_answer_says_what_was_decided(gateway, upstream, door):
    def decision(**fields):
        key = ("x-api-key", token("user"))
        reply = gateway.post(door.path, door.body(**fields), key, authorised=False)
        return reply.headers["x-rolecall-decision"]

    assert decision().startswith('allow; rule="')
    assert decision(model="secret") == "deny; reason=model_not_allowed"
    assert decision(model="a-preview").startswith('deny; reason=denied_by_rule; rule="')


def test_an_answer_says_what_was_lowered(gateway, upstream):
    reply = gateway.post(
        CHAT.path, CHAT.body(model="claude", n=2), ("x-api-key", token("user")), authorised=False
    )
    assert reply.headers["x-rolecall-decision"].startswith("allow; exceeded=n; rule=")


def test_answers_say_nothing_of_it_unless_they_are_to(the_gateway, upstream):
    reply = the_gateway.post(CHAT.path, CHAT.body())
    assert "x-rolecall-decision" not in reply.headers
