"""Agents act for people with tokens that an OpenID certified provider has exchanged (RFC 8693)."""

import json

import pytest

from .parts import gateway as gateways
from .parts.native import COMPANY_KEY
from .parts.node_oidc_provider import AUDIENCE
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

OK = (200, None)
CONFIG = """
issuers:
  - issuer: {issuer}
    audience: {audience}
    introspection:
      endpoint: {issuer}/token/introspection
      client_id: gateway
      client_secret: os.environ/SECRET
    {demand}
roles: [{{role: user, any_of: [basic_user]}}]
rules:
  - {{allow: [user], models: [for-all]}}
  - {{allow: [user], models: [in-person], when: caller.actor == null}}
  - {{allow: [user], models: [for-planner], when: 'caller.actor.subject == "planner"'}}
models:
  - {{name: for-all, model: gpt-4o, api_base: "{upstream}", api_key: os.environ/COMPANY_KEY}}
  - {{name: in-person, model: gpt-4o, api_base: "{upstream}", api_key: os.environ/COMPANY_KEY}}
  - {{name: for-planner, model: gpt-4o, api_base: "{upstream}", api_key: os.environ/COMPANY_KEY}}
decisions: {{path: decisions.jsonl}}
{more}
"""


@pytest.fixture(scope="module")
def config(oidc_provider, upstream):
    """What a gateway is started with; ``demand`` is YAML for the issuer, ``more`` for the file."""

    def config(demand="", more=""):
        text = CONFIG.format(
            issuer=oidc_provider.issuer,
            audience=AUDIENCE,
            upstream=upstream.url,
            demand=demand,
            more=more.format(issuer=oidc_provider.issuer),
        )
        return {"config": text, "COMPANY_KEY": COMPANY_KEY, "SECRET": "gateway-secret/+ &"}

    return config


@pytest.fixture(scope="module")
def lasting(config, tmp_path_factory):
    with gateways.running(tmp_path_factory.mktemp("lasting"), **config()) as gateway:
        yield gateway


@pytest.fixture(scope="module", params=["RS256", "EdDSA", "opaque"])
def tokens(request, oidc_provider):
    """Jane's own token; with which the assistant acts for her; with which the planner does then."""
    jane = oidc_provider.sign_in("jane")
    assisted = oidc_provider.exchange(jane, "assistant", request.param)
    return jane, assisted, oidc_provider.exchange(assisted, "planner", request.param)


def call(gateway, token, model="for-all"):
    """The status of a chat call, and the reason code if it is refused."""
    answer = ask(
        f"{gateway.url}/v1/chat/completions",
        body={"model": model, "messages": [{"role": "user", "content": "hi"}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.status, answer.json()["error"]["code"] if answer.status != 200 else None


def test_the_subject_calls_and_its_actors_are_known(lasting, oidc_provider, tokens):
    def actor(name):
        return {"subject": name, "client": None, "issuer": oidc_provider.issuer}

    for token, actors in zip(
        tokens,
        ([], [actor("assistant")], [actor("planner"), actor("assistant")]),
        strict=True,
    ):
        headers = {"Authorization": f"Bearer {token}"}
        told = ask(f"{lasting.url}/whoami", headers=headers).json()
        assert (told["subject"], told["kind"], told["actors"]) == ("jane", "person", actors)


def test_rules_look_at_the_present_actor(lasting, tokens):
    refused = (403, "model_not_allowed")
    expected = {
        "for-all": [OK, OK, OK],
        "in-person": [OK, refused, refused],
        "for-planner": [refused, refused, OK],
    }
    for model, outcomes in expected.items():
        assert [call(lasting, token, model) for token in tokens] == outcomes


def test_subject_and_actors_are_written_down(start_gateway, config, tokens):
    gateway = start_gateway(**config())
    assert call(gateway, tokens[2]) == OK
    file = gateway.config_file.with_name("decisions.jsonl")
    line = wait_until(lambda: file.exists() and file.read_text(), what="the decision is written")
    assert '"subject":"jane","actors":[{"subject":"planner",' in line
    assert [one["subject"] for one in json.loads(line)["caller"]["actors"]] == [
        "planner",
        "assistant",
    ]


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("actor: forbidden", [OK, (401, "invalid_claim"), (401, "invalid_claim")]),
        ("actor: required", [(401, "invalid_claim"), OK, OK]),
        ("actors: [planner]", [OK, (401, "invalid_claim"), OK]),
    ],
)
def test_an_issuer_s_tokens_may_must_or_must_not_have_an_actor(
    start_gateway, config, tokens, demand, expected
):
    gateway = start_gateway(**config(demand))
    assert [call(gateway, token) for token in tokens] == expected


def test_an_agent_that_is_revoked_acts_for_nobody(start_gateway, config, tokens):
    more = "revocations: {{entries: [{{issuer: '{issuer}', sub: planner}}]}}"
    gateway = start_gateway(**config(more=more))
    assert [call(gateway, token) for token in tokens] == [OK, OK, (401, "revoked")]
