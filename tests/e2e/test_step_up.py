"""A person at Keycloak signs in again as the gateway's challenge says, and the call passes."""

import re

import pytest

from .parts.browser import Browser
from .parts.keycloak import CLIENT, URL_CLIENT, URL_CLIENT_SECRET
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

CONFIG = """
issuers:
  - issuer: {issuer}
    profile: keycloak
    audience: {client}
{more}
roles: [{{role: user, any_of: [basic_user]}}]
rules:
  - {{allow: [user], models: [open]}}
  - {{allow: [user], models: [vault], authentication: {{acr_values: [gold], max_age: 300}}}}
  - {{allow: [user], models: [fresh], authentication: {{max_age: 5}}}}
models:
  - {{name: open, provider: openai, model: gpt, api_base: {upstream}, api_key: key}}
  - {{name: vault, provider: openai, model: gpt, api_base: {upstream}, api_key: key}}
  - {{name: fresh, provider: openai, model: gpt, api_base: {upstream}, api_key: key}}
"""
INTROSPECTION = """
    introspection:
      endpoint: {issuer}/protocol/openid-connect/token/introspect
      client_id: {url_client}
      client_secret: os.environ/SECRET
      tokens: all
"""
STEP_UP = "chat-step-up"
PARAMETER = re.compile(r'(acr_values|max_age)="([^"]*)"')


@pytest.fixture(scope="module")
def client(keycloak):
    keycloak.add_step_up_client(STEP_UP)
    return STEP_UP


@pytest.fixture(params=["", INTROSPECTION], ids=["signed", "introspected"])
def gateway(request, start_gateway, keycloak, upstream):
    names = {
        "issuer": keycloak.issuer,
        "client": CLIENT,
        "url_client": URL_CLIENT,
        "upstream": upstream.url,
    }
    config = CONFIG.format(**names, more=request.param.format(**names))
    return start_gateway(config, SECRET=URL_CLIENT_SECRET)


def call(gateway, token, model):
    return ask(
        f"{gateway.url}/v1/chat/completions",
        body={"model": model, "messages": [{"role": "user", "content": "Hi"}]},
        headers={"Authorization": f"Bearer {token}"},
    )


def asked(refusal):
    """What a challenge wants to stand in the next authorization request."""
    assert refusal.status == 401, refusal.body
    assert refusal.json()["error"]["code"] == "insufficient_user_authentication"
    challenge = refusal.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    return dict(PARAMETER.findall(challenge))


def test_the_challenge_leads_to_a_stronger_sign_in(gateway, keycloak, client):
    ada = Browser(keycloak, client, "alice")
    token = ada.sign_in(acr_values="silver")
    assert ada.pages == 1
    assert call(gateway, token, "open").status == 200
    wanted = asked(call(gateway, token, "vault"))
    assert wanted == {"acr_values": "gold", "max_age": "300"}
    stronger = ada.sign_in(**wanted)
    assert ada.pages > 1
    assert call(gateway, stronger, "vault").status == 200
    assert call(gateway, token, "vault").status == 401


def test_and_to_a_more_recent_one(gateway, keycloak, client):
    ada = Browser(keycloak, client, "alice")
    token = ada.sign_in()
    wait_until(lambda: call(gateway, token, "fresh").status == 401, what="the sign-in is too old")
    wanted = asked(call(gateway, token, "fresh"))
    assert wanted == {"max_age": "5"}
    again = ada.sign_in(**wanted)
    assert ada.pages > 1
    assert call(gateway, again, "fresh").status == 200
