"""Tokens in the shapes of real providers: each signs in, or is refused for what it is."""

import hmac
import json
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.config import Limits, load
from rolecall.core import Refusal
from rolecall.identity import open_token
from rolecall.identity.access_token import accept

from .parts.gate import Clock, Network, gate, refusal, settings, verdict
from .parts.signing import Signer, b64, bare, key_set

SHAPES = json.loads(
    (Path(__file__).parents[1] / "data" / "tokens" / "provider_claims.json").read_text("utf-8")
)
METADATA = SHAPES.pop("entra_common_metadata")
ISSUED = 1_795_434_268
KEY = Signer("vendor", "RS256")
TENANT = "11111111-2222-4333-8444-555555555555"
GATEWAY = "https://llm-gateway.example.com"

# one entry of issuers: for each provider, as an operator would write it
KEYCLOAK = "issuer: https://sso.example.com/realms/corp, profile: keycloak, audience: llm-gateway"
KEYCLOAK_URL = (
    "issuer: https://sso.example.com/realms/corp, profile: keycloak,"
    " audience: https://gw.example.com/api"
)
ENTRA = (
    f"profile: entra, tenant: {TENANT},"
    " audience: [api://llm-gateway, aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee]"
)
OKTA = "issuer: https://acme.okta.com/oauth2/aus1abcd, profile: okta, audience: api://llm-gateway"
AUTH0 = (
    f"issuer: https://acme.eu.auth0.com/, profile: auth0, audience: {GATEWAY},"
    " roles: ['/https:~1~1example.com~1roles', [permissions]],"
    " groups: [['https://example.com/groups']]"
)
GOOGLE = "profile: google, audience: 123-abc.apps.googleusercontent.com, require: {hd: example.com}"
GOOGLE_ACCOUNT = (
    f"profile: google, audience: {GATEWAY}, require: {{email: bot@proj.iam.gserviceaccount.com}}"
)
COGNITO = (
    "issuer: https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf, profile: cognito,"
    " clients: [1h57kf5cpq17m0eml12EXAMPLE, client1]"
)
GITHUB = (
    f"profile: github-actions, audience: {GATEWAY},"
    " require: {repository_owner_id: '123456', environment: prod},"
    " roles: [value: repository_id]"
)
GITLAB = (
    f"issuer: https://gitlab.example.com, profile: gitlab-ci, audience: {GATEWAY},"
    " require: {namespace_id: '72', ref_protected: 'true'}"
)
KUBERNETES = (
    f"issuer: https://kubernetes.default.svc.cluster.local, profile: kubernetes,"
    f" audience: {GATEWAY}, jwks_url: https://10.0.0.1/openid/v1/jwks"
)
CONFIGURED = {
    "keycloak_access": KEYCLOAK,
    "keycloak_client_id_with_dots_or_url": KEYCLOAK_URL,
    "keycloak_service_account": KEYCLOAK,
    "keycloak_lightweight": KEYCLOAK,
    "keycloak_id_token": KEYCLOAK,
    "keycloak_refresh": KEYCLOAK,
    "keycloak_logout": KEYCLOAK,
    "keycloak_dpop": KEYCLOAK,
    "entra_v1_user": ENTRA,
    "entra_v2_user": ENTRA,
    "entra_v2_app_only": ENTRA,
    "entra_v2_groups_overage": ENTRA,
    "entra_hasgroups": ENTRA,
    "entra_id_token": ENTRA,
    "okta_access_user": OKTA,
    "okta_access_client_credentials": OKTA,
    "okta_org_as_access": OKTA,
    "okta_id_token": OKTA,
    "auth0_access_user": AUTH0,
    "auth0_access_rfc9068": AUTH0,
    "auth0_m2m": AUTH0,
    "google_user_id_token": GOOGLE,
    "google_service_account_id_token": GOOGLE_ACCOUNT,
    "cognito_access_user": COGNITO,
    "cognito_access_m2m": COGNITO,
    "cognito_id_token": COGNITO,
    "github_actions_old_sub": GITHUB,
    "github_actions_immutable_sub": GITHUB,
    "gitlab_ci": GITLAB,
    "k8s_bound": KUBERNETES,
    "k8s_auto_mounted_extended": KUBERNETES,
    "k8s_legacy_secret": KUBERNETES,
}


class AnyUrl(dict):
    """A network in which every URL leads to one key set, or to the metadata of the issuer asked."""

    def __init__(self, keys, issuer):
        super().__init__()
        self.keys_, self.issuer = keys, issuer

    def get(self, url, _=None):
        if url.endswith("/.well-known/openid-configuration"):
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer.rstrip('/')}/keys"}
        return self.keys_


def configured(text, tmp_path):
    file = tmp_path / "rolecall.yaml"
    file.write_text(f"issuers: [{{{text}}}]\n")
    return load(file, {}).settings.issuers


def provider(shape, tmp_path, text=None, **changes):
    """A verifier that is configured for the shape's provider, when the token was issued."""
    issuers = configured(text or CONFIGURED[shape], tmp_path)
    kid = SHAPES[shape]["header"]["kid"]
    # as Entra publishes them, without alg
    keys = key_set(KEY.jwk(kid=kid, alg=None))
    return gate(
        *(replace(issuer, **changes) for issuer in issuers),
        network=Network(AnyUrl(keys, issuers[0].issuer)),
        clock=Clock(ISSUED + 10),
    )


def signed(shape, **changes):
    """The token as its provider would send it, signed with RS256 by a key of ours."""
    header = {"typ": None, **SHAPES[shape]["header"], "alg": "RS256"}
    claims = {**SHAPES[shape]["claims"], **changes}
    return KEY.token({k: v for k, v in claims.items() if v is not MISSING}, header)


MISSING = object()


def test_every_shape_is_configured():
    assert SHAPES.keys() == CONFIGURED.keys()
    assert len(SHAPES) + 1 == 33


SIGN_IN = {
    "keycloak_access": {
        "subject": "f:1:john",
        "client": "chat-ui",
        "kind": "person",
        "roles": ["offline_access", "default-roles-corp", "gold", "basic_user"],
        "groups": {"/ai/gold", "/teams/data science"},
        "scopes": {"openid", "profile", "email"},
    },
    "keycloak_client_id_with_dots_or_url": {
        "subject": "u",
        "client": "chat.ui.v2",
        "kind": "person",
        "roles": ["basic_user"],
        "groups": set(),
        "scopes": {"openid"},
    },
    "keycloak_service_account": {
        "subject": "sa-uuid",
        "client": "batch",
        "kind": "workload",
        "roles": ["svc"],
        "groups": set(),
        "scopes": {"profile", "email"},
    },
    "entra_v1_user": {
        "subject": "0f0f0f0f-0000-4000-8000-000000000001",
        "client": "99999999-8888-4777-8666-555555555555",
        "kind": "person",
        "roles": ["basic_user"],
        "groups": set(),
        "scopes": {"access_as_user", "models.read"},
    },
    "entra_v2_user": {
        "subject": "0f0f0f0f-0000-4000-8000-000000000001",
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
        "subject": "00u1user",
        "client": "0oa1client",
        "kind": "person",
        "roles": ["Everyone", "AI Gold"],
        "groups": {"Everyone", "AI Gold"},
        "scopes": {"openid", "llm.invoke"},
    },
    "okta_access_client_credentials": {
        "subject": "0oa2svc",
        "client": "0oa2svc",
        "kind": "workload",
        "roles": [],
        "groups": set(),
        "scopes": {"llm.invoke"},
    },
    "auth0_access_user": {
        "subject": "auth0|65f0",
        "client": "spaClient",
        "kind": "person",
        "roles": ["gold", "llm:invoke", "model:gpt-4o"],
        "groups": {"ai"},
        "scopes": {"openid", "profile", "llm:invoke"},
    },
    "auth0_access_rfc9068": {
        "subject": "auth0|65f0",
        "client": "spaClient",
        "kind": "person",
        "roles": ["llm:invoke"],
        "groups": set(),
        "scopes": {"openid", "llm:invoke"},
    },
    "auth0_m2m": {
        "subject": "awZfd@clients",
        "client": "awZfd",
        "kind": "workload",
        "roles": ["llm:invoke"],
        "groups": set(),
        "scopes": {"llm:invoke"},
    },
    "google_user_id_token": {
        "subject": "110169484474386276334",
        "client": "123-abc.apps.googleusercontent.com",
        "kind": "person",
        "roles": ["john@example.com"],
        "groups": set(),
        "scopes": set(),
    },
    "google_service_account_id_token": {
        "subject": "117",
        "client": "117",
        "kind": "workload",
        "roles": ["bot@proj.iam.gserviceaccount.com"],
        "groups": set(),
        "scopes": set(),
    },
    "cognito_access_user": {
        "subject": "aaaa-bbbb",
        "client": "1h57kf5cpq17m0eml12EXAMPLE",
        "kind": "person",
        "roles": ["gold", "ai users"],
        "groups": {"gold", "ai users"},
        "scopes": {"openid", "llm/invoke"},
    },
    "cognito_access_m2m": {
        "subject": "client1",
        "client": "client1",
        "kind": "workload",
        "roles": [],
        "groups": set(),
        "scopes": {"llm/invoke"},
    },
    "github_actions_old_sub": {
        "subject": "repo:acme/app:environment:prod",
        "client": None,
        "kind": "workload",
        "roles": ["456789"],
        "groups": set(),
        "scopes": set(),
    },
    "github_actions_immutable_sub": {
        "subject": "repo:acme@123456/app@456789:environment:prod",
        "client": None,
        "kind": "workload",
        "roles": ["456789"],
        "groups": set(),
        "scopes": set(),
    },
    "gitlab_ci": {
        "subject": "project_path:my-group/my-project:ref_type:branch:ref:main",
        "client": None,
        "kind": "workload",
        "roles": ["20"],
        "groups": set(),
        "scopes": set(),
    },
    "k8s_bound": {
        "subject": "system:serviceaccount:data:batch",
        "client": None,
        "kind": "workload",
        "roles": ["system:serviceaccount:data:batch"],
        "groups": set(),
        "scopes": set(),
    },
}


@pytest.mark.parametrize("shape", SIGN_IN)
async def test_an_access_token_signs_its_caller_in(shape, tmp_path):
    claims = SHAPES[shape]["claims"]
    async with provider(shape, tmp_path) as verifier:
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


FOR_ALL = {
    "C18 for another": ({"aud": "other-api"}, "wrong_audience"),
    "C19 too old": ({"exp": ISSUED - 60}, "expired"),
    "C19 for a year": ({"exp": ISSUED + 31_536_000}, "invalid_claim"),
    "C20 too early": ({"iat": ISSUED + 71}, "not_yet_valid"),
    "bound to a key": ({"cnf": {"jkt": "x"}}, "sender_mismatch"),
    "C21 without a subject": ({"sub": MISSING, "oid": MISSING, "uid": MISSING}, "invalid_claim"),
    "C21 a subject of another type": ({"sub": 7}, "invalid_claim"),
    "C24 a logout token": ({"events": {}}, "wrong_token_kind"),
}


@pytest.mark.parametrize("shape", SIGN_IN)
@pytest.mark.parametrize(("changes", "expected"), FOR_ALL.values(), ids=FOR_ALL)
async def test_what_holds_for_all_tokens_holds_for_each_provider(
    shape, changes, expected, tmp_path
):
    async with provider(shape, tmp_path) as verifier:
        assert await verdict(verifier, signed(shape, **changes)) == expected


@pytest.mark.parametrize("shape", SIGN_IN)
async def test_c17_t19_a_slash_more_or_less_makes_another_issuer(shape, tmp_path):
    issuer = SHAPES[shape]["claims"]["iss"]
    other = issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"
    async with provider(shape, tmp_path) as verifier:
        assert await verdict(verifier, signed(shape, iss=other)) == "unknown_issuer"


REFUSED = {
    "keycloak_lightweight": ("wrong_audience", "lightweight"),
    "keycloak_id_token": ("wrong_token_kind", "typ is not Bearer"),
    "keycloak_refresh": ("wrong_token_kind", "typ is not Bearer"),
    "keycloak_logout": ("wrong_token_kind", "typ is not Bearer"),
    "keycloak_dpop": ("sender_mismatch", "proof of possession"),
    "entra_v2_groups_overage": ("invalid_claim", "group overage"),
    "entra_hasgroups": ("wrong_token_kind", "names no client"),
    "entra_id_token": ("wrong_token_kind", "names no client"),
    "okta_org_as_access": ("unknown_issuer", "not one that this gateway trusts"),
    "okta_id_token": ("wrong_token_kind", "names no client"),
    "cognito_id_token": ("wrong_token_kind", "token_use"),
    "k8s_auto_mounted_extended": ("invalid_claim", "longer than"),
    "k8s_legacy_secret": ("unknown_issuer", "not one that this gateway trusts"),
}


def test_every_shape_signs_in_or_is_refused():
    assert SIGN_IN.keys() | REFUSED.keys() == SHAPES.keys()


@pytest.mark.parametrize(("shape", "expected"), REFUSED.items(), ids=REFUSED)
async def test_c24_t21_other_tokens_are_refused_for_what_they_are(shape, expected, tmp_path):
    async with provider(shape, tmp_path) as verifier:
        refused = await refusal(verifier, signed(shape))
    reason, words = expected
    assert refused.reason == reason
    assert words in refused.message


@pytest.mark.parametrize("audience", ["the token's own", "waived"])
@pytest.mark.parametrize("profile", ["its own", "generic"])
@pytest.mark.parametrize(
    "shape",
    [
        "keycloak_id_token",
        "keycloak_refresh",
        "keycloak_logout",
        "entra_id_token",
        "okta_id_token",
        "cognito_id_token",
    ],
)
async def test_c24_t21_no_audience_makes_another_token_an_access_token(
    shape, profile, audience, tmp_path
):
    own = SHAPES[shape]["claims"]["aud"]
    changes = {"audience": (own,) if audience == "the token's own" else None}
    if profile == "generic":
        changes["profile"] = "generic"
    async with provider(shape, tmp_path, **changes) as verifier:
        assert await verdict(verifier, signed(shape)) == "wrong_token_kind"


async def test_a_legacy_secret_of_kubernetes_never_expires_and_is_for_nobody(tmp_path):
    text = KUBERNETES.replace("https://kubernetes.default.svc.cluster.local", "kubernetes/x")
    text = text.replace("kubernetes/x", "kubernetes/serviceaccount")
    async with provider("k8s_legacy_secret", tmp_path, text) as verifier:
        refused = await refusal(verifier, signed("k8s_legacy_secret"))
        assert "never expire" in refused.message
        refused = await refusal(verifier, signed("k8s_legacy_secret", exp=ISSUED + 60))
        assert refused.reason == "wrong_audience"
        assert "projected token" in refused.message


async def test_keycloak_s_refresh_token_as_it_is_sent_has_a_signature_nobody_can_check(tmp_path):
    shape = SHAPES["keycloak_refresh"]
    signing_input = bare(shape["header"], shape["claims"]).rpartition(b".")[0]
    token = signing_input + b"." + b64(hmac.digest(b"s" * 64, signing_input, "sha512"))
    for allowed in (("RS256", "HS512"), ("RS256",)):
        async with provider("keycloak_refresh", tmp_path, algorithms=allowed) as verifier:
            assert await verdict(verifier, token) == "algorithm_not_allowed"


# Microsoft Entra ID


@pytest.mark.parametrize("audience", ["the token's own", "waived"])
async def test_c24_t21_entra_s_id_token_is_one_without_a_nonce_too(audience, tmp_path):
    own = SHAPES["entra_id_token"]["claims"]["aud"]
    accepted = None if audience == "waived" else (own,)
    async with provider("entra_id_token", tmp_path, audience=accepted) as verifier:
        token = signed("entra_id_token", nonce=MISSING)
        assert await verdict(verifier, token) == "wrong_token_kind"


TENANTS = {
    "the issuer's own": (TENANT, "accepted"),
    "missing": (MISSING, "invalid_claim"),
    "another": ("22222222-2222-4333-8444-555555555555", "invalid_claim"),
    "that of personal accounts": ("9188040d-6c67-4c5b-b112-36a304b66dad", "invalid_claim"),
    "in capitals": (TENANT.replace("1", "A"), "invalid_claim"),
    "a part of the issuer": ("login.microsoftonline.com", "invalid_claim"),
    "a placeholder": ("{tenantid}", "invalid_claim"),
    "a list": ([TENANT], "invalid_claim"),
    "empty": ("", "invalid_claim"),
}


@pytest.mark.parametrize("shape", ["entra_v1_user", "entra_v2_user", "entra_v2_app_only"])
@pytest.mark.parametrize(("tenant", "expected"), TENANTS.values(), ids=TENANTS)
async def test_t28_entra_s_tenant_is_that_of_the_issuer(shape, tenant, expected, tmp_path):
    async with provider(shape, tmp_path) as verifier:
        assert await verdict(verifier, signed(shape, tid=tenant)) == expected


MANY = (
    f"profile: entra, tenant: [{TENANT}, 22222222-2222-4333-8444-555555555555],"
    " audience: aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)
TEMPLATE = METADATA["jwks_example"]["keys"][0]["issuer"]
PERSONAL = METADATA["jwks_example"]["keys"][1]["issuer"]
PER_KEY = {
    "the template": (TEMPLATE, "accepted"),
    "the template of v1.0": ("https://sts.windows.net/{tenantid}/", "accepted"),
    "the tenant": (f"https://login.microsoftonline.com/{TENANT}/v2.0", "accepted"),
    "no issuer": (None, "accepted"),
    "personal accounts": (PERSONAL, "unknown_key"),
    "another tenant": (
        "https://login.microsoftonline.com/22222222-2222-4333-8444-555555555555/v2.0",
        "unknown_key",
    ),
    "another host": ("https://evil.example/{tenantid}/v2.0", "unknown_key"),
    "empty": ("", "unknown_key"),
}


@pytest.mark.parametrize(("issuer", "expected"), PER_KEY.values(), ids=PER_KEY)
async def test_c16_t28_a_key_of_all_tenants_serves_those_it_is_for(issuer, expected, tmp_path):
    named = {} if issuer is None else {"issuer": issuer}
    async with provider("entra_v2_user", tmp_path, MANY) as verifier:
        verifier.network.documents.keys_["keys"] = [KEY.jwk(kid="k1Thumb", alg=None, **named)]
        for source in verifier.issuers.sources.values():
            await source.refresh()
        assert await verdict(verifier, signed("entra_v2_user")) == expected


async def test_c16_k09_t28_of_keys_that_share_a_kid_each_serves_those_it_is_for(tmp_path):
    theirs = KEY.jwk(kid="k1Thumb", alg=None, issuer=PERSONAL)
    for_any = Signer("rsa", "RS256").jwk(kid="k1Thumb", alg=None)
    async with provider("entra_v2_user", tmp_path, MANY) as verifier:
        for keys in ([for_any, theirs], [theirs, for_any]):
            verifier.network.documents.keys_["keys"] = keys
            for source in verifier.issuers.sources.values():
                await source.refresh()
            assert await verdict(verifier, signed("entra_v2_user")) == "bad_signature"


async def test_t28_a_tenant_that_is_not_listed_is_no_issuer(tmp_path):
    other = "33333333-2222-4333-8444-555555555555"
    iss = f"https://login.microsoftonline.com/{other}/v2.0"
    async with provider("entra_v2_user", tmp_path, MANY) as verifier:
        token = signed("entra_v2_user", iss=iss, tid=other)
        assert await verdict(verifier, token) == "unknown_issuer"
        assert await verdict(verifier, signed("entra_v2_user", iss=iss)) == "unknown_issuer"


async def test_t28_the_placeholder_of_the_metadata_is_no_issuer(tmp_path):
    async with provider("entra_v2_user", tmp_path, MANY) as verifier:
        token = signed("entra_v2_user", iss=METADATA["issuer"], tid="{tenantid}")
        assert await verdict(verifier, token) == "unknown_issuer"


OVERAGE = {
    "another host is named": ({}, {}, "invalid_claim"),
    "hasgroups": ({"_claim_names": MISSING, "hasgroups": True}, {}, "invalid_claim"),
    "groups decide nothing": ({}, {"groups": ()}, "accepted"),
    "groups are roles": ({}, {"groups": (), "roles": (("groups",),)}, "invalid_claim"),
    "another claim is elsewhere": ({"_claim_names": {"other": "src1"}}, {}, "accepted"),
    "both are there": ({"groups": ["g"]}, {}, "accepted"),
}


@pytest.mark.parametrize(("changes", "configured", "expected"), OVERAGE.values(), ids=OVERAGE)
async def test_too_many_groups_are_not_none(changes, configured, expected, tmp_path):
    async with provider("entra_v2_groups_overage", tmp_path, **configured) as verifier:
        token = signed("entra_v2_groups_overage", **changes)
        assert await verdict(verifier, token) == expected
        assert not [url for url in verifier.network.fetched if "graph" in url]


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("api://llm-gateway", "accepted"),
        ("api://llm-gateway/", "accepted"),
        ("api://llm-gateway//", "wrong_audience"),
        ("api://LLM-gateway", "wrong_audience"),
        ("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "accepted"),
        ("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee/", "wrong_audience"),
    ],
)
async def test_c18_entra_s_application_uri_has_a_slash_or_not(audience, expected, tmp_path):
    async with provider("entra_v1_user", tmp_path) as verifier:
        assert await verdict(verifier, signed("entra_v1_user", aud=audience)) == expected


# Amazon Cognito

COGNITO_CASES = {
    "no aud, a client of ours": ({}, "accepted"),
    "a client of others": ({"client_id": "other"}, "wrong_audience"),
    "no client": ({"client_id": MISSING}, "wrong_audience"),
    "an aud of others": ({"aud": "https://other.example"}, "wrong_audience"),
    "an aud that is our client": ({"aud": "client1"}, "wrong_audience"),
    "aud null": ({"aud": None}, "wrong_audience"),
    "token_use missing": ({"token_use": MISSING}, "wrong_token_kind"),
    "token_use a list": ({"token_use": ["access"]}, "wrong_token_kind"),
}


@pytest.mark.parametrize(("changes", "expected"), COGNITO_CASES.values(), ids=COGNITO_CASES)
async def test_c18_cognito_s_client_stands_for_the_audience(changes, expected, tmp_path):
    async with provider("cognito_access_user", tmp_path) as verifier:
        assert await verdict(verifier, signed("cognito_access_user", **changes)) == expected


async def test_c18_without_clients_a_missing_aud_is_missing(tmp_path):
    async with provider("cognito_access_user", tmp_path, clients=None) as verifier:
        assert await verdict(verifier, signed("cognito_access_user")) == "wrong_audience"


# GitHub Actions, GitLab CI, Google: whoever asks may have a token for any audience

REQUIRED = {
    "GitHub: another owner": (
        "github_actions_old_sub",
        {"repository_owner_id": "999", "repository_owner": "acme"},
    ),
    "GitHub: the owner's ID as a number": (
        "github_actions_old_sub",
        {"repository_owner_id": 123456},
    ),
    "GitHub: another environment": ("github_actions_immutable_sub", {"environment": "Prod"}),
    "GitHub: no environment, as a pull request has": (
        "github_actions_immutable_sub",
        {"environment": MISSING, "sub": "repo:acme@123456/app@456789:pull_request"},
    ),
    "GitLab: another group": ("gitlab_ci", {"namespace_id": "73"}),
    "GitLab: a branch without protection": ("gitlab_ci", {"ref_protected": "false"}),
    "GitLab: protected is a string": ("gitlab_ci", {"ref_protected": True}),
    "Google: another company": ("google_user_id_token", {"hd": "other.example"}),
    "Google: no company": ("google_user_id_token", {"hd": MISSING}),
    "Google: an address that is not verified": (
        "google_user_id_token",
        {"email_verified": False},
    ),
    "Google: verified in words": ("google_user_id_token", {"email_verified": "true"}),
    "Google: another service account": (
        "google_service_account_id_token",
        {"email": "bot@evil.iam.gserviceaccount.com"},
    ),
    "Kubernetes: another account's name": (
        "k8s_bound",
        {"sub": "system:serviceaccount:data:admin"},
    ),
    "Kubernetes: another namespace": ("k8s_bound", {"sub": "system:serviceaccount:prod:batch"}),
    "Kubernetes: bound to nothing": ("k8s_bound", {"kubernetes.io": MISSING}),
    "Kubernetes: bound to no account": ("k8s_bound", {"kubernetes.io": {"namespace": "data"}}),
}


@pytest.mark.parametrize(("shape", "changes"), REQUIRED.values(), ids=REQUIRED)
async def test_t21_a_token_of_somebody_else_s_for_our_audience_is_refused(shape, changes, tmp_path):
    async with provider(shape, tmp_path) as verifier:
        assert await verdict(verifier, signed(shape, **changes)) == "invalid_claim"


async def test_google_s_issuer_had_a_name_without_a_scheme(tmp_path):
    async with provider("google_user_id_token", tmp_path) as verifier:
        caller = await verifier.authenticate(
            signed("google_user_id_token", iss="accounts.google.com")
        )
        assert caller.issuer == "https://accounts.google.com"
        (state,) = verifier.state()
        assert state.issuer == "https://accounts.google.com"


async def test_t26_a_client_id_with_dots_is_one_key(tmp_path):
    """The payload has a nested claim at the place to which the dots would lead."""
    text = KEYCLOAK_URL + ", roles: [[resource_access, a.b, roles], 'a.b.roles']"
    async with provider("keycloak_client_id_with_dots_or_url", tmp_path, text) as verifier:
        caller = await verifier.authenticate(signed("keycloak_client_id_with_dots_or_url"))
    assert [(found.path, found.value) for found in caller.role_claims] == [
        (("resource_access", "a.b", "roles"), "y"),
        (("a", "b", "roles"), "TRAP"),
    ]


# Tokens of a real server (npm oidc-provider), whose keys are gone: all but the signature

REAL = json.loads(
    (Path(__file__).parents[1] / "data" / "tokens" / "oidc_provider_tokens.json").read_text("utf-8")
)
MINTED = {
    "client_credentials RS256": "accepted",
    "client_credentials PS256": "accepted",
    "client_credentials ES256": "accepted",
    "client_credentials EdDSA": "accepted",
    "auth code access token (alice)": "accepted",
    "auth code id_token (alice)": "wrong_token_kind",
    "DPoP bound client_credentials": "sender_mismatch",
}


@pytest.mark.parametrize("rfc9068", [True, False])
@pytest.mark.parametrize(("name", "expected"), MINTED.items(), ids=MINTED)
def test_c22_c24_tokens_of_a_real_server_are_what_they_are(name, expected, rfc9068):
    minted = REAL[name]
    presented = open_token(minted["token"].encode(), Limits())
    assert presented.jws.header == minted["header"]
    assert presented.claims == minted["payload"]
    issuer = settings(
        minted["payload"]["iss"], audience=("api://llm-gateway", "chat-ui"), rfc9068=rfc9068
    )
    now = minted["payload"]["iat"]
    if expected == "accepted":
        assert accept(presented, issuer, now).client == minted["payload"]["client_id"]
        return
    with pytest.raises(Refusal) as caught:
        accept(presented, issuer, now)
    assert caught.value.reason == expected
