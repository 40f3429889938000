"""Tokens of an OpenID certified provider, while its keys turn and its key server fails."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from .parts import gateway as gateways
from .parts.native import native
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

CALL = {"model": "openai-gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def config(oidc_provider, upstream):
    return native(oidc_provider, upstream)


@pytest.fixture(scope="module")
def lasting(config, tmp_path_factory):
    """A gateway for the tests that leave its keys alone."""
    with gateways.running(tmp_path_factory.mktemp("lasting"), **config) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def a_healthy_key_server(oidc_provider):
    yield
    oidc_provider.key_server()


def call(gateway, token):
    """The status of a chat call, and the reason code if it is refused."""
    answer = ask(
        f"{gateway.url}/v1/chat/completions",
        body=CALL,
        headers={"Authorization": f"Bearer {token}"},
    )
    code = answer.json()["error"]["code"] if answer.status != 200 else None
    return answer.status, code


OK = (200, None)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_algorithm_is_accepted(lasting, oidc_provider, algorithm):
    assert call(lasting, oidc_provider.token(resource=algorithm)) == OK


def test_roles_may_be_nested_under_a_url(lasting, oidc_provider):
    assert call(lasting, oidc_provider.token("nested")) == OK


def test_a_client_without_a_role_calls_nothing(lasting, oidc_provider):
    assert call(lasting, oidc_provider.token("stranger")) == (403, "no_role")


def test_a_token_for_another_audience_is_refused(lasting, oidc_provider):
    token = oidc_provider.token(resource="elsewhere")
    assert call(lasting, token) == (401, "wrong_audience")


def test_the_first_token_of_a_new_key_is_accepted(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config)
    old = oidc_provider.token()
    oidc_provider.rotate()
    assert call(gateway, oidc_provider.token()) == OK
    assert call(gateway, old) == OK


def test_a_key_that_is_withdrawn_takes_its_tokens_along(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config)
    old = oidc_provider.token()
    assert call(gateway, old) == OK
    oidc_provider.rotate()
    oidc_provider.drop_old_keys()
    assert call(gateway, oidc_provider.token()) == OK
    assert call(gateway, old) == (401, "unknown_key")


def test_callers_with_a_new_key_share_one_fetch(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config)
    oidc_provider.rotate()
    tokens = [oidc_provider.token() for _ in range(10)]
    before = oidc_provider.key_set_fetches()
    oidc_provider.key_server(delay_ms=300)
    with ThreadPoolExecutor(len(tokens)) as callers:
        assert list(callers.map(lambda token: call(gateway, token), tokens)) == [OK] * len(tokens)
    assert oidc_provider.key_set_fetches() == before + 1


def test_a_flood_of_unknown_keys_is_one_fetch(start_gateway, config, oidc_provider, forge):
    gateway = start_gateway(**config)
    before = oidc_provider.key_set_fetches()
    for number in range(20):
        forged = forge(oidc_provider.issuer, f"nobody-{number}")
        assert call(gateway, forged) == (401, "unknown_key")
    assert oidc_provider.key_set_fetches() == before + 1
    assert call(gateway, oidc_provider.token()) == OK


def test_the_last_good_keys_serve_on_through_an_outage(start_gateway, config, oidc_provider):
    gateway = start_gateway(**config)
    known = oidc_provider.token()
    oidc_provider.key_server(down=True)
    oidc_provider.rotate()
    new = oidc_provider.token()
    assert call(gateway, new) == (503, "issuer_unavailable")
    assert call(gateway, known) == OK
    assert gateway.ready()
    oidc_provider.key_server()
    wait_until(lambda: call(gateway, new) == OK, what="the new key is accepted")


def test_a_gateway_that_starts_in_an_outage_recovers(start_gateway, config, oidc_provider):
    oidc_provider.key_server(down=True)
    gateway = start_gateway(**config, ready=False)
    token = oidc_provider.token()
    assert not gateway.ready()
    assert call(gateway, token) == (503, "issuer_unavailable")
    oidc_provider.key_server()
    gateway.wait_until_ready()
    assert call(gateway, token) == OK
