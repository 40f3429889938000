"""Opaque tokens of an OpenID certified provider, looked up by introspection."""

import json
import re

import pytest

from .parts import gateway as gateways
from .parts.native import native
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

CALL = {"model": "openai-gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
OK = (200, None)
ENDPOINT = "endpoint: {issuer}/token/introspection"
SIGNED = "client_secret: os.environ/SECRET\n  signed_response: true"
INTROSPECTION = """
introspection:
  {endpoint}
  client_id: {client}
  {credential}
  ttl: {ttl}
  negative_ttl: 0
  timeout: 5
"""


@pytest.fixture(scope="module")
def credentials(oidc_provider, tmp_path_factory):
    key = tmp_path_factory.mktemp("client") / "key.json"
    key.write_text(json.dumps(oidc_provider.client_key()))
    return {
        "client_secret_basic": ("gateway", "client_secret: os.environ/SECRET"),
        "private_key_jwt": ("gateway-jwt", f"private_key_file: {key}"),
        "a wrong secret": ("gateway", "client_secret: wrong"),
        "signed answers": ("gateway-signed", SIGNED),
        "signed answers with the secret": ("gateway-symmetric", SIGNED),
    }


@pytest.fixture(scope="module")
def config(oidc_provider, upstream, credentials):
    def config(method="client_secret_basic", ttl=1, *, endpoint=ENDPOINT):
        client, credential = credentials[method]
        endpoint = endpoint.format(issuer=oidc_provider.issuer)
        more = INTROSPECTION.format(
            endpoint=endpoint, client=client, credential=credential, ttl=ttl
        )
        return {
            **native(oidc_provider, upstream, more),
            "SECRET": "gateway-secret/+ &",
        }

    return config


@pytest.fixture(scope="module")
def lasting(config, tmp_path_factory):
    with gateways.running(tmp_path_factory.mktemp("lasting"), **config()) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def a_healthy_provider(oidc_provider):
    yield
    oidc_provider.key_server()


def call(gateway, token):
    """The status of a chat call, and the reason code if it is refused."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = ask(f"{gateway.url}/v1/chat/completions", body=CALL, headers=headers)
    return answer.status, answer.json()["error"]["code"] if answer.status != 200 else None


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_an_opaque_token_is_looked_up(start_gateway, config, oidc_provider, method):
    gateway = start_gateway(**config(method, ttl=3600))
    token = oidc_provider.token(resource="opaque")
    assert "." not in token
    before = oidc_provider.introspections()
    assert [call(gateway, token) for _ in range(3)] == [OK] * 3
    assert oidc_provider.introspections() - before == 1


def test_the_provider_s_metadata_name_the_endpoint(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config(endpoint=""))
    assert call(gateway, oidc_provider.token(resource="opaque")) == OK
    assert call(gateway, "made-up") == (401, "revoked")
    endpoint = f"{oidc_provider.issuer}/token/introspection"
    assert f"opaque tokens are looked up at {endpoint}" in gateway.log()


def test_answers_that_the_provider_signs_are_believed(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config("signed answers", endpoint=""))
    token = oidc_provider.token(resource="opaque")
    assert call(gateway, token) == OK
    assert call(gateway, oidc_provider.token("stranger", resource="opaque")) == (403, "no_role")
    assert call(gateway, "made-up") == (401, "revoked")
    oidc_provider.rotate()
    assert call(gateway, oidc_provider.token(resource="opaque")) == OK
    oidc_provider.revoke(token)
    wait_until(lambda: call(gateway, token) == (401, "revoked"), what="it is refused")


def test_an_answer_that_is_signed_with_the_secret_is_none(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config("signed answers with the secret"))
    token = oidc_provider.token(resource="opaque")
    assert call(gateway, token) == (503, "issuer_unavailable")
    assert "cannot be believed: algorithm_not_allowed" in gateway.log()
    assert call(gateway, oidc_provider.token()) == OK


def test_an_opaque_token_without_a_role_calls_nothing(lasting, oidc_provider):
    token = oidc_provider.token("stranger", resource="opaque")
    assert call(lasting, token) == (403, "no_role")


def test_a_revoked_token_is_refused_when_its_time_is_up(lasting, oidc_provider):
    token = oidc_provider.token(resource="opaque")
    assert call(lasting, token) == OK
    oidc_provider.revoke(token)
    wait_until(lambda: call(lasting, token) == (401, "revoked"), what="it is refused")


def test_a_made_up_token_is_refused(lasting):
    assert call(lasting, "made-up") == (401, "revoked")


def test_signed_tokens_are_not_looked_up(lasting, oidc_provider):
    before = oidc_provider.introspections()
    token = oidc_provider.token()
    assert call(lasting, token) == OK
    assert call(lasting, token[:-4] + "AAAA") == (401, "bad_signature")
    assert oidc_provider.introspections() == before


def test_an_outage_of_the_endpoint_is_a_503_and_passes(lasting, oidc_provider):
    signed, token = oidc_provider.token(), oidc_provider.token(resource="opaque")
    oidc_provider.key_server(down=True, introspection=True)
    assert call(lasting, token) == (503, "issuer_unavailable")
    assert call(lasting, signed) == OK
    oidc_provider.key_server(delay_ms=60_000, introspection=True)
    assert call(lasting, token) == (503, "issuer_unavailable")
    oidc_provider.key_server()
    assert call(lasting, token) == OK


def test_a_gateway_that_the_provider_does_not_know_is_its_own_fault(
    start_gateway, config, oidc_provider
):
    gateway = start_gateway(**config("a wrong secret"))
    token = oidc_provider.token(resource="opaque")
    assert call(gateway, token) == (503, "issuer_unavailable")
    assert "compare the gateway's client_id and client_auth" in gateway.log()
    assert token not in gateway.log()


def test_look_ups_are_counted(lasting, oidc_provider):
    call(lasting, oidc_provider.token(resource="opaque"))
    metrics = ask(f"{lasting.url}/metrics").body.decode()
    (made,) = re.findall(r"^rolecall_token_lookups_total{[^}]*} (\S+)$", metrics, re.MULTILINE)
    assert float(made) > 0
