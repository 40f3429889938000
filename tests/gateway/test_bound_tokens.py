"""Tokens that are bound to a key, over HTTP."""

import base64
import hashlib
import time
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from rolecall.gateway.credentials import external_url
from rolecall.identity.nonces import SLOT, Nonces

from .parts import serving
from .parts.doors import CHAT, refused
from .parts.tokens import token

URL = "https://example.com/llm"
HOLDER = ECKey.generate_key("P-256")
BOUND = {"jkt": HOLDER.thumbprint()}
ALGORITHMS = "ES256 ES384 ES512 EdDSA Ed25519 PS256 RS256"


@pytest.fixture(scope="module")
def gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bound")
    sections = serving.configuration(folder, the_upstream.url, resource={"url": URL})
    sections["issuers"][0]["dpop"] = "optional"
    with serving.running(folder, sections) as running:
        yield running


def bound(*roles):
    return token(*roles, cnf=BOUND)


def proof(held, method, path, **changes):
    claims = {
        "jti": str(uuid4()),
        "htm": method,
        "htu": URL + path,
        "iat": int(time.time()),
        "ath": base64.urlsafe_b64encode(hashlib.sha256(held.encode()).digest()).decode()[:-1],
        **changes,
    }
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": HOLDER.as_dict(private=False)}
    return jwt.encode(header, claims, HOLDER, algorithms=["ES256"])


def sent(held, method, path, scheme="DPoP", **changes):
    return [("Authorization", f"{scheme} {held}"), ("DPoP", proof(held, method, path, **changes))]


def test_every_endpoint_takes_a_token_with_its_proof(gateway):
    held = bound("basic_user")
    for _ in range(2):
        headers = sent(held, "POST", CHAT.path)
        assert gateway.post(CHAT.path, CHAT.body(), *headers, authorised=False).status == 200
        for path in ("/v1/models", "/v1/models/gpt", "/whoami"):
            reply = gateway.get(path, *sent(held, "GET", path), authorised=False)
            assert reply.status == 200
    headers = sent(held, "POST", "/explain")
    body = {"model": "gpt"}
    assert gateway.post("/explain", body, *headers, authorised=False).status == 200


def test_the_scheme_is_written_in_any_case(gateway):
    headers = sent(bound("basic_user"), "GET", "/whoami", scheme="dPoP")
    assert gateway.get("/whoami", *headers, authorised=False).status == 200


def test_bearer_tokens_go_on_beside_them(gateway):
    assert gateway.get("/whoami").status == 200


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-goog-api-key"])
def test_c42_a_bound_token_is_no_api_key(gateway, name):
    held = bound("basic_user")
    headers = [(name, held), ("DPoP", proof(held, "GET", "/whoami"))]
    refused(gateway.get("/whoami", *headers, authorised=False), "sender_mismatch", "openai")


@pytest.mark.parametrize("value", ["DPoP", "DPoP ", "DPoP a b", "DPoP  a", "DPoP a\tb"])
def test_a_credential_that_is_none(gateway, value):
    headers = [("Authorization", value)]
    refused(gateway.get("/whoami", *headers, authorised=False), "malformed_token", "openai")


def test_what_a_bound_token_is_remembered_as_opens_nothing(gateway):
    held = bound("basic_user")
    assert gateway.get("/whoami", *sent(held, "GET", "/whoami"), authorised=False).status == 200
    for name, value in (
        ("x-api-key", f"bound {held}"),
        ("Authorization", f"Bearer bound {held}"),
        ("Authorization", f"bound {held}"),
    ):
        reply = gateway.get("/whoami", (name, value), authorised=False)
        refused(reply, "malformed_token", "openai")


@pytest.mark.parametrize(
    ("reason", "headers", "bearer", "dpop"),
    [
        ("missing_token", list, "", ""),
        (
            "expired",
            lambda: [("x-api-key", token(exp=int(time.time()) - 61))],
            ', error="invalid_token", error_description="expired"',
            "",
        ),
        (
            "sender_mismatch",
            lambda: [("x-api-key", bound())],
            ', error="invalid_token", error_description="sender_mismatch"',
            ', error="invalid_token", error_description="sender_mismatch"',
        ),
        (
            "invalid_dpop_proof",
            lambda: sent(bound(), "GET", "/whoami", htm="POST"),
            "",
            ', error="invalid_dpop_proof"',
        ),
    ],
)
def test_c44_a_challenge_says_that_proofs_are_taken(gateway, reason, headers, bearer, dpop):
    reply = gateway.get("/whoami", *headers(), authorised=False)
    assert reply.status == 401
    assert reply.json["error"]["code"] == reason
    place = ', resource_metadata="https://example.com/.well-known/oauth-protected-resource/llm"'
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="rolecall"{bearer}{place},'
        f' DPoP realm="rolecall", algs="{ALGORITHMS}"{dpop}{place}'
    )


def test_c31_the_metadata_say_so_too(gateway):
    told = gateway.get("/.well-known/oauth-protected-resource", authorised=False).json
    assert told["dpop_signing_alg_values_supported"] == ALGORITHMS.split()
    assert told["dpop_bound_access_tokens_required"] is False


def test_c31_where_all_tokens_must_be_bound_the_metadata_say_so(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url, resource={"url": URL})
    sections["issuers"][0]["dpop"] = "required"
    with serving.running(tmp_path, sections) as gateway:
        told = gateway.get("/.well-known/oauth-protected-resource", authorised=False).json
        assert told["dpop_bound_access_tokens_required"] is True
        refused_reply = gateway.get("/whoami")
        assert refused_reply.json["error"]["code"] == "sender_mismatch"


@pytest.fixture
def with_nonces(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url, resource={"url": URL})
    sections["issuers"][0] |= {"dpop": "required", "dpop_nonce": True}
    with serving.running(tmp_path, sections) as running:
        yield running


def test_c43_a_client_without_a_nonce_is_told_one_and_goes_on_with_it(with_nonces):
    held = bound("basic_user")
    headers = sent(held, "POST", CHAT.path)
    told = with_nonces.post(CHAT.path, CHAT.body(), *headers, authorised=False)
    refused(told, "use_dpop_nonce", "openai")
    challenge = told.headers["www-authenticate"]
    assert ', DPoP realm="rolecall"' in challenge
    assert f'algs="{ALGORITHMS}", error="use_dpop_nonce", resource_metadata=' in challenge
    nonce = told.headers["dpop-nonce"]
    headers = sent(held, "POST", CHAT.path, nonce=nonce)
    reply = with_nonces.post(CHAT.path, CHAT.body(), *headers, authorised=False)
    assert reply.status == 200
    assert "dpop-nonce" not in reply.headers
    for path in ("/v1/models", "/whoami"):
        headers = sent(held, "GET", path, nonce=nonce)
        assert with_nonces.get(path, *headers, authorised=False).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_c43_an_answer_brings_the_next_nonce_in_time(tmp_path, upstream, stream):
    key = "a key that several gateways share"
    sections = serving.configuration(tmp_path, upstream.url, resource={"url": URL})
    sections["issuers"][0] |= {"dpop": "required", "dpop_nonce": True}
    sections["dpop"] = {"nonce_key": key}
    held = bound("basic_user")
    with serving.running(tmp_path, sections) as gateway:
        former = Nonces(b"", key.encode()).current(time.time() - SLOT)
        headers = sent(held, "POST", CHAT.path, nonce=former)
        body = CHAT.body(stream=stream)
        reply = gateway.post(CHAT.path, body, *headers, authorised=False)
        assert reply.status == 200
        assert reply.headers["dpop-nonce"] not in {former, ""}
        headers = sent(held, "GET", "/whoami", nonce=reply.headers["dpop-nonce"])
        assert gateway.get("/whoami", *headers, authorised=False).status == 200


def test_c43_other_refusals_and_bearer_tokens_bring_no_nonce(gateway):
    for headers in ([], sent(bound(), "GET", "/whoami", htm="POST"), [("x-api-key", bound())]):
        assert "dpop-nonce" not in gateway.get("/whoami", *headers, authorised=False).headers
    assert "dpop-nonce" not in gateway.get("/whoami").headers


def test_where_no_issuer_takes_proofs_the_scheme_is_unknown(tmp_path, upstream):
    sections = serving.configuration(tmp_path, upstream.url, resource={"url": URL})
    with serving.running(tmp_path, sections) as gateway:
        headers = sent(bound(), "GET", "/whoami")
        reply = gateway.get("/whoami", *headers, authorised=False)
        refused(reply, "malformed_token", "openai")
        assert "DPoP" not in reply.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("gateway", "path", "expected"),
    [
        ("https://a.example", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/llm", "/v1/models", "https://a.example/llm/v1/models"),
        ("https://a.example/llm/", "/v1/models", "https://a.example/llm/v1/models"),
        ("https://a.example/llm", "/llm/v1/models", "https://a.example/llm/v1/models"),
        ("https://a.example/v1", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/v1", "/v10/models", "https://a.example/v1/v10/models"),
        (
            "https://a.example:8443",
            "/models/a b?#%",
            "https://a.example:8443/models/a%20b%3F%23%25",
        ),
    ],
)
def test_c41_the_url_is_the_configured_one(gateway, path, expected):
    assert external_url(gateway, path) == expected
