"""Tokens that an OpenID certified provider has bound to their holder's key (RFC 9449)."""

import pytest

from .parts import gateway as gateways
from .parts.holder import Holder
from .parts.native import native
from .parts.web import ask

pytestmark = pytest.mark.e2e

CALL = {"model": "openai-gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
OK = (200, None)
URL = "https://llm.example.com"
PATH = "/v1/chat/completions"
ISSUER = """
dpop: optional
introspection:
  endpoint: {issuer}/token/introspection
  client_id: gateway
  client_secret: os.environ/SECRET
"""


@pytest.fixture(scope="module")
def gateway(oidc_provider, upstream, tmp_path_factory):
    """One that clients reach by another URL than its own, as behind a proxy."""
    config = native(oidc_provider, upstream, ISSUER.format(issuer=oidc_provider.issuer))
    config["config"] += f"resource: {{url: '{URL}'}}\n"
    folder = tmp_path_factory.mktemp("bound")
    with gateways.running(folder, **config, SECRET="gateway-secret/+ &") as gateway:
        yield gateway


@pytest.fixture
def holder():
    return Holder()


@pytest.fixture(scope="module")
def with_nonces(oidc_provider, upstream, tmp_path_factory):
    """One that clients reach directly, with several workers, whose proofs must hold a nonce."""
    config = native(oidc_provider, upstream, "dpop: required\ndpop_nonce: true\n")
    config["config"] += "resource: {url: '{gateway}'}\n"
    folder = tmp_path_factory.mktemp("nonces")
    with gateways.running(folder, **config, workers=2) as gateway:
        yield gateway


def call(gateway, token, *proofs, scheme="DPoP"):
    """The status of a chat call, and the reason code if it is refused."""
    headers = {"Authorization": f"{scheme} {token}"}
    if proofs:
        headers["DPoP"] = proofs[0]
    answer = ask(f"{gateway.url}{PATH}", body=CALL, headers=headers)
    return answer.status, answer.json()["error"]["code"] if answer.status != 200 else None


@pytest.mark.parametrize("resource", ["RS256", "ES256", "opaque"])
def test_a_bound_token_is_accepted_with_a_new_proof_each_time(
    gateway, oidc_provider, holder, resource
):
    token = oidc_provider.token(resource=resource, holder=holder)
    for _ in range(3):
        assert call(gateway, token, holder.proof("POST", URL + PATH, token)) == OK


@pytest.mark.parametrize("resource", ["RS256", "opaque"])
def test_a_stolen_token_is_of_no_use(gateway, oidc_provider, holder, resource):
    token = oidc_provider.token(resource=resource, holder=holder)
    seen = holder.proof("POST", URL + PATH, token)
    assert call(gateway, token, seen) == OK
    assert call(gateway, token, seen) == (401, "invalid_dpop_proof")
    assert call(gateway, token) == (401, "invalid_dpop_proof")
    assert call(gateway, token, scheme="Bearer") == (401, "sender_mismatch")
    thief = Holder()
    assert call(gateway, token, thief.proof("POST", URL + PATH, token)) == (401, "sender_mismatch")


def test_a_proof_is_of_the_url_that_the_client_has_called(gateway, oidc_provider, holder):
    token = oidc_provider.token(holder=holder)
    inside = holder.proof("POST", gateway.url + PATH, token)
    assert call(gateway, token, inside) == (401, "invalid_dpop_proof")
    elsewhere = holder.proof("POST", URL + "/v1/models", token)
    assert call(gateway, token, elsewhere) == (401, "invalid_dpop_proof")


def test_bearer_tokens_of_the_same_issuer_go_on(gateway, oidc_provider, holder):
    token = oidc_provider.token()
    assert call(gateway, token, scheme="Bearer") == OK
    proof = holder.proof("POST", URL + PATH, token)
    assert call(gateway, token, proof) == (401, "sender_mismatch")


def test_a_client_that_knows_nothing_of_the_gateway_goes_on_with_its_nonces(
    oidc_provider, with_nonces
):
    first, *others = oidc_provider.dpop_client(with_nonces.url + PATH, calls=8)
    assert first == {"status": 200, "refused": "use_dpop_nonce"}
    assert others == [{"status": 200, "refused": None}] * 7


def test_workers_know_each_other_s_nonces_and_proofs(oidc_provider, with_nonces, holder):
    url = with_nonces.url + PATH
    token = oidc_provider.token(holder=holder)
    headers = {"Authorization": f"DPoP {token}", "DPoP": holder.proof("POST", url, token)}
    told = ask(url, body=CALL, headers=headers)
    assert (told.status, told.json()["error"]["code"]) == (401, "use_dpop_nonce")
    nonce = told.headers["DPoP-Nonce"]
    # each call is a connection of its own, and so any worker's
    for _ in range(10):
        once = holder.proof("POST", url, token, nonce=nonce)
        found = [call(with_nonces, token, once) for _ in range(4)]
        assert found == [OK] + [(401, "invalid_dpop_proof")] * 3
