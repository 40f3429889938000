"""A provider whose tokens name no key, and whose access tokens are opaque."""

import pytest

from .parts.native import native
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

CALL = {"model": "openai-gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
OK = (200, None)
# the ID token is the credential here, as Google's is
ID_TOKENS = """
profile: google
require: {sub: [john]}
userinfo: {endpoint: "ISSUER/userinfo", ttl: 1, negative_ttl: 0}
"""


@pytest.fixture(scope="module")
def config(provider_mock, upstream):
    return native(provider_mock, upstream, ID_TOKENS.replace("ISSUER", provider_mock.issuer))


def call(gateway, token):
    """The status of a chat call, and the reason code if it is refused."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = ask(f"{gateway.url}/v1/chat/completions", body=CALL, headers=headers)
    return answer.status, answer.json()["error"]["code"] if answer.status != 200 else None


def test_a_token_that_names_no_key_is_verified_with_the_only_one(
    start_gateway, config, provider_mock
):
    gateway = start_gateway(**config)
    token = provider_mock.sign_in("john")["id_token"]
    assert call(gateway, token) == OK
    assert call(gateway, token[:-6] + "AAAAAA") == (401, "bad_signature")


def test_a_person_that_is_not_named_is_refused(start_gateway, config, provider_mock):
    gateway = start_gateway(**config)
    tokens = provider_mock.sign_in("jane")
    assert call(gateway, tokens["id_token"]) == (401, "invalid_claim")
    assert call(gateway, tokens["access_token"]) == (401, "invalid_claim")


def test_an_opaque_token_is_looked_up_as_userinfo(start_gateway, config, provider_mock):
    gateway = start_gateway(**config)
    token = provider_mock.sign_in("john")["access_token"]
    assert "." not in token
    assert call(gateway, token) == OK
    assert call(gateway, "made-up") == (401, "revoked")


def test_a_provider_that_starts_anew_has_a_new_key_and_has_forgotten_its_tokens(
    start_gateway, config, provider_mock
):
    gateway = start_gateway(**config)
    old = provider_mock.sign_in("john")
    assert call(gateway, old["id_token"]) == OK
    assert call(gateway, old["access_token"]) == OK
    provider_mock.stop()
    assert call(gateway, old["id_token"]) == OK
    provider_mock.start()
    new = provider_mock.sign_in("john")
    assert call(gateway, new["id_token"]) == OK
    assert call(gateway, old["id_token"]) == (401, "bad_signature")
    wait_until(
        lambda: call(gateway, old["access_token"]) == (401, "revoked"),
        what="the old token is refused",
    )
