"""``introspection:`` and ``userinfo:`` of an issuer, and LiteLLM's ``oidc_userinfo_*``."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from rolecall.config import Client, KeysFrom, MetadataAt, Opaque, Reach
from rolecall.config.signing_key import read_signing_key
from tests.identity.parts import tls

POLICY = (
    "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}]\n"
    "models: [{name: a, model: gpt-4o, api_key: k}]\n"
)
LOGIN = "https://login.example.com"
ENDPOINT = f"{LOGIN}/introspect"
ASK = f"endpoint: '{ENDPOINT}', client_id: gw"


def issuer(text, name=LOGIN):
    return f"{{issuer: '{name}', audience: gw, {text}}}"


def one(text):
    return POLICY + f"issuers: [{issuer(text)}]"


def pem(private, password=None):
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("client") / "client.pem"
    file.write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    return file


def test_introspection_has_careful_defaults(settings):
    (found,) = settings(one(f"introspection: {{{ASK}, client_secret: s3cret}}")).issuers
    assert found.opaque == Opaque(
        endpoint=ENDPOINT,
        client=Client("client_secret_basic", "gw", "s3cret"),
        reach=Reach(),
        prefix="",
        ttl=60,
        negative_ttl=5,
        timeout=5,
    )
    assert found.keys.anywhere
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    "way",
    [f"introspection: {{{ASK}, client_secret: s", "userinfo: {endpoint: 'https://x.example/me'"],
)
def test_an_issuer_may_be_asked_about_signed_tokens_too(settings, way):
    (found,) = settings(one(f"{way}, tokens: all}}")).issuers
    assert found.opaque.tokens == "all"


def test_introspection_says_everything_itself(settings):
    text = (
        f"introspection: {{{ASK}, client_secret: s, client_auth: client_secret_post,"
        " prefix: ory_at_, ttl: 300, negative_ttl: 0, timeout: 0.5},"
        " private_network: true, ca_file: ca.pem"
    )
    (found,) = settings(one(text)).issuers
    assert found.opaque == Opaque(
        endpoint=ENDPOINT,
        client=Client("client_secret_post", "gw", "s"),
        reach=Reach(ca_file="ca.pem", private_network=True),
        prefix="ory_at_",
        ttl=300,
        negative_ttl=0,
        timeout=0.5,
    )


def test_a_private_key_is_read_at_once(settings, key_file):
    text = f"introspection: {{{ASK}, private_key_file: '{key_file}', private_key_id: k1}}"
    (found,) = settings(one(text)).issuers
    client = found.opaque.client
    assert (client.method, client.secret) == ("private_key_jwt", None)
    assert (client.signing_key.algorithm, client.signing_key.key_id) == ("ES256", "k1")


def test_an_issuer_may_have_no_signed_tokens(settings):
    text = f"signed_tokens: false, introspection: {{{ASK}, client_secret: s}}"
    (found,) = settings(one(text)).issuers
    assert found.keys == KeysFrom()
    assert not found.keys.anywhere


WELL_KNOWN = f"{LOGIN}/.well-known/openid-configuration"
OAUTH = f"{LOGIN}/.well-known/oauth-authorization-server"
SIGNED = "signed_response: true"
WAYS = {"introspection": "{client_id: gw, client_secret: s}", "userinfo": "{ttl: 60}"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("text", "metadata", "keys"),
    [
        ("", WELL_KNOWN, KeysFrom(discovery_url=WELL_KNOWN)),
        (f"discovery_url: '{OAUTH}',", OAUTH, KeysFrom(discovery_url=OAUTH)),
        (f"jwks_url: '{LOGIN}/keys',", WELL_KNOWN, KeysFrom(jwks_url=f"{LOGIN}/keys")),
        ("signed_tokens: false,", WELL_KNOWN, KeysFrom()),
        (f"signed_tokens: false, discovery_url: '{OAUTH}',", OAUTH, KeysFrom()),
    ],
    ids=["as keys are found", "RFC 8414", "beside jwks_url", "without keys", "both"],
)
def test_an_endpoint_that_is_not_written_is_looked_up_in_the_metadata(
    settings, way, text, metadata, keys
):
    (found,) = settings(one(f"{text} {way}: {WAYS[way]}")).issuers
    assert found.opaque.endpoint == MetadataAt(metadata)
    assert found.keys == keys


def test_metadata_are_had_as_keys_are(settings):
    text = (
        "introspection: {client_id: gw, client_secret: s}, private_network: true, ca_file: ca.pem,"
        " bearer_file: token, refresh: 60, max_stale: 0"
    )
    (found,) = settings(one(text)).issuers
    reach = Reach("ca.pem", private_network=True, bearer_file="token")
    assert found.opaque.endpoint == MetadataAt(WELL_KNOWN, reach, max_stale=0, refresh=60)
    assert found.opaque.reach == replace(reach, bearer_file=None)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", KeysFrom(discovery_url=WELL_KNOWN)),
        (f"jwks_url: '{LOGIN}/keys',", KeysFrom(jwks_url=f"{LOGIN}/keys")),
        ("signed_tokens: false,", KeysFrom(discovery_url=WELL_KNOWN)),
        (f"signed_tokens: false, jwks_url: '{LOGIN}/k',", KeysFrom(jwks_url=f"{LOGIN}/k")),
    ],
    ids=["by metadata", "by URL", "for answers alone", "for answers alone, by URL"],
)
def test_signed_answers_need_the_issuer_s_keys(settings, text, keys):
    (found,) = settings(one(f"{text} introspection: {{{ASK}, client_secret: s, {SIGNED}}}")).issuers
    assert found.opaque.signed_response
    assert found.keys == keys
    assert found.signed_tokens == ("signed_tokens" not in text)


@pytest.mark.parametrize("way", WAYS)
def test_an_issuer_that_is_no_url_has_no_metadata(told, way):
    text = issuer(f"jwks_url: '{LOGIN}/keys', {way}: {WAYS[way]}", "kubernetes/serviceaccount")
    assert any(
        f"error: issuers[0].{way}.endpoint: is missing, and no metadata can name it: issuer is not"
        " a URL; write https://host/path." in line
        for line in told(POLICY + f"issuers: [{text}]")
    )


def test_a_client_certificate_is_shown_at_the_endpoint_alone(settings, tmp_path):
    ours = tls.certificate(tmp_path)
    text = f"client_id: gw, client_cert: '{ours.file}', client_key: '{ours.key}'"
    (found,) = settings(one(f"introspection: {{{text}}}")).issuers
    assert found.opaque.client == Client("tls_client_auth", "gw")
    assert found.opaque.reach == Reach(certificate=str(ours.file), key=str(ours.key))
    assert found.opaque.endpoint.reach == found.keys.reach == Reach()


def test_a_client_certificate_is_shown_beside_a_secret_too(settings, tmp_path):
    ours = tls.certificate(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(ours.file.read_bytes() + ours.key.read_bytes())
    text = f"introspection: {{{ASK}, client_secret: s, client_cert: '{both}'}}"
    (found,) = settings(one(text)).issuers
    assert found.opaque.client.method == "client_secret_basic"
    assert found.opaque.reach == Reach(certificate=str(both))


NEEDS_CLIENT = (
    "issuers[0].introspection: needs client_secret, private_key_file or client_cert:"
    " introspection is for clients that show who they are (RFC 7662 2.1)."
)
FAULTS = {
    "nobody asks": (f"introspection: {{{ASK}}}", NEEDS_CLIENT),
    "no client ID": (
        f"introspection: {{endpoint: '{ENDPOINT}', client_secret: s}}",
        "issuers[0].introspection.client_id: is missing.",
    ),
    "no endpoint, and no metadata": (
        f"signed_tokens: false, discovery_url: '{LOGIN}#y', introspection: {WAYS['introspection']}",
        "issuers[0].introspection.endpoint: is missing, and no metadata can name it: discovery_url",
    ),
    "plain http": (
        "introspection: {endpoint: 'http://login.example.com/i', client_id: g, client_secret: s}",
        "issuers[0].introspection.endpoint: uses plain http, which is accepted on loopback",
    ),
    "a way that is none": (
        f"introspection: {{{ASK}, client_secret: s, client_auth: none}}",
        "issuers[0].introspection.client_auth: should be 'client_secret_basic'",
    ),
    "a way without its key": (
        f"introspection: {{{ASK}, client_secret: s, client_auth: private_key_jwt}}",
        "issuers[0].introspection.client_auth: needs private_key_file beside it.",
    ),
    "a way without its certificate": (
        f"introspection: {{{ASK}, client_auth: tls_client_auth}}",
        "issuers[0].introspection.client_auth: needs client_cert beside it.",
    ),
    "a key that is not there": (
        f"introspection: {{{ASK}, private_key_file: /nowhere.pem}}",
        "issuers[0].introspection.private_key_file: cannot be read: No such file or directory.",
    ),
    "a certificate that is not there": (
        f"introspection: {{{ASK}, client_cert: /nowhere.pem}}",
        "issuers[0].introspection.client_cert: cannot be read, or is no certificate",
    ),
    "a certificate's key alone": (
        f"introspection: {{{ASK}, client_secret: s, client_key: /nowhere.pem}}",
        "issuers[0].introspection.client_key: needs client_cert beside it.",
    ),
    "a prefix of signed tokens": (
        f"introspection: {{{ASK}, client_secret: s, prefix: eyJ}}",
        "issuers[0].introspection.prefix: is what signed tokens (ey…) or static keys (rolecall_)",
    ),
    "a prefix of static keys": (
        f"introspection: {{{ASK}, client_secret: s, prefix: rolecall_x}}",
        "issuers[0].introspection.prefix: is what signed tokens (ey…) or static keys (rolecall_)",
    ),
    "a prefix that no token has": (
        f"introspection: {{{ASK}, client_secret: s, prefix: 'a b'}}",
        "issuers[0].introspection.prefix: should match pattern",
    ),
    "a ttl without end": (
        f"introspection: {{{ASK}, client_secret: s, ttl: 3601}}",
        "issuers[0].introspection.ttl: should be less than or equal to 3600.",
    ),
    "both ways": (
        f"introspection: {{{ASK}, client_secret: s}}, userinfo: {{endpoint: '{LOGIN}/me'}}",
        "issuers[0].userinfo: cannot stand beside introspection; keep one of them.",
    ),
    "no way at all": (
        "signed_tokens: false",
        "issuers[0].signed_tokens: is false, and there is neither introspection nor userinfo",
    ),
    "signed tokens that are not, and signed answers": (
        f"signed_tokens: false, introspection: {{{ASK}, client_secret: s, {SIGNED}, tokens: all}}",
        "issuers[0].introspection.tokens: cannot be all beside signed_tokens: false",
    ),
    "signed userinfo": (
        f"userinfo: {{endpoint: '{LOGIN}/me', {SIGNED}}}",
        "issuers[0].userinfo.signed_response: unknown key",
    ),
    "signed tokens that are not": (
        f"signed_tokens: false, introspection: {{{ASK}, client_secret: s, tokens: all}}",
        "issuers[0].introspection.tokens: cannot be all beside signed_tokens: false",
    ),
    "keys of unsigned tokens": (
        f"signed_tokens: false, jwks_url: '{LOGIN}', introspection: {{{ASK}, client_secret: s}}",
        "issuers[0].jwks_url: has no place beside signed_tokens: false.",
    ),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_opaque_tokens_that_could_not_be_looked_up_are_an_error(told, text, said):
    (line,) = told(one(text))
    assert f"error: {said}" in line


def test_a_secret_beside_a_key_is_an_error(told, key_file):
    text = f"introspection: {{{ASK}, private_key_file: '{key_file}', client_secret: s,"
    (line,) = told(one(f"{text} client_auth: private_key_jwt}}"))
    assert "client_secret: has no place beside private_key_file." in line


@pytest.mark.parametrize(
    ("one_prefix", "other_prefix", "clash"),
    [("''", "''", True), ("a_", "a_", True), ("''", "a_", False), ("a_", "a_b_", False)],
)
def test_no_opaque_token_may_belong_to_two_issuers(told, one_prefix, other_prefix, clash):
    entries = ", ".join(
        issuer(f"introspection: {{{ASK}, client_secret: s, prefix: {prefix}}}", name)
        for name, prefix in ((LOGIN, one_prefix), ("https://other.example", other_prefix))
    )
    lines = told(POLICY + f"issuers: [{entries}]")
    assert len(lines) == clash
    assert all("write a prefix for each, or for all but one" in line for line in lines)


USERINFO_WARNING = (
    "a token that was issued for another application opens this gateway too, since userinfo names"
    " no audience; prefer introspection."
)


def test_userinfo_is_read_with_a_warning(configure, told):
    text = one(f"userinfo: {{endpoint: '{LOGIN}/me', ttl: 10}}")
    (found,) = configure(text).settings.issuers
    assert found.opaque == Opaque(endpoint=f"{LOGIN}/me", client=None, ttl=10)
    (line,) = told(text)
    assert line.endswith(f"warning: issuers[0].userinfo: {USERINFO_WARNING}")


# LiteLLM's

KEYCLOAK = "https://sso.example.com/realms/acme/protocol/openid-connect"
ENTRA = "https://login.microsoftonline.com/5b9e1d7c/discovery/v2.0/keys"


def litellm(**changes):
    keys = {"oidc_userinfo_enabled": "true", "oidc_userinfo_endpoint": f"{KEYCLOAK}/userinfo"}
    text = ", ".join(f"{key}: {value}" for key, value in {**keys, **changes}.items() if value)
    return POLICY + f"general_settings: {{enable_jwt_auth: true, litellm_jwtauth: {{{text}}}}}"


def test_userinfo_joins_the_issuer_of_the_environment(settings):
    environ = {"JWT_PUBLIC_KEY_URL": f"{KEYCLOAK}/certs", "JWT_AUDIENCE": "gw"}
    (found,) = settings(litellm(oidc_userinfo_cache_ttl="300"), environ).issuers
    assert found.issuer == "https://sso.example.com/realms/acme"
    assert found.keys == KeysFrom(jwks_url=f"{KEYCLOAK}/certs")
    assert found.opaque == Opaque(endpoint=f"{KEYCLOAK}/userinfo", client=None, ttl=300)


def test_userinfo_alone_is_an_issuer_of_its_own(settings):
    (found,) = settings(litellm(), {}).issuers
    assert (found.issuer, found.audience) == ("https://sso.example.com", None)
    assert not found.keys.anywhere
    assert found.opaque == Opaque(endpoint=f"{KEYCLOAK}/userinfo", client=None, ttl=60)


def test_userinfo_of_entra_belongs_to_the_first_of_its_two_issuers(settings):
    environ = {"JWT_PUBLIC_KEY_URL": ENTRA, "JWT_AUDIENCE": "gw"}
    first, second = settings(litellm(), environ).issuers
    assert first.opaque is not None
    assert second.opaque is None


@pytest.mark.parametrize(
    ("changes", "environ", "said"),
    [
        (
            {"oidc_userinfo_endpoint": None},
            {},
            "needs oidc_userinfo_endpoint: the URL of the userinfo endpoint.",
        ),
        (
            {"oidc_userinfo_endpoint": "userinfo"},
            {},
            "needs oidc_userinfo_endpoint: a URL. It is not a URL; write https://host/path.",
        ),
        (
            {},
            {
                "JWT_PUBLIC_KEY_URL": f"{KEYCLOAK}/certs,{KEYCLOAK.replace('acme', 'b')}/certs",
                "JWT_AUDIENCE": "gw",
            },
            "does not say whose opaque tokens are meant; write issuers: with userinfo at one.",
        ),
    ],
    ids=["no endpoint", "no URL", "several issuers"],
)
def test_userinfo_that_is_unclear_is_an_error(told, changes, environ, said):
    at = "general_settings.litellm_jwtauth.oidc_userinfo_enabled: "
    assert any(f"error: {at}{said}" in line for line in told(litellm(**changes), environ))


@pytest.mark.parametrize("enabled", ["false", None])
def test_userinfo_that_is_not_enabled_is_not_asked(settings, enabled):
    environ = {"JWT_PUBLIC_KEY_URL": f"{KEYCLOAK}/certs", "JWT_AUDIENCE": "gw"}
    (found,) = settings(litellm(oidc_userinfo_enabled=enabled), environ).issuers
    assert found.opaque is None


# Keys that the gateway signs with

PRIVATE = {
    "RSA": (rsa.generate_private_key(65537, 2048), "RS256"),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), "ES384"),
    "P-521": (ec.generate_private_key(ec.SECP521R1()), "ES512"),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
}


@pytest.mark.parametrize(("private", "algorithm"), PRIVATE.values(), ids=PRIVATE)
def test_a_private_key_says_what_is_signed_with_it(tmp_path, private, algorithm):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(private))
    assert read_signing_key(file, None).algorithm == algorithm


P256 = PRIVATE["P-256"][0]
USELESS = {
    "encrypted": pem(P256, b"password"),
    "public": P256.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ),
    "a short RSA key": pem(rsa.generate_private_key(65537, 1024)),
    "another curve": pem(ec.generate_private_key(ec.SECP256K1())),
    "for agreement alone": pem(x25519.X25519PrivateKey.generate()),
    "nothing": b"",
    "bytes": bytes(range(256)),
    "no JSON": b"{",
    "a symmetric key": b'{"kty":"oct","k":"AAAA"}',
    "half a JWK": b'{"kty":"EC","crv":"P-256"}',
    "members of other types": b'{"kty":["EC"],"crv":1}',
}


@pytest.mark.parametrize("data", USELESS.values(), ids=USELESS)
def test_what_is_no_private_key_is_refused_in_one_sentence(tmp_path, data):
    file = tmp_path / "key.pem"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"no private key|no JWK|cannot be signed with") as caught:
        read_signing_key(file, None)
    assert caught.value.__cause__ is None
