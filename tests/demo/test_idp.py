"""The development identity provider, asked over HTTP as a client would."""

import base64
import hashlib
import http.client
import json
import logging
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPMessage
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError, ExpiredTokenError, InvalidKeyIdError
from joserfc.jwk import KeySet

from rolecall.demo.idp import Client, DevelopmentIdP, Directory, Lifetimes, User, workload

NOW = 1_800_000_000
REDIRECT = "http://127.0.0.1:9/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"

# The names that the vendors' own tokens have.
KEYCLOAK_PERSON = {
    "exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "sid", "acr", "allowed-origins",
    "realm_access", "resource_access", "scope", "groups", "preferred_username", "email",
    "email_verified",
}  # fmt: skip
KEYCLOAK_WORKLOAD = {
    "exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "acr", "resource_access", "scope",
    "clientHost", "clientAddress", "client_id", "preferred_username",
}  # fmt: skip
KEYCLOAK_ID = {
    "exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "nonce", "at_hash", "sid",
}  # fmt: skip
ENTRA_PERSON = {
    "aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "name", "oid", "preferred_username",
    "rh", "roles", "groups", "scp", "sub", "tid", "uti", "ver",
}  # fmt: skip
ENTRA_WORKLOAD = {
    "aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "idtyp", "oid", "rh", "roles", "sub",
    "tid", "uti", "ver",
}  # fmt: skip
ENTRA_ID = {
    "aud", "iss", "iat", "nbf", "exp", "nonce", "oid", "preferred_username", "rh", "sub", "tid",
    "uti", "ver",
}  # fmt: skip


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Answer:
    status: int
    headers: HTTPMessage
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def redirect(self) -> dict[str, str]:
        assert self.status == 302, self.text
        query = urlsplit(self.headers["Location"]).query
        return {name: value for name, [value] in parse_qs(query).items()}


def _has_ipv6_loopback() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def ask(url: str, form: dict[str, str] | None = None, **headers: str) -> Answer:
    data = None if form is None else urlencode(form).encode()
    request = urllib.request.Request(url, data, headers)
    try:
        with _OPENER.open(request) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def claims_of(idp: DevelopmentIdP, token: str, now: float = NOW) -> dict[str, Any]:
    """Verify a token against the published keys, as a gateway would, at the clock's time."""
    published = [key for key in ask(idp.jwks_url).json["keys"] if key["use"] == "sig"]
    decoded = jwt.decode(token, KeySet.import_key_set({"keys": published}), ["RS256", "ES256"])
    registry = jwt.JWTClaimsRegistry(int(now), iss={"essential": True, "value": idp.issuer})
    registry.validate(decoded.claims)
    return decoded.claims


def metadata(idp: DevelopmentIdP) -> Any:
    return ask(idp.issuer + "/.well-known/openid-configuration").json


def sign_in(idp: DevelopmentIdP, username: str = "alice", **form: str) -> Answer:
    asked = {
        "grant_type": "password",
        "client_id": idp.client.client_id,
        "username": username,
        "password": username,
    }
    return ask(idp.token_url, asked | form)


def authorize(idp: DevelopmentIdP, *leave: str, **asked: str) -> str:
    query = {
        "response_type": "code",
        "client_id": idp.client.client_id,
        "redirect_uri": REDIRECT,
        "scope": "openid",
        "state": "s t&te",
        "nonce": "n-0S6",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    query |= asked
    query = {name: value for name, value in query.items() if name not in leave}
    return f"{metadata(idp)['authorization_endpoint']}?{urlencode(query)}"


ALICE = {"username": "alice", "password": "alice", "decision": "approve"}


def redeem(idp: DevelopmentIdP, code: str, *leave: str, **form: str) -> Answer:
    asked = {
        "grant_type": "authorization_code",
        "client_id": idp.client.client_id,
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
    }
    asked |= form
    return ask(idp.token_url, {name: value for name, value in asked.items() if name not in leave})


@pytest.fixture(scope="module")
def keycloak() -> Iterator[DevelopmentIdP]:
    with DevelopmentIdP.start("keycloak", clock=lambda: NOW) as idp:
        yield idp


@pytest.fixture(scope="module")
def entra() -> Iterator[DevelopmentIdP]:
    with DevelopmentIdP.start("entra", clock=lambda: NOW) as idp:
        yield idp


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def timed(clock: Clock) -> Iterator[DevelopmentIdP]:
    with DevelopmentIdP.start(clock=clock) as idp:
        yield idp


@pytest.fixture(params=["keycloak", "entra"])
def idp(request: pytest.FixtureRequest) -> DevelopmentIdP:
    return request.getfixturevalue(request.param)


class TestMetadata:
    def test_keycloak_paths(self, keycloak: DevelopmentIdP):
        realm = f"{keycloak.base_url}/realms/acme"
        assert keycloak.issuer == realm
        assert keycloak.jwks_url == f"{realm}/protocol/openid-connect/certs"
        assert keycloak.token_url == f"{realm}/protocol/openid-connect/token"
        document = metadata(keycloak)
        assert document["authorization_endpoint"] == f"{realm}/protocol/openid-connect/auth"
        assert document["device_authorization_endpoint"].endswith("/openid-connect/auth/device")
        assert document["userinfo_endpoint"].endswith("/openid-connect/userinfo")

    def test_entra_paths(self, entra: DevelopmentIdP):
        tenant = f"{entra.base_url}/11111111-2222-4333-8444-555555555555"
        assert entra.issuer == f"{tenant}/v2.0"
        assert entra.jwks_url == f"{tenant}/discovery/v2.0/keys"
        assert entra.token_url == f"{tenant}/oauth2/v2.0/token"

    def test_discovery_is_consistent(self, idp: DevelopmentIdP):
        document = metadata(idp)
        assert document["issuer"] == idp.issuer
        assert document["jwks_uri"] == idp.jwks_url
        assert document["token_endpoint"] == idp.token_url
        assert idp.discovery_url == f"{idp.issuer}/.well-known/openid-configuration"
        assert document["code_challenge_methods_supported"] == ["S256"]
        assert document["response_types_supported"] == ["code"]
        for name, value in document.items():
            if name.endswith("_endpoint") or name == "jwks_uri":
                assert value.startswith(idp.base_url)
                assert ask(value).status != 404

    def test_keycloak_publishes_an_encryption_key_too(self, keycloak: DevelopmentIdP):
        keys = ask(keycloak.jwks_url).json["keys"]
        assert {(key["use"], key["alg"]) for key in keys} == {("enc", "RSA-OAEP"), ("sig", "RS256")}
        assert all(key["kid"] and not key.keys() & {"d", "p", "q", "dp"} for key in keys)

    def test_entra_keys_have_an_issuer_and_no_algorithm(self, entra: DevelopmentIdP):
        [key] = ask(entra.jwks_url).json["keys"]
        assert key.keys() == {"kty", "use", "kid", "n", "e", "issuer"}
        assert key["issuer"] == entra.issuer


class TestPassword:
    def test_alice_at_keycloak(self, keycloak: DevelopmentIdP):
        response = sign_in(keycloak)
        assert response.status == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json.keys() == {"access_token", "token_type", "expires_in", "scope"}
        claims = claims_of(keycloak, response.json["access_token"])
        assert claims.keys() == KEYCLOAK_PERSON - {"groups"}
        assert claims["typ"] == "Bearer"
        assert claims["azp"] == "litellm-test-client-id"
        assert claims["aud"] == ["litellm-test-client-id", "account"]
        assert claims["resource_access"]["litellm-test-client-id"] == {"roles": ["basic_user"]}
        assert claims["realm_access"]["roles"] == ["offline_access", "default-roles-acme"]
        assert claims["scope"] == "profile email"
        assert claims["exp"] - claims["iat"] == response.json["expires_in"] == 300

    def test_alice_at_entra(self, entra: DevelopmentIdP):
        claims = claims_of(entra, sign_in(entra).json["access_token"])
        assert claims.keys() == ENTRA_PERSON - {"groups"}
        assert claims["ver"] == "2.0"
        assert claims["tid"] == "11111111-2222-4333-8444-555555555555"
        assert claims["aud"] == entra.audience == "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
        assert claims["azp"] == entra.client.client_id
        assert claims["roles"] == ["basic_user"]
        assert claims["scp"] == "access_as_user"

    def test_bob_holds_no_role(self, keycloak: DevelopmentIdP, entra: DevelopmentIdP):
        claims = claims_of(keycloak, sign_in(keycloak, "bob").json["access_token"])
        assert claims["resource_access"].keys() == {"account"}
        assert "roles" not in claims_of(entra, sign_in(entra, "bob").json["access_token"])

    def test_subjects_are_stable_and_tokens_are_not(self, keycloak: DevelopmentIdP):
        first, second = (
            claims_of(keycloak, sign_in(keycloak).json["access_token"]) for _ in range(2)
        )
        assert first["sub"] == second["sub"]
        assert first["jti"] != second["jti"]
        assert first["sid"] != second["sid"]

    def test_openid_adds_an_id_token(self, keycloak: DevelopmentIdP):
        response = sign_in(keycloak, scope="openid").json
        claims = claims_of(keycloak, response["id_token"])
        assert claims["typ"] == "ID"
        assert response["scope"] == "openid profile email"

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"password": "wrong"}, "invalid_grant"),
            ({"password": ""}, "invalid_grant"),
            ({"username": "mallory"}, "invalid_grant"),
            ({"scope": "admin"}, "invalid_scope"),
            ({"client_id": "nobody"}, "invalid_client"),
            ({"client_id": "workload"}, "invalid_client"),
            ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
            ({"grant_type": "pässword"}, "unsupported_grant_type"),
            ({"client_secret": "guess"}, "invalid_client"),
        ],
    )
    def test_refusals(self, keycloak: DevelopmentIdP, form: dict[str, str], error: str):
        response = sign_in(keycloak, **form)
        assert response.status in {400, 401}
        assert response.json["error"] == error

    def test_parameters_in_the_address_are_refused(self, keycloak: DevelopmentIdP):
        response = ask(f"{keycloak.token_url}?username=alice", {"grant_type": "password"})
        assert (response.status, response.json["error"]) == (400, "invalid_request")

    def test_repeated_parameters_are_refused(self, keycloak: DevelopmentIdP):
        request = urllib.request.Request(keycloak.token_url, b"scope=openid&scope=email")
        with pytest.raises(urllib.error.HTTPError) as raised, _OPENER.open(request):
            pass
        with raised.value as error:
            assert (error.code, json.load(error)["error"]) == (400, "invalid_request")


class TestClientCredentials:
    def ask(self, idp: DevelopmentIdP, secret: str | None = None) -> Answer:
        proof = f"{idp.workload.client_id}:{secret or idp.workload.secret}".encode()
        header = f"Basic {base64.b64encode(proof).decode()}"
        return ask(idp.token_url, {"grant_type": "client_credentials"}, Authorization=header)

    def test_keycloak_service_account(self, keycloak: DevelopmentIdP):
        claims = claims_of(keycloak, self.ask(keycloak).json["access_token"])
        assert claims.keys() == KEYCLOAK_WORKLOAD
        assert claims["preferred_username"] == "service-account-workload"
        assert claims["resource_access"]["litellm-test-client-id"]["roles"] == ["basic_user"]

    def test_entra_application(self, entra: DevelopmentIdP):
        claims = claims_of(entra, self.ask(entra).json["access_token"])
        assert claims.keys() == ENTRA_WORKLOAD
        assert claims["sub"] == claims["oid"]
        assert claims["idtyp"] == "app"

    def test_secret_in_the_body(self, idp: DevelopmentIdP):
        form = {
            "grant_type": "client_credentials",
            "client_id": idp.workload.client_id,
            "client_secret": idp.workload.secret or "",
        }
        assert ask(idp.token_url, form).status == 200

    def test_wrong_secret(self, idp: DevelopmentIdP):
        response = self.ask(idp, "wrong")
        assert (response.status, response.json["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith("Basic ")

    def test_public_client_is_refused(self, idp: DevelopmentIdP):
        form = {"grant_type": "client_credentials", "client_id": idp.client.client_id}
        assert ask(idp.token_url, form).json["error"] == "invalid_client"

    @pytest.mark.parametrize("header", ["Basic !", "Basic /w==", "Basic \xe4", "Bearer", "x"])
    def test_unreadable_header(self, keycloak: DevelopmentIdP, header: str):
        response = ask(
            keycloak.token_url, {"grant_type": "client_credentials"}, Authorization=header
        )
        assert (response.status, response.json["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith("Basic ")


class TestAuthorizationCode:
    def code(self, idp: DevelopmentIdP, **asked: str) -> str:
        return ask(authorize(idp, **asked), ALICE).redirect["code"]

    def test_page_lists_the_people(self, idp: DevelopmentIdP):
        page = ask(authorize(idp))
        assert page.status == 200
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert 'value="alice"' in page.text
        assert 'value="bob"' in page.text
        assert "<script" not in page.text

    def test_code_and_state_come_back_with_the_issuer(self, idp: DevelopmentIdP):
        response = ask(authorize(idp), ALICE)
        assert response.headers["Location"].startswith(REDIRECT + "?")
        assert response.redirect["state"] == "s t&te"
        assert response.redirect["iss"] == idp.issuer

    @pytest.mark.parametrize(
        ("shape", "access", "identity"),
        [("keycloak", KEYCLOAK_PERSON, KEYCLOAK_ID), ("entra", ENTRA_PERSON, ENTRA_ID)],
    )
    def test_tokens(
        self,
        shape: str,
        access: set[str],
        identity: set[str],
        request: pytest.FixtureRequest,
    ):
        idp = request.getfixturevalue(shape)
        response = redeem(idp, self.code(idp)).json
        assert claims_of(idp, response["access_token"]).keys() == access - {"groups"}
        claims = claims_of(idp, response["id_token"])
        assert claims.keys() >= identity
        assert claims["aud"] == idp.client.client_id
        assert claims["nonce"] == "n-0S6"
        digest = hashlib.sha256(response["access_token"].encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def test_without_openid_there_is_no_id_token(self, idp: DevelopmentIdP):
        assert "id_token" not in redeem(idp, self.code(idp, scope="profile")).json

    def test_the_session_ties_the_tokens_together(self, keycloak: DevelopmentIdP):
        response = redeem(keycloak, self.code(keycloak)).json
        access, identity = (
            claims_of(keycloak, response[name]) for name in ("access_token", "id_token")
        )
        assert access["sid"] == identity["sid"]
        assert access["sub"] == identity["sub"]

    @pytest.mark.parametrize(
        ("leave", "form", "error"),
        [
            ((), {"code_verifier": VERIFIER[:-1] + "l"}, "invalid_grant"),
            (("code_verifier",), {}, "invalid_request"),
            ((), {"redirect_uri": REDIRECT + "/other"}, "invalid_grant"),
            ((), {"code": "unknown"}, "invalid_grant"),
        ],
    )
    def test_a_code_is_bound(
        self,
        keycloak: DevelopmentIdP,
        leave: tuple[str, ...],
        form: dict[str, str],
        error: str,
    ):
        asked = {"code": self.code(keycloak)} | form
        response = redeem(keycloak, asked.pop("code"), *leave, **asked)
        assert (response.status, response.json["error"]) == (400, error)

    def test_a_code_is_good_once(self, keycloak: DevelopmentIdP):
        code = self.code(keycloak)
        assert redeem(keycloak, code).status == 200
        assert redeem(keycloak, code).json["error"] == "invalid_grant"

    def test_a_failed_proof_spends_the_code(self, keycloak: DevelopmentIdP):
        code = self.code(keycloak)
        redeem(keycloak, code, code_verifier="x" * 43)
        assert redeem(keycloak, code).json["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        ("leave", "asked", "error"),
        [
            (("code_challenge",), {}, "invalid_request"),
            (("code_challenge_method",), {}, "invalid_request"),
            ((), {"code_challenge_method": "plain"}, "invalid_request"),
            ((), {"code_challenge": "short"}, "invalid_request"),
            ((), {"scope": "openid admin"}, "invalid_scope"),
            ((), {"prompt": "none"}, "login_required"),
            ((), {"response_type": "token"}, "unsupported_response_type"),
        ],
    )
    def test_errors_go_back_to_the_client(
        self,
        keycloak: DevelopmentIdP,
        leave: tuple[str, ...],
        asked: dict[str, str],
        error: str,
    ):
        answered = ask(authorize(keycloak, *leave, **asked), ALICE).redirect
        assert (answered["error"], answered["state"]) == (error, "s t&te")
        assert answered["iss"] == keycloak.issuer

    @pytest.mark.parametrize(
        ("leave", "asked"),
        [
            (("client_id",), {}),
            ((), {"client_id": "nobody"}),
            (("redirect_uri",), {}),
            ((), {"redirect_uri": "https://attacker.example/"}),
            ((), {"redirect_uri": "http://127.0.0.1@attacker.example/"}),
            ((), {"redirect_uri": "http://127.0.0.1.attacker.example/"}),
            ((), {"redirect_uri": "http://127.0.0.1:9/#fragment"}),
            ((), {"redirect_uri": 'http://127.0.0.1/"ä'}),
            ((), {"redirect_uri": "javascript:alert(1)"}),
            ((), {"response_type": 'co"de'}),
        ],
    )
    def test_untrusted_requests_are_not_redirected(
        self, keycloak: DevelopmentIdP, leave: tuple[str, ...], asked: dict[str, str]
    ):
        response = ask(authorize(keycloak, *leave, **asked), ALICE)
        assert response.status == 400
        assert "The request was refused" in response.text
        assert "Location" not in response.headers

    def test_wrong_password_shows_the_page_again(self, keycloak: DevelopmentIdP):
        response = ask(authorize(keycloak), ALICE | {"username": "bob"})
        assert response.status == 400
        assert "This is not the person&#39;s password." in response.text

    def test_cancelling(self, keycloak: DevelopmentIdP):
        answered = ask(authorize(keycloak), {"decision": "deny"}).redirect
        assert answered["error"] == "access_denied"
        assert answered["state"] == "s t&te"

    def test_a_request_in_the_body_goes_on_in_the_page(self, keycloak: DevelopmentIdP):
        url, _, query = authorize(keycloak).partition("?")
        body = {name: value for name, [value] in parse_qs(query).items()}
        page = ask(url, body)
        assert page.status == 200
        assert f"code_challenge={CHALLENGE}" in page.text

    def test_the_policy_admits_the_page_own_style(self, keycloak: DevelopmentIdP):
        page = ask(authorize(keycloak))
        style = page.text.partition("<style>")[2].partition("</style>")[0]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in page.headers["Content-Security-Policy"]

    def test_values_are_escaped_in_the_page(self, keycloak: DevelopmentIdP):
        page = ask(authorize(keycloak, state='"><script>'), {"username": '"><script>'})
        assert "<script" not in page.text

    def test_a_code_expires(self):
        clock = Clock()
        with DevelopmentIdP.start(clock=clock, lifetimes=Lifetimes(authorization_code=30)) as idp:
            code = self.code(idp)
            clock.now += 30
            assert redeem(idp, code).json["error"] == "invalid_grant"


class TestDeviceFlow:
    @pytest.fixture
    def idp(self, timed: DevelopmentIdP) -> DevelopmentIdP:
        return timed

    def begin(self, idp: DevelopmentIdP, **form: str) -> Answer:
        asked = {"client_id": idp.client.client_id, "scope": "openid"}
        return ask(metadata(idp)["device_authorization_endpoint"], asked | form)

    def poll(self, idp: DevelopmentIdP, device_code: str) -> Answer:
        client = idp.client.client_id
        form = {"grant_type": DEVICE, "device_code": device_code, "client_id": client}
        return ask(idp.token_url, form)

    def test_begin(self, idp: DevelopmentIdP):
        begun = self.begin(idp).json
        assert begun["verification_uri"] == f"{idp.issuer}/device"
        assert begun["verification_uri_complete"].endswith(f"?user_code={begun['user_code']}")
        assert (begun["expires_in"], begun["interval"]) == (600, 5)
        page = ask(begun["verification_uri_complete"])
        assert page.status == 200
        assert begun["user_code"] in page.text

    def test_pending_then_approved(self, idp: DevelopmentIdP, clock: Clock):
        begun = self.begin(idp).json
        pending = self.poll(idp, begun["device_code"])
        assert (pending.status, pending.json["error"]) == (400, "authorization_pending")
        typed = begun["user_code"].replace("-", " ").lower()
        page = ask(begun["verification_uri"], ALICE | {"user_code": typed})
        assert (page.status, "Device approved" in page.text) == (200, True)
        response = self.poll(idp, begun["device_code"]).json
        access, identity = (
            claims_of(idp, response[name], clock.now) for name in ("access_token", "id_token")
        )
        assert access["preferred_username"] == "alice"
        assert identity["aud"] == idp.client.client_id
        assert self.poll(idp, begun["device_code"]).json["error"] == "invalid_grant"

    def test_denied(self, idp: DevelopmentIdP):
        begun = self.begin(idp).json
        form = ALICE | {"user_code": begun["user_code"]}
        page = ask(begun["verification_uri"], form | {"decision": "deny"})
        assert "Device denied" in page.text
        assert self.poll(idp, begun["device_code"]).json["error"] == "access_denied"
        assert ask(begun["verification_uri"], form).status == 400

    def test_polling_too_fast_lengthens_the_wait(self, idp: DevelopmentIdP, clock: Clock):
        device_code = self.begin(idp).json["device_code"]
        heard = []
        for wait in (0, 4, 9, 15, 14):
            clock.now += wait
            heard.append(self.poll(idp, device_code).json["error"])
        pending, slow = "authorization_pending", "slow_down"
        assert heard == [pending, slow, slow, pending, slow]

    def test_expired(self, idp: DevelopmentIdP, clock: Clock):
        begun = self.begin(idp).json
        clock.now += begun["expires_in"]
        assert self.poll(idp, begun["device_code"]).json["error"] == "expired_token"
        page = ask(begun["verification_uri"], ALICE | {"user_code": begun["user_code"]})
        assert (page.status, "No device waits with this code." in page.text) == (400, True)

    def test_wrong_password_decides_nothing(self, idp: DevelopmentIdP):
        begun = self.begin(idp).json
        form = ALICE | {"user_code": begun["user_code"], "password": "bob"}
        assert ask(begun["verification_uri"], form).status == 400
        assert self.poll(idp, begun["device_code"]).json["error"] == "authorization_pending"

    def test_unknown_code(self, idp: DevelopmentIdP):
        assert self.poll(idp, "unknown").json["error"] == "invalid_grant"

    def test_client_without_the_grant(self, idp: DevelopmentIdP):
        form = {
            "client_id": idp.workload.client_id,
            "client_secret": idp.workload.secret or "",
        }
        assert self.begin(idp, **form).json["error"] == "unauthorized_client"

    def test_unknown_scope(self, idp: DevelopmentIdP):
        assert self.begin(idp, scope="admin").json["error"] == "invalid_scope"


class TestUserInfo:
    def ask(self, idp: DevelopmentIdP, token: str) -> Answer:
        return ask(metadata(idp)["userinfo_endpoint"], Authorization=f"Bearer {token}")

    def test_person(self, idp: DevelopmentIdP):
        signed_in = sign_in(idp, scope="openid").json
        info = self.ask(idp, signed_in["access_token"])
        assert info.status == 200
        assert info.json["name"] == "Alice"
        assert info.json["sub"] == claims_of(idp, signed_in["id_token"])["sub"]

    def test_no_token(self, idp: DevelopmentIdP):
        response = ask(metadata(idp)["userinfo_endpoint"])
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].lower().startswith("bearer ")

    def test_keycloak_wants_the_openid_scope(self, keycloak: DevelopmentIdP):
        response = self.ask(keycloak, sign_in(keycloak).json["access_token"])
        assert (response.status, response.json["error"]) == (403, "insufficient_scope")

    def test_other_tokens_are_refused(self, idp: DevelopmentIdP):
        identity = sign_in(idp, scope="openid").json["id_token"]
        for token in (identity, idp.mint("expired"), idp.mint("forged"), "x.y.z", "x"):
            response = self.ask(idp, token)
            assert (response.status, response.json["error"]) == (401, "invalid_token")

    def test_a_program_is_no_person(self, entra: DevelopmentIdP):
        token = TestClientCredentials().ask(entra).json["access_token"]
        assert self.ask(entra, token).json["error"] == "invalid_token"


class TestMint:
    def test_valid(self, idp: DevelopmentIdP):
        assert "sub" in claims_of(idp, idp.mint())

    def test_expired(self, idp: DevelopmentIdP):
        with pytest.raises(ExpiredTokenError):
            claims_of(idp, idp.mint("expired"))

    def test_forged_names_the_real_key(self, idp: DevelopmentIdP):
        forged, valid = (idp.mint(kind).split(".")[0] for kind in ("forged", "valid"))
        assert forged == valid
        with pytest.raises(BadSignatureError):
            claims_of(idp, idp.mint("forged"))

    def test_claims_are_replaced(self, keycloak: DevelopmentIdP):
        claims = claims_of(keycloak, keycloak.mint(username="bob", claims={"aud": "other"}))
        assert (claims["aud"], claims["preferred_username"]) == ("other", "bob")

    def test_unknown_person(self, keycloak: DevelopmentIdP):
        with pytest.raises(KeyError):
            keycloak.mint(username="mallory")


class TestKeys:
    def test_rotation(self):
        with DevelopmentIdP.start(clock=lambda: NOW) as idp:
            old = idp.mint()
            key_id = idp.rotate()
            assert key_id in {key["kid"] for key in ask(idp.jwks_url).json["keys"]}
            assert claims_of(idp, old)
            assert claims_of(idp, idp.mint())
            idp.drop_old()
            assert claims_of(idp, idp.mint())
            with pytest.raises(InvalidKeyIdError):
                claims_of(idp, old)

    def test_elliptic_curve(self):
        with DevelopmentIdP.start(algorithm="ES256", clock=lambda: NOW) as idp:
            assert metadata(idp)["id_token_signing_alg_values_supported"] == ["ES256"]
            assert claims_of(idp, sign_in(idp).json["access_token"])


class TestServer:
    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "localhost", "example.com", ""])
    def test_only_loopback(self, host: str):
        with pytest.raises(ValueError, match="on loopback only"):
            DevelopmentIdP.start(host=host)

    def test_a_taken_port_is_an_error(self, keycloak: DevelopmentIdP):
        port = urlsplit(keycloak.base_url).port
        with pytest.raises(OSError, match="in use"):
            DevelopmentIdP.start(port=port or 0)

    def test_stopped_is_gone_and_its_port_is_free(self):
        with DevelopmentIdP.start() as idp:
            port = urlsplit(idp.base_url).port
            assert ask(idp.jwks_url).status == 200
        idp.stop()
        with pytest.raises(urllib.error.URLError):
            ask(idp.jwks_url)
        with DevelopmentIdP.start(port=port or 0) as again:
            assert again.issuer == idp.issuer

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:1", 200),
            ("127.0.0.1", 200),
            ("[::1]", 200),
            ("attacker.example", 400),
            ("127.0.0.1.attacker.example", 400),
            ("192.0.2.1", 400),
            ("a b", 400),
        ],
    )
    def test_only_loopback_names_are_answered(
        self, keycloak: DevelopmentIdP, host: str, status: int
    ):
        for url in (keycloak.jwks_url, authorize(keycloak)):
            assert ask(url, Host=host).status == status

    @pytest.mark.skipif(not _has_ipv6_loopback(), reason="no IPv6 loopback interface")
    def test_ipv6(self):
        with DevelopmentIdP.start(host="::1", clock=lambda: NOW) as idp:
            assert idp.base_url.startswith("http://[::1]:")
            assert claims_of(idp, sign_in(idp).json["access_token"])

    def test_large_body_is_refused(self, keycloak: DevelopmentIdP):
        assert sign_in(keycloak, scope="x" * 20_000).status == 413

    def test_nothing_secret_is_logged(
        self,
        keycloak: DevelopmentIdP,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ):
        caplog.set_level(logging.DEBUG)
        token = sign_in(keycloak, scope="openid").json["access_token"]
        code = ask(authorize(keycloak), ALICE).redirect["code"]
        redeem(keycloak, code)
        sign_in(keycloak, password="a wrong secret")
        TestClientCredentials().ask(keycloak)
        logged = caplog.text + "".join(capfd.readouterr())
        for secret in (token, "eyJ", code, "a wrong secret", keycloak.workload.secret or ""):
            assert secret not in logged

    def test_repr_shows_no_password(self, keycloak: DevelopmentIdP):
        assert "workload-development-secret" not in repr(keycloak)
        assert "hunter2" not in repr(User("carol", "hunter2"))

    def test_requests_at_once(self, keycloak: DevelopmentIdP):
        address = urlsplit(keycloak.base_url).netloc
        waiting = http.client.HTTPConnection(address)
        waiting.connect()
        try:
            assert sign_in(keycloak).status == 200
        finally:
            waiting.close()


class TestDirectory:
    def test_own_people_and_clients(self):
        directory = Directory(
            realm="other",
            audience="com.example.gw",
            users=(
                User("carol", "secret", ("gold",), realm_roles=("staff",), groups=("/ai/gold",)),
            ),
            clients=(
                Client("spa", redirect_uris=("https://app.example.com/callback",)),
                workload("batch"),
            ),
        )
        lifetimes = Lifetimes(access_token=7)
        with DevelopmentIdP.start(
            directory=directory, lifetimes=lifetimes, clock=lambda: NOW
        ) as idp:
            assert idp.issuer.endswith("/realms/other")
            assert sign_in(idp).json["error"] == "invalid_grant"
            claims = claims_of(idp, sign_in(idp, "carol", password="secret").json["access_token"])
            assert claims.keys() == KEYCLOAK_PERSON
            assert claims["resource_access"]["com.example.gw"]["roles"] == ["gold"]
            assert claims["realm_access"]["roles"][-1] == "staff"
            assert claims["groups"] == ["/ai/gold"]
            assert claims["exp"] - claims["iat"] == 7
            exact = authorize(idp, redirect_uri="https://app.example.com/callback")
            page = ask(exact)
            assert page.status == 200
            assert "Every development password" not in page.text

    def test_codes_belong_to_their_client(self):
        directory = Directory(
            realm="acme",
            audience="gateway",
            users=(User("alice", "alice"),),
            clients=(Client("one"), Client("two")),
        )
        with DevelopmentIdP.start(directory=directory) as idp:
            code = ask(authorize(idp), ALICE).redirect["code"]
            assert redeem(idp, code, client_id="two").json["error"] == "invalid_grant"
            begun = ask(metadata(idp)["device_authorization_endpoint"], {"client_id": "one"}).json
            form = {"grant_type": DEVICE, "client_id": "two", "device_code": begun["device_code"]}
            assert ask(idp.token_url, form).json["error"] == "unauthorized_client"
