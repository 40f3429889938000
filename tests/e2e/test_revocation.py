"""Who signs out at Keycloak is signed out here, in every worker; who signs in again is welcome."""

import pytest

from .parts.keycloak import CLIENT
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

CHAT_UI = "chat-ui"
WORKERS = 2
ASKED = 8 * WORKERS
CONFIG = """
issuers:
  - issuer: {issuer}
    profile: keycloak
    audience: {audience}
    logout_audience: {client}
roles: [{{role: user, any_of: [basic_user]}}]
rules: [{{allow: [user], models: ["*"]}}]
models: [{{name: gpt, provider: openai, model: gpt, api_base: "http://127.0.0.1:9", api_key: key}}]
revocations: {{file: {file}}}
"""


def said(gateway, tokens):
    """What the gateway says of a token: its workers take turns, as the system pleases."""
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    answer = ask(f"{gateway.url}/v1/models", headers=headers)
    return answer.json()["error"]["code"] if answer.status != 200 else "accepted"


def test_a_back_channel_logout_ends_the_session_and_no_other(keycloak, start_gateway, tmp_path):
    config = CONFIG.format(
        issuer=keycloak.issuer, audience=CLIENT, client=CHAT_UI, file=tmp_path / "revocations.db"
    )
    gateway = start_gateway(config, workers=WORKERS)
    keycloak.add_client(CHAT_UI, f"{gateway.url}/backchannel-logout")
    desk, phone = (keycloak.sign_in("alice", CHAT_UI) for _ in range(2))
    for tokens in (desk, phone):
        assert {said(gateway, tokens) for _ in range(ASKED)} == {"accepted"}
    keycloak.sign_out(desk, CHAT_UI)
    wait_until(
        lambda: {said(gateway, desk) for _ in range(ASKED)} == {"revoked"},
        what="every worker knows",
    )
    assert said(gateway, phone) == "accepted"
    assert said(gateway, keycloak.sign_in("alice", CHAT_UI)) == "accepted"
