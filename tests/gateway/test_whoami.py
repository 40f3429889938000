"""``GET /whoami``: callers about themselves."""

import time
from hashlib import sha256

import pytest

from .parts import serving
from .parts.doors import refused
from .parts.tokens import ISSUER, token

KEY = "rolecall_" + "c3" * 32
ENTRY = {
    "hash": f"sha256:{sha256(KEY.encode()).hexdigest()}",
    "subject": "nightly",
    "roles": ["internal_user"],
    "expires": "never",
}


def ask(gateway, credential):
    reply = gateway.get("/whoami", ("x-api-key", credential), authorised=False)
    assert reply.status == 200
    assert reply.headers["cache-control"] == "no-store"
    assert credential not in reply.body.decode()
    return reply.json


def test_a_caller_is_told_what_the_gateway_knows(gateway):
    until = int(time.time()) + 600
    assert ask(gateway, token("basic_user", "other", azp="ui", exp=until)) == {
        "issuer": ISSUER,
        "subject": "john",
        "actors": [],
        "kind": "person",
        "client": "ui",
        "roles": [{"role": "internal_user", "from": ["claim roles = 'basic_user'"]}],
        "notes": [],
        "models": names(gateway),
        "expires": until,
    }


def test_c47_a_caller_is_told_who_acts_with_the_token_and_who_did_before(gateway):
    act = {"sub": "planner", "act": {"client_id": "chat", "iss": "https://a.example"}}
    assert ask(gateway, token("basic_user", act=act))["actors"] == [
        {"subject": "planner", "client": None, "issuer": ISSUER},
        {"subject": None, "client": "chat", "issuer": "https://a.example"},
    ]


def names(gateway):
    return [model["id"] for model in gateway.get("/v1/models").json["data"]]


def test_whoever_has_no_role_is_told_so(gateway):
    told = ask(gateway, token("nobody"))
    assert (told["roles"], told["models"], told["client"]) == ([], [], None)


def test_whoever_has_no_role_because_of_a_claim_s_type_is_told_so(gateway):
    told = ask(gateway, token(roles="basic_user"))
    assert (told["roles"], told["models"]) == ([], [])
    assert told["notes"] == ["roles is not a list of strings, and gives no role"]


def test_nobody_is_told_without_a_token(gateway):
    refused(gateway.get("/whoami", authorised=False), "missing_token", "openai")


def test_claims_that_json_escapes_arrive_as_they_are(gateway):
    assert ask(gateway, token("basic_user", sub='"ä\u2028\n'))["subject"] == '"ä\u2028\n'


@pytest.fixture
def with_a_condition(tmp_path, upstream):
    sections = serving.configuration(
        tmp_path,
        upstream.url,
        keys=[ENTRY],
        conditions={"headers": ["x-team"]},
        rules=[
            {"allow": ["internal_user"], "models": ["gpt"]},
            {
                "allow": ["internal_user"],
                "models": ["claude"],
                "when": 'headers["x-team"] == "ml"',
            },
        ],
    )
    with serving.running(tmp_path, sections) as running:
        yield running


def test_models_are_those_of_the_moment(with_a_condition):
    held = ("x-api-key", token("basic_user"))
    ask = with_a_condition.get
    assert ask("/whoami", held, authorised=False).json["models"] == ["gpt"]
    of_the_team = ask("/whoami", held, ("x-team", "ml"), authorised=False)
    assert of_the_team.json["models"] == ["gpt", "claude"]


def test_a_static_key_that_never_expires(with_a_condition):
    told = ask(with_a_condition, KEY)
    assert told["subject"] == "nightly"
    assert told["expires"] is None
    assert told["roles"] == [{"role": "internal_user", "from": ["the static key"]}]
