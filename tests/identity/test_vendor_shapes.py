"""Tokens in the shapes of real providers: each signs in, or is refused for what it is."""

import hmac
import json
from pathlib import Path

import pytest

from .parts.gate import KEYS_URL, Clock, Network, gate, settings, verdict
from .parts.signing import Signer, b64, bare, key_set

SHAPES = json.loads(
    (Path(__file__).parents[1] / "data" / "tokens" / "provider_claims.json").read_text("utf-8")
)
ISSUED = 1_795_434_268
KEY = Signer("vendor", "RS256")
KEYCLOAK = {
    "profile": "keycloak",
    "audience": ("llm-gateway",),
    "roles": (("resource_access", "llm-gateway", "roles"), ("realm_access", "roles")),
}
ENTRA_V1 = {"profile": "entra", "audience": ("api://llm-gateway",), "scopes": (("scp",),)}
ENTRA_V2 = {**ENTRA_V1, "audience": ("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",)}
OKTA = {
    "audience": ("api://llm-gateway",),
    "roles": (("groups",),),
    "scopes": (("scp",),),
}
AUTH0 = {
    "audience": ("https://llm-gateway.example.com",),
    "roles": (("https://example.com/roles",),),
    "groups": (("https://example.com/groups",),),
}
CONFIGURED = {
    "keycloak_access": KEYCLOAK,
    "keycloak_id_token": KEYCLOAK,
    "keycloak_refresh": KEYCLOAK,
    "keycloak_logout": KEYCLOAK,
    "keycloak_dpop": KEYCLOAK,
    "entra_v1_user": ENTRA_V1,
    "entra_v2_user": ENTRA_V2,
    "entra_v2_app_only": ENTRA_V2,
    "entra_id_token": ENTRA_V2,
    "okta_access_user": OKTA,
    "auth0_access_user": AUTH0,
}


def provider(shape, **changes):
    """A verifier that trusts the shape's issuer, at the time when the token was issued."""
    issuer = settings(
        SHAPES[shape]["claims"]["iss"],
        **{"algorithms": ("RS256",), **CONFIGURED[shape], **changes},
    )
    kid = SHAPES[shape]["header"]["kid"]
    # as Entra publishes them, without alg
    network = Network({KEYS_URL: key_set(KEY.jwk(kid=kid, alg=None))})
    return gate(issuer, network=network, clock=Clock(ISSUED + 10))


def signed(shape, **changes):
    """The token as its provider would send it, signed with RS256 by a key of ours."""
    header = {"typ": None, **SHAPES[shape]["header"], "alg": "RS256"}
    return KEY.token({**SHAPES[shape]["claims"], **changes}, header)


def test_every_shape_is_configured():
    assert SHAPES.keys() == CONFIGURED.keys()


SIGN_IN = {
    "keycloak_access": {
        "subject": "f:1:john",
        "client": "chat-ui",
        "kind": "person",
        "roles": ["basic_user", "offline_access", "default-roles-corp", "gold"],
        "groups": {"/ai/gold", "/teams/data science"},
        "scopes": {"openid", "profile", "email"},
    },
    "entra_v1_user": {
        "subject": "pairwise-abc",
        "client": "99999999-8888-4777-8666-555555555555",
        "kind": "person",
        "roles": ["basic_user"],
        "groups": set(),
        "scopes": {"access_as_user", "models.read"},
    },
    "entra_v2_user": {
        "subject": "pairwise-abc",
        "client": "99999999-8888-4777-8666-555555555555",
        "kind": "person",
        "roles": ["basic_user"],
        "groups": {"c0ffee00-0000-4000-8000-000000000001"},
        "scopes": {"access_as_user"},
    },
    "entra_v2_app_only": {
        "subject": "0f0f0f0f-0000-4000-8000-0000000000ff",
        "client": "99999999-8888-4777-8666-555555555555",
        "kind": "workload",
        "roles": ["Models.Invoke"],
        "groups": set(),
        "scopes": set(),
    },
    "okta_access_user": {
        "subject": "john@example.com",
        "client": "0oa1client",
        "kind": "person",
        "roles": ["Everyone", "AI Gold"],
        "groups": {"Everyone", "AI Gold"},
        "scopes": {"openid", "llm.invoke"},
    },
    "auth0_access_user": {
        "subject": "auth0|65f0",
        "client": "spaClient",
        "kind": "person",
        "roles": ["gold"],
        "groups": {"ai"},
        "scopes": {"openid", "profile", "llm:invoke"},
    },
}


@pytest.mark.parametrize("shape", SIGN_IN)
async def test_an_access_token_signs_its_caller_in(shape):
    claims = SHAPES[shape]["claims"]
    async with provider(shape) as verifier:
        caller = await verifier.authenticate(signed(shape))
    assert caller.issuer == claims["iss"]
    assert caller.expires == claims["exp"]
    assert caller.claims == claims
    assert {
        "subject": caller.subject,
        "client": caller.client,
        "kind": caller.kind,
        "roles": [found.value for found in caller.role_claims],
        "groups": caller.groups,
        "scopes": caller.scopes,
    } == SIGN_IN[shape]


@pytest.mark.parametrize("shape", SIGN_IN)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"aud": "other-api"}, "wrong_audience"),
        ({"exp": ISSUED - 60}, "expired"),
        ({"iat": ISSUED + 71}, "not_yet_valid"),
        ({"cnf": {"jkt": "x"}}, "sender_mismatch"),
        ({"sub": None}, "invalid_claim"),
    ],
)
async def test_what_holds_for_all_tokens_holds_for_each_provider(shape, changes, expected):
    async with provider(shape) as verifier:
        assert await verdict(verifier, signed(shape, **changes)) == expected


@pytest.mark.parametrize("shape", SIGN_IN)
async def test_c17_t19_a_slash_more_or_less_makes_another_issuer(shape):
    issuer = SHAPES[shape]["claims"]["iss"]
    other = issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"
    async with provider(shape) as verifier:
        assert await verdict(verifier, signed(shape, iss=other)) == "unknown_issuer"


REFUSED = {
    "keycloak_id_token": "wrong_token_kind",
    "keycloak_refresh": "wrong_token_kind",
    "keycloak_logout": "wrong_token_kind",
    "keycloak_dpop": "sender_mismatch",
    "entra_id_token": "wrong_token_kind",
}


@pytest.mark.parametrize("audience", ["as configured", "the token's own", "waived"])
@pytest.mark.parametrize("profile", ["its own", "generic"])
@pytest.mark.parametrize("shape", REFUSED)
async def test_c24_t21_other_tokens_are_refused_for_what_they_are(shape, profile, audience):
    changes = {
        "as configured": {},
        "the token's own": {"audience": (SHAPES[shape]["claims"]["aud"],)},
        "waived": {"audience": None},
    }[audience]
    if profile == "generic":
        changes["profile"] = "generic"
    async with provider(shape, **changes) as verifier:
        assert await verdict(verifier, signed(shape)) == REFUSED[shape]


async def test_keycloak_s_refresh_token_as_it_is_sent_has_a_signature_nobody_can_check():
    shape = SHAPES["keycloak_refresh"]
    signing_input = bare(shape["header"], shape["claims"]).rpartition(b".")[0]
    token = signing_input + b"." + b64(hmac.digest(b"s" * 64, signing_input, "sha512"))
    async with provider("keycloak_refresh", algorithms=("RS256", "HS512")) as verifier:
        assert await verdict(verifier, token) == "algorithm_not_allowed"
    async with provider("keycloak_refresh") as verifier:
        assert await verdict(verifier, token) == "algorithm_not_allowed"


@pytest.mark.parametrize("audience", ["the token's own", "waived"])
async def test_entra_s_id_token_is_one_without_a_nonce_too(audience):
    claims = dict(SHAPES["entra_id_token"]["claims"])
    del claims["nonce"]
    accepted = None if audience == "waived" else (claims["aud"],)
    async with provider("entra_id_token", audience=accepted) as verifier:
        token = KEY.token(claims, SHAPES["entra_id_token"]["header"])
        assert await verdict(verifier, token) == "wrong_token_kind"
