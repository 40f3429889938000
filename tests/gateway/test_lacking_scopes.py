"""Who lacks a scope is told which, in the challenge and in words; others are told as ever."""

import pytest

from rolecall.core import Reason, Refusal
from rolecall.gateway.challenge import compile_challenges

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS, MESSAGES
from .parts.tokens import token

both_endpoints = pytest.mark.parametrize("door", ENDPOINTS, ids=lambda door: door.name)

RULES = [
    {"allow": ["internal_user"], "models": ["team/gpt"]},
    {
        "allow": ["internal_user"],
        "models": ["gpt", "claude", "absent"],
        "when": '"llm.big" in caller.scopes',
    },
    {
        "allow": ["reader"],
        "models": ["chat-only"],
        "ceilings": {"max_tokens": 100, "tools": False},
    },
    {"allow": ["internal_user"], "models": ["secret"], "when": "source_ip == headers['x-ip']"},
    {"allow": ["admin"], "models": ["*"]},
]


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scopes")
    sections = serving.configuration(
        folder,
        the_upstream.url,
        rules=RULES,
        roles=[
            {"role": "internal_user", "any_of": ["basic_user"]},
            {"role": "reader", "scopes": ["llm.read"]},
            {"role": "admin", "scopes": ["admin"]},
        ],
        conditions={"headers": ["x-ip"]},
    )
    sections["issuers"][0]["scopes"] = ["scope"]
    with serving.running(folder, sections) as running:
        yield running


def challenge(reply):
    return reply.headers["www-authenticate"]


@both_endpoints
def test_c34_a_challenge_names_the_scope_with_which_the_call_passes(gateway, door):
    reply = gateway.post(door.path, door.body())
    assert door.refused(reply, "model_not_allowed").endswith(
        " You may call: team/gpt. A token with the scope llm.big would do."
    )
    assert challenge(reply) == (
        'Bearer realm="rolecall", error="insufficient_scope",'
        ' error_description="model_not_allowed", scope="llm.big"'
    )
    key = ("x-api-key", token("basic_user", scope="openid llm.big"))
    assert gateway.post(door.path, door.body(), key, authorised=False).status == 200


def test_c34_so_it_does_to_whoever_has_no_role_yet(gateway):
    body = CHAT.body(model="chat-only", max_tokens=9)
    reply = gateway.post(CHAT.path, body, ("x-api-key", token()), authorised=False)
    CHAT.refused(reply, "no_role")
    assert challenge(reply).endswith('scope="llm.read"')
    key = ("x-api-key", token(scope="llm.read"))
    assert gateway.post(CHAT.path, body, key, authorised=False).status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"model": "other"},
        {"model": "chat-only", "max_tokens": 101},
        {"model": "chat-only", "maxTokens": 9},
    ],
    ids=["a model that only all-powerful roles call", "too much", "a spelling that is refused"],
)
def test_c34_a_scope_that_would_not_do_is_not_named(gateway, fields):
    reply = gateway.post(CHAT.path, CHAT.body(**fields))
    assert reply.status in {400, 403}
    assert "scope=" not in reply.headers.get("www-authenticate", "")
    assert "scope" not in reply.json["error"]["message"]


def test_c34_a_header_that_is_sent_twice_takes_the_scope_away_and_no_more(gateway):
    twice = [("x-ip", "1"), ("x-ip", "2"), ("x-api-key", token())]
    reply = gateway.post(CHAT.path, CHAT.body(), *twice, authorised=False)
    CHAT.refused(reply, "no_role")
    assert "scope=" not in challenge(reply)


def test_c34_a_scope_shows_nobody_what_is_served(gateway):
    """Of a name that a rule speaks of the same is told, whether something serves it or not."""
    served, absent = (
        gateway.post(CHAT.path, CHAT.body(model=model)) for model in ("gpt", "absent")
    )
    assert challenge(served) == challenge(absent)
    assert CHAT.refused(served, "model_not_allowed").replace("gpt", "absent", 1) == CHAT.refused(
        absent, "model_not_allowed"
    )


def test_anthropic_s_clients_are_told_in_their_own_form(gateway):
    reply = gateway.post(MESSAGES.path, MESSAGES.body())
    assert reply.json["error"]["type"] == "permission_error"
    assert reply.json["error"]["message"].endswith("A token with the scope llm.big would do.")


def test_c34_a_challenge_of_each_scheme_names_the_scopes():
    challenges = compile_challenges("https://gw.example/m", takes_proofs=True)
    ((_, value),) = challenges.of(Refusal(Reason.NO_ROLE, "No.", scopes=("a", "b")))
    told = (
        ', error="insufficient_scope", error_description="no_role", scope="a b",'
        ' resource_metadata="https://gw.example/m"'
    )
    bearer, _, dpop = value.decode().partition(", DPoP ")
    assert bearer == f'Bearer realm="rolecall"{told}'
    assert dpop.startswith('realm="rolecall", algs="')
    assert dpop.endswith(told)
