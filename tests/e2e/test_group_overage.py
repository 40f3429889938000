"""Groups that a token has no room for: the development provider's Entra tokens, and its Graph."""

import subprocess
import sys

import pytest

from rolecall.demo.idp import DevelopmentIdP

from .parts import gateway as gateways
from .parts.process import environment
from .parts.web import ask

pytestmark = pytest.mark.e2e

SECRET = "gateway-development-secret"
CALL = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
CONFIG = """
issuers:
  - profile: entra
    issuer: {idp.issuer}
    audience: {idp.audience}
    group_overage:
      client_id: {idp.audience}
      client_secret: os.environ/GRAPH_SECRET
      endpoint: {idp.base_url}
metrics: {{roles: any}}
roles:
  - role: staff
    groups: [{group}]
rules:
  - allow: [staff]
    models: [gpt-4o]
models:
  - name: gpt-4o
    model: openai/gpt-4o
    api_base: {upstream}
    api_key: company-key
"""


@pytest.fixture(scope="module")
def idp():
    with DevelopmentIdP.start("entra") as idp:
        yield idp


@pytest.fixture(scope="module")
def config(idp, upstream):
    group = idp.directory.user("carol").groups[-1]
    return CONFIG.format(idp=idp, group=group, upstream=upstream.url)


@pytest.fixture(scope="module")
def gateway(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    with gateways.running(folder, config, workers=2, GRAPH_SECRET=SECRET) as gateway:
        yield gateway


def sign_in(idp, name):
    form = {
        "grant_type": "password",
        "client_id": idp.client.client_id,
        "username": name,
        "password": name,
        "scope": "openid",
    }
    return ask(idp.token_url, form=form).json()["access_token"]


def call(gateway, token):
    """The status of a call, and the reason code if it is refused."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = ask(f"{gateway.url}/v1/chat/completions", body=CALL, headers=headers)
    return answer.status, answer.json()["error"]["code"] if answer.status != 200 else None


def test_whoever_is_in_250_groups_calls_by_the_last_of_them(gateway, idp):
    token = sign_in(idp, "carol")
    assert [call(gateway, token) for _ in range(5)] == [(200, None)] * 5
    told = ask(f"{gateway.url}/whoami", headers={"Authorization": f"Bearer {token}"}).json()
    assert told["roles"][0]["role"] == "staff"
    assert "has no room for its groups" in told["notes"][0]
    metrics = ask(f"{gateway.url}/metrics").body.decode()
    found = [line for line in metrics.splitlines() if 'result="found"' in line]
    assert found
    # each process asks for itself, and once
    assert all(float(line.split()[-1]) <= 1 for line in found)


def test_others_are_asked_about_nowhere(gateway, idp):
    assert call(gateway, sign_in(idp, "alice")) == (403, "no_role")


def test_a_gateway_that_graph_does_not_know_lets_nobody_pass_without_groups(config, idp, tmp_path):
    with gateways.running(tmp_path, config, GRAPH_SECRET="wrong") as gateway:
        assert call(gateway, sign_in(idp, "carol")) == (503, "issuer_unavailable")
        assert "groups cannot be looked up" in gateway.log()
        assert "(invalid_client)" in gateway.log()


def inspect(file, token, **env):
    command = [sys.executable, "-m", "rolecall", "token", "inspect", "-c", str(file), token]
    done = subprocess.run(
        command, env=environment(**env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return " ".join(done.stdout.split())


def test_token_inspect_asks_as_the_gateway_does(config, idp, tmp_path):
    file = tmp_path / "gw.yaml"
    file.write_text(config)
    token = sign_in(idp, "carol")
    assert "groups passed Microsoft Graph names 250" in inspect(file, token, GRAPH_SECRET=SECRET)
    assert "groups skipped" in inspect(file, token)
