"""Who has not signed in as a rule demands is told how to: by the answer's head, and in words."""

import json
import time

import pytest

from rolecall.core import Authentication, Reason, Refusal, step_up
from rolecall.gateway.challenge import compile_challenges

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS, MESSAGES
from .parts.tokens import token

both_endpoints = pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)

STEP_UP = "insufficient_user_authentication"
RULES = [
    {"allow": ["internal_user"], "models": ["chat-only"]},
    {
        "allow": ["internal_user"],
        "models": ["gpt", "claude"],
        "authentication": {"acr_values": ["gold", "silver"], "max_age": 300},
    },
    {
        "allow": ["internal_user"],
        "models": ["team/gpt"],
        "endpoints": ["messages"],
        "ceilings": {"max_tokens": 10},
        "authentication": {"acr_values": ["gold"]},
    },
    {"allow": ["internal_user"], "models": ["absent"], "authentication": {"max_age": 60}},
]
CHALLENGE = (
    'Bearer realm="rolecall", error="insufficient_user_authentication",'
    ' error_description="a sign-in with acr gold or silver, at most 300 s ago is needed",'
    ' acr_values="gold silver", max_age="300"'
)
TOLD = (
    "{model} needs a sign-in with acr gold or silver, at most 300 s ago, which your token does not"
    ' show; sign in again, with acr_values="gold silver" and max_age=300 in the request to your'
    " identity provider, and send the new token."
)


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("step-up")
    sections = serving.configuration(
        folder, the_upstream.url, rules=RULES, metrics={"roles": ["any"]}
    )
    with serving.running(folder, sections) as running:
        yield running


def signed_in(ago=None, **claims):
    """A token of somebody who has signed in so many seconds ago."""
    if ago is not None:
        claims["auth_time"] = int(time.time()) - ago
    return ("x-api-key", token("basic_user", **claims))


def models(gateway, key):
    reply = gateway.get("/v1/models", key, authorised=False)
    return [model["id"] for model in reply.json["data"]]


@both_endpoints
@pytest.mark.parametrize(
    "key",
    [
        signed_in(),
        signed_in(acr="gold"),
        signed_in(0),
        signed_in(0, acr="x"),
        signed_in(400, acr="gold"),
    ],
)
def test_a_call_is_refused_with_what_a_new_sign_in_must_be(gateway, upstream, door, key):
    reply = gateway.post(door.path, door.body(), key, authorised=False)
    assert door.refused(reply, STEP_UP, status=401) == TOLD.format(model=door.model)
    assert reply.headers["www-authenticate"] == CHALLENGE
    assert not upstream.received
    assert models(gateway, key) == ["chat-only"]


@both_endpoints
def test_and_passes_after_it(gateway, door):
    key = signed_in(5, acr="silver")
    assert gateway.post(door.path, door.body(), key, authorised=False).status == 200
    assert models(gateway, key) == ["gpt", "claude", "chat-only"]


def test_a_model_that_is_asked_for_by_its_name_needs_the_same_sign_in(gateway):
    reply = gateway.get("/v1/models/gpt", signed_in(), authorised=False)
    assert CHAT.refused(reply, STEP_UP) == TOLD.format(model="gpt")
    assert gateway.get("/v1/models/gpt", signed_in(0, acr="gold"), authorised=False).status == 200


def test_so_does_one_that_is_open_at_another_endpoint_and_within_bounds(gateway):
    reply = gateway.get("/v1/models/team/gpt", signed_in(), authorised=False)
    CHAT.refused(reply, STEP_UP)
    assert 'acr_values="gold"' in reply.headers["www-authenticate"]
    assert "max_age" not in reply.headers["www-authenticate"]


def test_a_sign_in_shows_nobody_what_is_served(gateway):
    """A name that a rule opens is told of in the same way, whether something serves it or not."""
    body = CHAT.body(model="absent")
    assert CHAT.refused(gateway.post(CHAT.path, body), STEP_UP)
    reply = gateway.post(CHAT.path, body, signed_in(0), authorised=False)
    CHAT.refused(reply, "model_not_found")


def test_what_no_rule_opens_needs_no_sign_in(gateway):
    reply = gateway.post(CHAT.path, CHAT.body(model="secret"))
    CHAT.refused(reply, "model_not_allowed")
    assert "acr_values" not in reply.headers["www-authenticate"]


def test_explain_says_what_is_demanded_and_what_the_token_says(gateway):
    reply = gateway.post("/explain", {"model": "gpt"}, signed_in(acr="1"), authorised=False)
    assert reply.json["reason"] == STEP_UP
    assert reply.json["authentication"] == {"acr_values": ["gold", "silver"], "max_age": 300}
    assert "the token says acr '1' and no auth_time" in json.dumps(reply.json["steps"])


def test_refusals_for_the_sake_of_a_sign_in_are_counted(gateway):
    def counted():
        text = gateway.get("/metrics").body.decode()
        (line,) = (one for one in text.splitlines() if one.startswith("rolecall_step_ups_total "))
        return float(line.partition(" ")[2])

    before = counted()
    gateway.post(MESSAGES.path, MESSAGES.body())
    assert counted() == before + 1


METADATA = "https://gw.example/.well-known/oauth-protected-resource"
DEMANDS = {
    "a class": (Authentication(("gold",)), ', acr_values="gold"'),
    "an age": (Authentication(max_age=5), ', max_age="5"'),
    "both": (Authentication(("a", "b"), 5), ', acr_values="a b", max_age="5"'),
}


@pytest.mark.parametrize(("demand", "parameters"), DEMANDS.values(), ids=DEMANDS)
def test_a_challenge_of_each_scheme_says_what_a_new_sign_in_must_be(demand, parameters):
    challenges = compile_challenges(METADATA, takes_proofs=True)
    ((name, value),) = challenges.of(step_up(demand, "gpt"))
    assert name == b"www-authenticate"
    told = (
        f', error="{STEP_UP}", error_description="a sign-in {demand.said} is needed"{parameters}'
        f', resource_metadata="{METADATA}"'
    )
    bearer, comma, dpop = value.decode().partition(", DPoP ")
    assert (bearer, comma) == (f'Bearer realm="rolecall"{told}', ", DPoP ")
    assert dpop.startswith('realm="rolecall", algs="')
    assert dpop.endswith(told)


def test_where_no_sign_in_would_help_there_is_no_such_challenge():
    challenges = compile_challenges(None, takes_proofs=False)
    ((_, value),) = challenges.of(Refusal(Reason.MODEL_NOT_ALLOWED, "No."))
    assert value.endswith(b', error="insufficient_scope", error_description="model_not_allowed"')
    assert challenges.of(Refusal(Reason.MODEL_NOT_FOUND, "No.")) == []
