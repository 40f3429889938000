"""What kind of token it is (RFC 8725 3.11, 3.12), and what kind of caller."""

import pytest

from rolecall.identity import caller_from
from rolecall.identity.profiles import PROFILES

from .parts.gate import CLAIMS, SIGNER, gate, settings, verdict

TYPES = {
    "missing": (None, "accepted"),
    "JWT": ("JWT", "accepted"),
    "jwt": ("jwt", "accepted"),
    "at+jwt": ("at+jwt", "accepted"),
    "at+JWT": ("at+JWT", "accepted"),
    "application/at+jwt": ("application/at+jwt", "accepted"),
    "Application/AT+JWT": ("Application/AT+JWT", "accepted"),
    "a logout token": ("logout+jwt", "wrong_token_kind"),
    "a logout token, in full": ("application/logout+jwt", "wrong_token_kind"),
    "a DPoP proof": ("dpop+jwt", "wrong_token_kind"),
    "a security event": ("secevent+jwt", "wrong_token_kind"),
    "an answer of introspection": ("token-introspection+jwt", "wrong_token_kind"),
    "an authorization request": ("oauth-authz-req+jwt", "wrong_token_kind"),
    "a client assertion": ("client-authentication+jwt", "wrong_token_kind"),
    "a key binding": ("kb+jwt", "wrong_token_kind"),
    "an ID token": ("id+jwt", "wrong_token_kind"),
    "a refresh token": ("refresh+jwt", "wrong_token_kind"),
    "JOSE": ("JOSE", "wrong_token_kind"),
    "empty": ("", "wrong_token_kind"),
    "the prefix alone": ("application/", "wrong_token_kind"),
    "the prefix twice": ("application/application/at+jwt", "wrong_token_kind"),
    "a space after": ("at+jwt ", "wrong_token_kind"),
    "a parameter": ("at+jwt; x=y", "wrong_token_kind"),
    "a number": (1, "wrong_token_kind"),
    "a list": (["at+jwt"], "wrong_token_kind"),
    "an object": ({}, "wrong_token_kind"),
}


TENANT = "11111111-2222-4333-8444-555555555555"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
MARKS = {
    "typ": "Bearer",
    "azp": "chat-ui",
    "iss": ENTRA,
    "tid": TENANT,
    "cid": "chat-ui",
    "token_use": "access",
    "sub": "system:serviceaccount:data:batch",
    "kubernetes.io": {"namespace": "data", "serviceaccount": {"name": "batch", "uid": "u"}},
}
"""What one provider or another wants to see, and none minds."""


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"google"}))
@pytest.mark.parametrize(("typ", "expected"), TYPES.values(), ids=TYPES)
async def test_c23_t21_the_header_s_typ_is_that_of_an_access_token(profile, typ, expected):
    claims = {**CLAIMS, **MARKS}
    async with gate(settings(ENTRA, profile=profile)) as verifier:
        assert await verdict(verifier, SIGNER.token(claims, {"typ": typ})) == expected


async def test_c23_the_header_s_typ_may_not_be_null():
    header = b'{"alg":"ES256","kid":"k1","typ":null}'
    async with gate() as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS, header)) == "wrong_token_kind"


LOGOUT = {"http://schemas.openid.net/event/backchannel-logout": {}}
AUD = CLAIMS["aud"]
KINDS = {
    # what marks another kind
    "Cognito's ID token": ({"token_use": "id"}, "wrong_token_kind"),
    "a refresh token": ({"token_use": "refresh"}, "wrong_token_kind"),
    "a logout token": ({"events": LOGOUT}, "wrong_token_kind"),
    "events null": ({"events": None}, "wrong_token_kind"),
    "at_hash": ({"at_hash": "h"}, "wrong_token_kind"),
    "c_hash": ({"c_hash": "h"}, "wrong_token_kind"),
    "nonce, no azp": ({"nonce": "n"}, "wrong_token_kind"),
    "nonce, azp is aud": ({"nonce": "n", "azp": AUD}, "wrong_token_kind"),
    "nonce, azp is the only aud": ({"nonce": "n", "azp": AUD, "aud": [AUD]}, "wrong_token_kind"),
    "nonce, aud a list": ({"nonce": "n", "aud": [AUD, "x"]}, "wrong_token_kind"),
    "Keycloak's ID token": ({"typ": "ID"}, "wrong_token_kind"),
    "Keycloak's refresh token": ({"typ": "Refresh"}, "wrong_token_kind"),
    "Keycloak's offline token": ({"typ": "Offline"}, "wrong_token_kind"),
    "Keycloak's logout token": ({"typ": "Logout"}, "wrong_token_kind"),
    # what does not
    "Cognito's access token": ({"token_use": "access"}, "accepted"),
    "Keycloak's access token": ({"typ": "Bearer"}, "accepted"),
    "nonce, azp is another": ({"nonce": "n", "azp": "chat-ui"}, "accepted"),
    "nonce, azp is one of several": ({"nonce": "n", "azp": AUD, "aud": [AUD, "x"]}, "accepted"),
    "auth_time and acr": ({"auth_time": 1, "acr": "1", "amr": ["pwd"], "sid": "s"}, "accepted"),
    # types that no provider sends
    "token_use a list": ({"token_use": ["id"]}, "accepted"),
    "token_use an object": ({"token_use": {}}, "accepted"),
    "typ a list": ({"typ": ["ID"]}, "accepted"),
    "typ an object": ({"typ": {}}, "accepted"),
}


@pytest.mark.parametrize(("changes", "expected"), KINDS.values(), ids=KINDS)
async def test_c24_t21_the_payload_s_marks_tell_an_access_token_from_others(changes, expected):
    async with gate() as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, **changes})) == expected


@pytest.mark.parametrize(
    ("typ", "expected"),
    [
        ("Bearer", "accepted"),
        ("DPoP", "accepted"),
        ("bearer", "wrong_token_kind"),
        ("ID", "wrong_token_kind"),
        ("Refresh", "wrong_token_kind"),
        ("Offline", "wrong_token_kind"),
        ("Logout", "wrong_token_kind"),
        ("Serialized-ID", "wrong_token_kind"),
        ("", "wrong_token_kind"),
        (None, "wrong_token_kind"),
        (["Bearer"], "wrong_token_kind"),
        ({"Bearer": True}, "wrong_token_kind"),
    ],
)
async def test_c24_t21_keycloak_says_bearer_in_the_payload(typ, expected):
    async with gate(settings(profile="keycloak")) as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, "typ": typ})) == expected


async def test_keycloak_s_tokens_all_have_a_typ_in_the_payload():
    async with gate(settings(profile="keycloak")) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "wrong_token_kind"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"azp": "chat-ui", "scp": "access_as_user"}, "accepted"),
        ({"appid": "chat-ui", "scp": "access_as_user"}, "accepted"),
        ({"azp": "chat-ui"}, "accepted"),
        ({}, "wrong_token_kind"),
        ({"scp": "access_as_user"}, "wrong_token_kind"),
        ({"nonce": "n"}, "wrong_token_kind"),
    ],
)
async def test_c24_t21_entra_s_access_tokens_name_a_client_and_its_id_tokens_do_not(
    changes, expected
):
    claims = {**CLAIMS, "iss": ENTRA, "tid": TENANT, **changes}
    async with gate(settings(ENTRA, profile="entra")) as verifier:
        assert await verdict(verifier, SIGNER.token(claims)) == expected


# The caller

CALLERS = {
    "a person": ("generic", {"client_id": "ui"}, "ui", "person"),
    "a person, with azp": ("generic", {"azp": "ui"}, "ui", "person"),
    "client_id before azp": ("generic", {"client_id": "a", "azp": "b"}, "a", "person"),
    "nobody's client": ("generic", {}, None, "person"),
    "a workload": ("generic", {"client_id": "john"}, "john", "workload"),
    "a workload, with azp": ("generic", {"azp": "john"}, "john", "workload"),
    "Keycloak: a person": (
        "keycloak",
        {"azp": "ui", "preferred_username": "john"},
        "ui",
        "person",
    ),
    "Keycloak: a service account": (
        "keycloak",
        {"azp": "ci", "client_id": "ci", "preferred_username": "service-account-ci"},
        "ci",
        "workload",
    ),
    "Keycloak: a person with such a name": (
        "keycloak",
        {"azp": "ui", "preferred_username": "service-account-ci"},
        "ui",
        "person",
    ),
    "Keycloak: a name of another type": (
        "keycloak",
        {"azp": "ui", "client_id": "ui", "preferred_username": ["service-account-ci"]},
        "ui",
        "person",
    ),
    "Entra: a person": ("entra", {"azp": "ui", "scp": "x"}, "ui", "person"),
    "Entra: a person, v1": ("entra", {"appid": "ui", "scp": "x"}, "ui", "person"),
    "Entra: a program": ("entra", {"azp": "ci"}, "ci", "workload"),
    "Entra: a program that says so": ("entra", {"azp": "ci", "idtyp": "app"}, "ci", "workload"),
    "Entra: a program that says so and has scopes": (
        "entra",
        {"azp": "ci", "idtyp": "app", "scp": "x"},
        "ci",
        "workload",
    ),
    "Okta: a person": ("okta", {"cid": "ui", "uid": "00u1"}, "ui", "person"),
    "Okta: a program": ("okta", {"cid": "john"}, "john", "workload"),
    "Okta: a person who is called like a program": (
        "okta",
        {"cid": "john", "uid": "00u1"},
        "john",
        "person",
    ),
    "Auth0: a person": ("auth0", {"azp": "ui"}, "ui", "person"),
    "Auth0: a program by its name": ("auth0", {"azp": "ci", "sub": "ci@clients"}, "ci", "workload"),
    "Auth0: a program by its grant": (
        "auth0",
        {"azp": "ci", "gty": "client-credentials"},
        "ci",
        "workload",
    ),
    "Auth0: a person's name that begins so": (
        "auth0",
        {"azp": "ui", "sub": "@clients|john"},
        "ui",
        "person",
    ),
    "Cognito: a person": ("cognito", {"client_id": "ui", "username": "john"}, "ui", "person"),
    "Cognito: a program": ("cognito", {"client_id": "john"}, "john", "workload"),
    "Cognito: a person who is called like a program": (
        "cognito",
        {"client_id": "john", "username": "john"},
        "john",
        "person",
    ),
    "Google: a person": ("google", {"azp": "ui", "email": "john@example.com"}, "ui", "person"),
    "Google: a program": (
        "google",
        {"azp": "ci", "email": "ci@project.iam.gserviceaccount.com"},
        "ci",
        "workload",
    ),
}


AUTH0 = {
    "azp": ({"azp": "ui"}, "accepted"),
    "client_id": ({"client_id": "ui"}, "accepted"),
    "neither: an ID token": ({}, "wrong_token_kind"),
}


@pytest.mark.parametrize(("claims", "expected"), AUTH0.values(), ids=AUTH0)
async def test_c24_t21_auth0_s_access_tokens_name_a_client_and_its_id_tokens_do_not(
    claims, expected
):
    async with gate(settings(profile="auth0")) as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, **claims})) == expected


def test_whoever_has_neither_client_nor_sub_is_no_workload():
    found = caller_from(settings(subject=("email",)), {"email": "john@example.com"})
    assert (found.subject, found.client, found.kind) == ("john@example.com", None, "person")


GOOGLE_S = {
    "missing": (None, "accepted"),
    "JWT": ("JWT", "accepted"),
    "jwt": ("jwt", "accepted"),
    "an access token's": ("at+jwt", "wrong_token_kind"),
    "a logout token's": ("logout+jwt", "wrong_token_kind"),
    "a security event's": ("secevent+jwt", "wrong_token_kind"),
    "a list": (["JWT"], "wrong_token_kind"),
    "a number": (1, "wrong_token_kind"),
}


@pytest.mark.parametrize(("typ", "expected"), GOOGLE_S.values(), ids=GOOGLE_S)
async def test_c23_t21_google_s_id_tokens_have_no_type_of_their_own(typ, expected):
    async with gate(settings(profile="google")) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS, {"typ": typ})) == expected


@pytest.mark.parametrize(("profile", "claims", "client", "kind"), CALLERS.values(), ids=CALLERS)
def test_a_caller_is_a_person_or_a_workload_behind_a_client(profile, claims, client, kind):
    caller = caller_from(settings(profile=profile), {"sub": "john", **claims})
    assert (caller.client, caller.kind) == (client, kind)
