"""What realms of Keycloak have beside the plain case: odd client IDs, groups, bound and lightweight
tokens, other algorithms, and users who are disabled while their tokens live."""

import base64
import json
from hashlib import sha256

import pytest

from .parts import gateway as gateways
from .parts.holder import Holder
from .parts.keycloak import CLIENT, DOTTED_CLIENT, URL_CLIENT, URL_CLIENT_SECRET, WORKLOAD
from .parts.polling import wait_until
from .parts.web import ask

pytestmark = pytest.mark.e2e

PLAIN, BOUND, LIGHT, EDDSA = "chat.ui.v2", "chat-bound", "chat-light", "chat-eddsa"
URL = "https://llm.example.com"
ADMINISTRATOR = "rolecall_" + "a1" * 32
CONFIG = """
resource: {{url: {url}}}
issuers:
  - issuer: {issuer}
    profile: keycloak
    audience: [{client}, "{url_client}", {dotted_client}]
{more}
roles:
  - {{role: user, any_of: [basic_user], claims: [[resource_access, "{url_client}", roles]]}}
  - {{role: gold, any_of: [gold], claims: [[resource_access, {dotted_client}, roles]]}}
  - {{role: batch, any_of: [basic_user], claims: [[resource_access, {client}, roles]]}}
  - {{role: scientist, groups: [/teams/data science]}}
rules: [{{allow: ["*"], models: ["*"]}}]
models: [{{name: gpt, provider: openai, model: gpt, api_base: "http://127.0.0.1:9", api_key: key}}]
keys: [{{hash: "sha256:{administrator}", subject: admin, roles: [security], expires: never}}]
revocations: {{file: {file}, administrators: [security]}}
"""
DPOP = "    dpop: optional"
INTROSPECTION = """
    dpop: optional
    introspection:
      endpoint: {issuer}/protocol/openid-connect/token/introspect
      client_id: {url_client}
      client_secret: os.environ/SECRET
      tokens: all
      ttl: 1
      negative_ttl: 0
"""
USERINFO = """
    userinfo:
      endpoint: {issuer}/protocol/openid-connect/userinfo
      tokens: all
"""


@pytest.fixture(scope="module")
def start(keycloak, tmp_path_factory):
    def start(name, more):
        folder = tmp_path_factory.mktemp(name)
        names = {
            "issuer": keycloak.issuer,
            "url": URL,
            "client": CLIENT,
            "url_client": URL_CLIENT,
            "dotted_client": DOTTED_CLIENT,
            "administrator": sha256(ADMINISTRATOR.encode()).hexdigest(),
            "file": folder / "revocations.db",
        }
        config = CONFIG.format(**names, more=more.format(**names))
        return gateways.running(folder, config, SECRET=URL_CLIENT_SECRET)

    return start


@pytest.fixture(scope="module")
def gateway(start):
    with start("by-signature", DPOP) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def asking_gateway(start):
    """One that asks Keycloak about every token."""
    with start("by-introspection", INTROSPECTION) as gateway:
        yield gateway


def seen(gateway, token, *, proof=None):
    """The roles that a token leads to, or the reason why it is refused."""
    headers = {"Authorization": f"Bearer {token}"}
    if proof is not None:
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    answer = ask(f"{gateway.url}/whoami", headers=headers)
    if answer.status != 200:
        return answer.json()["error"]["code"]
    return {found["role"] for found in answer.json()["roles"]}


ALICE = {"user", "gold", "batch", "scientist"}


def test_roles_of_clients_whose_ids_have_dots_or_are_urls(gateway, keycloak):
    token = keycloak.sign_in("alice", PLAIN)["access_token"]
    answer = ask(f"{gateway.url}/whoami", headers={"Authorization": f"Bearer {token}"}).json()
    assert (answer["client"], answer["kind"]) == (PLAIN, "person")
    assert {found["role"]: found["from"] for found in answer["roles"]} == {
        "batch": [f"claim resource_access.{CLIENT}.roles = 'basic_user'"],
        "gold": [f"claim resource_access.{DOTTED_CLIENT}.roles = 'gold'"],
        "scientist": ["group '/teams/data science'"],
        "user": [f"claim resource_access.{URL_CLIENT}.roles = 'basic_user'"],
    }


def algorithm(token):
    return json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))["alg"]


def test_each_client_has_the_algorithm_that_it_asked_for(gateway, keycloak):
    tokens = [
        keycloak.sign_in("alice", PLAIN),
        keycloak.sign_in_workload(WORKLOAD),
        keycloak.sign_in("alice", EDDSA),
    ]
    for expected, answer in zip(("RS256", "ES256", "EdDSA"), tokens, strict=True):
        token = answer["access_token"]
        assert algorithm(token) == expected
        assert "batch" in seen(gateway, token)


@pytest.mark.parametrize("name", ["gateway", "asking_gateway"])
def test_a_bound_token_needs_its_holder_s_proof(request, keycloak, name):
    gateway, holder = request.getfixturevalue(name), Holder()
    token = keycloak.sign_in("alice", BOUND, holder)["access_token"]
    proof = holder.proof("GET", f"{URL}/whoami", token)
    assert seen(gateway, token, proof=proof) == {"user", "gold", "batch"}
    assert seen(gateway, token, proof=proof) == "invalid_dpop_proof"
    thief = Holder().proof("GET", f"{URL}/whoami", token)
    assert seen(gateway, token, proof=thief) == "sender_mismatch"
    assert seen(gateway, token) == "sender_mismatch"


def test_a_lightweight_token_is_refused_and_the_refusal_says_what_it_is(gateway, keycloak):
    token = keycloak.sign_in("alice", LIGHT)["access_token"]
    answer = ask(f"{gateway.url}/whoami", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "wrong_audience"
    assert "lightweight access token" in answer.json()["error"]["message"]


def test_introspection_says_what_a_lightweight_token_leaves_out(asking_gateway, keycloak):
    assert seen(asking_gateway, keycloak.sign_in("alice", LIGHT)["access_token"]) == ALICE


def test_userinfo_says_what_its_mappers_put_there(start, keycloak):
    with start("by-userinfo", USERINFO) as gateway:
        token = keycloak.sign_in("alice", LIGHT)["access_token"]
        assert seen(gateway, token) == {"scientist"}


def test_a_token_is_asked_about_once_its_signature_is_verified(asking_gateway, keycloak):
    token = keycloak.sign_in("alice", PLAIN)["access_token"]
    assert seen(asking_gateway, token) == ALICE
    assert seen(asking_gateway, token[:-4] + "AAAA") == "bad_signature"
    id_token = keycloak.sign_in("alice", PLAIN)["id_token"]
    assert seen(asking_gateway, id_token) == "wrong_token_kind"


@pytest.fixture
def carol(keycloak):
    yield keycloak.sign_in("carol", PLAIN)
    keycloak.enable("carol")


def test_a_disabled_user_s_token_ends(gateway, asking_gateway, keycloak, carol):
    token = carol["access_token"]
    for one in (gateway, asking_gateway):
        assert seen(one, token) == {"user", "batch"}
    keycloak.enable("carol", enabled=False)
    refreshed = keycloak.refresh(carol, PLAIN)
    assert (refreshed.status, refreshed.json()["error"]) == (400, "invalid_grant")
    wait_until(lambda: seen(asking_gateway, token) == "revoked", what="it is asked about")
    # a token that nobody is asked about is good until it expires, or until somebody says so
    assert seen(gateway, token) == {"user", "batch"}
    subject = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"]
    revoked = ask(
        f"{gateway.url}/revocations",
        body={"issuer": keycloak.issuer, "sub": subject},
        headers={"x-api-key": ADMINISTRATOR},
    )
    assert revoked.status == 201, revoked.body
    assert seen(gateway, token) == "revoked"
