"""``JWT_PUBLIC_KEY_URL``, ``JWT_AUDIENCE`` and ``JWT_ISSUER``, as the page has them."""

from pathlib import Path

import pytest

from rolecall.config import KeysFrom, Reach, load
from rolecall.config.jwt_environment import infer
from rolecall.config.settings import ALGORITHMS

EXAMPLES = Path(__file__).parents[2] / "examples"
KEYCLOAK = "https://sso.example.com/realms/acme/protocol/openid-connect/certs"
TENANT = "5b9e1d7c-3f2a-4c55-9d0e-6a1f0c2b7e88"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys"
ENTRA_V2 = f"https://login.microsoftonline.com/{TENANT}/v2.0"
ENTRA_V1 = f"https://sts.windows.net/{TENANT}/"
GENERIC = "https://idp.example.com/jwks"
WELL_KNOWN = "/.well-known/openid-configuration"
ON = "general_settings: {enable_jwt_auth: true}\n"
AT = "1:37: error: general_settings.enable_jwt_auth: "

INFERRED = {
    "Keycloak": (KEYCLOAK, "keycloak", ["https://sso.example.com/realms/acme"]),
    "Keycloak before 17": (
        "https://sso.example.com/auth/realms/acme/protocol/openid-connect/certs",
        "keycloak",
        ["https://sso.example.com/auth/realms/acme"],
    ),
    "Keycloak on loopback": (
        "http://127.0.0.1:8080/realms/a/protocol/openid-connect/certs",
        "keycloak",
        ["http://127.0.0.1:8080/realms/a"],
    ),
    "Keycloak's discovery": (
        f"https://sso.example.com/realms/acme{WELL_KNOWN}",
        "keycloak",
        ["https://sso.example.com/realms/acme"],
    ),
    "a Keycloak URL with more behind": (KEYCLOAK + "/x", "generic", []),
    "Entra ID signs for two issuers": (ENTRA, "entra", [ENTRA_V2, ENTRA_V1]),
    "Entra ID, one application's keys": (ENTRA + "?appid=1", "entra", [ENTRA_V2, ENTRA_V1]),
    "Entra ID's discovery speaks for one": (ENTRA_V2 + WELL_KNOWN, "entra", [ENTRA_V2]),
    "Entra ID by domain": (
        "https://login.microsoftonline.com/acme.example/discovery/v2.0/keys",
        "entra",
        [
            "https://login.microsoftonline.com/acme.example/v2.0",
            "https://sts.windows.net/acme.example/",
        ],
    ),
    "all tenants of Entra ID": (ENTRA.replace(TENANT, "common"), "entra", []),
    "all organizations": (ENTRA.replace(TENANT, "organizations"), "entra", []),
    "all consumers": (ENTRA.replace(TENANT, "consumers"), "entra", []),
    "a host that looks like Entra ID": (
        ENTRA.replace("microsoftonline.com", "microsoftonline.com.evil.com"),
        "generic",
        [],
    ),
    "any other": (GENERIC, "generic", []),
}
FAULTS = {
    "no key URL": (
        {"JWT_AUDIENCE": "gw"},
        (
            "needs the environment variable JWT_PUBLIC_KEY_URL: the key set URL of your identity"
            " provider, https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys for Entra ID"
            " or {keycloak}/realms/{realm}/protocol/openid-connect/certs for Keycloak (or write"
            " issuers: in the file)."
        ),
    ),
    "no audience": (
        {"JWT_PUBLIC_KEY_URL": KEYCLOAK},
        (
            "needs the environment variable JWT_AUDIENCE: the aud that your identity provider"
            " writes into tokens for this gateway (its client ID or application ID URI; several"
            " with commas). JWT_AUDIENCE=any accepts a token issued for any application."
        ),
    ),
    "a generic URL without its issuer": (
        {"JWT_PUBLIC_KEY_URL": GENERIC, "JWT_AUDIENCE": "gw"},
        (
            "needs the environment variable JWT_ISSUER: the iss of the tokens whose keys are at"
            f" {GENERIC}; it cannot be told from this URL."
        ),
    ),
    "a tenant that all share": (
        {"JWT_PUBLIC_KEY_URL": ENTRA.replace(TENANT, "common"), "JWT_AUDIENCE": "gw"},
        (
            "needs the environment variable JWT_ISSUER: the iss of the tokens whose keys are at"
            " https://login.microsoftonline.com/common/discovery/v2.0/keys; it cannot be told from"
            " this URL."
        ),
    ),
    "more issuers than URLs": (
        {"JWT_PUBLIC_KEY_URL": GENERIC, "JWT_AUDIENCE": "gw", "JWT_ISSUER": "a,b"},
        (
            "JWT_ISSUER names 2 and JWT_PUBLIC_KEY_URL 1: name one issuer for each URL, in the same"
            " order, separated by commas."
        ),
    ),
    "plain http": (
        {"JWT_PUBLIC_KEY_URL": KEYCLOAK.replace("https", "http"), "JWT_AUDIENCE": "gw"},
        (
            "JWT_PUBLIC_KEY_URL uses plain http, which is accepted on loopback addresses alone; use"
            " https."
        ),
    ),
    "a private network, perhaps": (
        {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw", "JWT_PRIVATE_NETWORK": "yes"},
        "reads JWT_PRIVATE_NETWORK, which is neither true nor false.",
    ),
    "a comma too many": (
        {"JWT_PUBLIC_KEY_URL": f"{KEYCLOAK},", "JWT_AUDIENCE": "gw"},
        "JWT_PUBLIC_KEY_URL (number 2) is not a URL; write https://host/path.",
    ),
    "one issuer with two key sets": (
        {"JWT_PUBLIC_KEY_URL": f"{KEYCLOAK},{GENERIC}", "JWT_AUDIENCE": "gw", "JWT_ISSUER": "a,a"},
        "JWT_PUBLIC_KEY_URL names the keys of a twice; keep one URL for it.",
    ),
    "any among audiences": (
        {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw,any"},
        "mixes 'any' with audiences; write one or the other.",
    ),
    "a file that is not there": (
        {"JWT_PUBLIC_KEY_URL_FILE": "/nonexistent", "JWT_AUDIENCE": "gw"},
        "JWT_PUBLIC_KEY_URL_FILE names a file that cannot be read.",
    ),
}


def page(name, environ, **options):
    return load(EXAMPLES / f"{name}.yaml", environ, **options)


def test_the_pages_keycloak_configuration_loads_as_printed():
    loaded = page("keycloak", {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "llm-gateway"})
    (issuer,) = loaded.settings.issuers
    assert issuer.issuer == "https://sso.example.com/realms/acme"
    assert issuer.profile == "keycloak"
    assert issuer.audience == ("llm-gateway",)
    assert issuer.keys == KeysFrom(jwks_url=KEYCLOAK)
    assert issuer.roles == (("resource_access", "litellm-test-client-id", "roles"),)
    assert issuer.algorithms == ALGORITHMS
    assert issuer.leeway == 60


def test_the_pages_entra_configuration_loads_as_printed():
    loaded = page("entra", {"JWT_PUBLIC_KEY_URL": ENTRA, "JWT_AUDIENCE": "api://llm,llm"})
    v2, v1 = loaded.settings.issuers
    assert (v2.issuer, v1.issuer) == (ENTRA_V2, ENTRA_V1)
    assert v2.profile == v1.profile == "entra"
    assert v2.audience == v1.audience == ("api://llm", "llm")
    assert v2.keys == v1.keys == KeysFrom(jwks_url=ENTRA)
    assert v2.roles == v1.roles == (("roles",),)


@pytest.mark.parametrize("name", ["entra", "keycloak"])
def test_the_pages_policy_is_one_mapping_and_one_rule(name):
    settings = page(name, {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw"}).settings
    (mapping,) = settings.roles
    (rule,) = settings.rules
    assert (mapping.role, mapping.any_of, mapping.issuers) == (
        "internal_user",
        ("basic_user",),
        (),
    )
    assert (rule.effect, rule.roles, rule.models, rule.endpoints) == (
        "allow",
        ("internal_user",),
        ("anthropic-claude",),
        ("*",),
    )
    assert (mapping.source.line, rule.source.line) == (5, 9)
    assert rule.source.text == "- role: internal_user"


@pytest.mark.parametrize("name", ["entra", "keycloak"])
def test_the_pages_model_is_read_as_model_name_with_a_warning(name):
    environ = {
        "JWT_PUBLIC_KEY_URL": KEYCLOAK,
        "JWT_AUDIENCE": "gw",
        "ANTHROPIC_API_KEY": "a",
        "OPENAI_API_KEY": "o",
    }
    loaded = page(name, environ)
    file = EXAMPLES / f"{name}.yaml"
    assert [str(warning) for warning in loaded.warnings] == [
        f"{file}:13:5: warning: model_list[0].model: is read as model_name; write model_name.",
        f"{file}:16:5: warning: model_list[1].model: is read as model_name; write model_name.",
    ]
    assert [(m.name, m.provider, m.model, m.api_key) for m in loaded.settings.models] == [
        ("anthropic-claude", "anthropic", "claude-3-5-haiku-20241022", "a"),
        ("openai-gpt-4o", "openai", "gpt-4o", "o"),
    ]


@pytest.mark.parametrize(("url", "profile", "issuers"), INFERRED.values(), ids=INFERRED)
def test_a_key_url_tells_the_issuers_that_sign_with_its_keys(url, profile, issuers):
    assert infer(url) == (profile, tuple(issuers))


@pytest.mark.parametrize(("environ", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_the_environment_says_what_to_set(told, environ, sentence):
    assert told(ON, environ) == [AT + sentence]


@pytest.mark.parametrize("audience", ["", " ", ",", " , "])
def test_an_audience_without_a_letter_is_none(told, audience):
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": audience}
    assert told(ON, environ) == [AT + FAULTS["no audience"][1]]


def test_an_empty_audience_between_commas_is_never_accepted(settings):
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": " a,, b ,"}
    assert settings(ON, environ).issuers[0].audience == ("a", "b")


def test_several_urls_are_several_issuers(settings):
    environ = {
        "JWT_PUBLIC_KEY_URL": f"{KEYCLOAK}, {ENTRA}, {GENERIC}",
        "JWT_AUDIENCE": "gw",
        "JWT_ISSUER": ",,https://idp.example.com",
    }
    assert [(i.issuer, i.profile, i.keys.jwks_url) for i in settings(ON, environ).issuers] == [
        ("https://sso.example.com/realms/acme", "keycloak", KEYCLOAK),
        (ENTRA_V2, "entra", ENTRA),
        (ENTRA_V1, "entra", ENTRA),
        ("https://idp.example.com", "generic", GENERIC),
    ]


def test_a_named_issuer_stands_instead_of_the_inferred_ones(settings):
    environ = {"JWT_PUBLIC_KEY_URL": ENTRA, "JWT_AUDIENCE": "gw", "JWT_ISSUER": ENTRA_V2}
    assert [issuer.issuer for issuer in settings(ON, environ).issuers] == [ENTRA_V2]


def test_a_discovery_url_is_followed_and_not_taken_for_keys(settings):
    url = f"https://idp.example.com{WELL_KNOWN}"
    environ = {"JWT_PUBLIC_KEY_URL": url, "JWT_AUDIENCE": "gw", "JWT_ISSUER": "https://idp"}
    (issuer,) = settings(ON, environ).issuers
    assert issuer.keys == KeysFrom(discovery_url=url)


@pytest.mark.parametrize(("value", "private"), [("true", True), ("false", False), (None, False)])
def test_the_key_urls_may_lead_into_a_private_network(settings, value, private):
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw"}
    environ |= {"JWT_PRIVATE_NETWORK": value} if value else {}
    (issuer,) = settings(ON, environ).issuers
    assert issuer.keys == KeysFrom(jwks_url=KEYCLOAK, reach=Reach(private_network=private))


def test_any_waives_the_audience_with_a_warning(configure, told):
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "any"}
    assert configure(ON, environ).settings.issuers[0].audience is None
    assert told(ON, environ) == [
        (
            "1:37: warning: general_settings.enable_jwt_auth: every audience is accepted: a token"
            " that was issued for another application opens this gateway too. Name the audience of"
            " this gateway."
        )
    ]


def test_http_is_accepted_on_loopback(settings):
    url = "http://127.0.0.1:8080/realms/acme/protocol/openid-connect/certs"
    (issuer,) = settings(ON, {"JWT_PUBLIC_KEY_URL": url, "JWT_AUDIENCE": "gw"}).issuers
    assert issuer.issuer == "http://127.0.0.1:8080/realms/acme"


def test_every_variable_may_stand_in_a_file(settings, tmp_path):
    environ = {}
    for name, value in [("JWT_PUBLIC_KEY_URL", GENERIC), ("JWT_AUDIENCE", "gw")]:
        (tmp_path / name).write_text(f"{value}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    (issuer,) = settings(ON, environ | {"JWT_ISSUER": "https://idp"}).issuers
    assert (issuer.keys.jwks_url, issuer.audience) == (GENERIC, ("gw",))


def test_native_issuers_stand_beside_those_of_the_environment(settings):
    text = ON + "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw"}
    assert [issuer.issuer for issuer in settings(text, environ).issuers] == [
        "https://login.example.com",
        "https://sso.example.com/realms/acme",
    ]
    assert [issuer.issuer for issuer in settings(text).issuers] == ["https://login.example.com"]


def test_a_native_issuer_comes_before_the_same_one_of_the_environment(settings):
    name = "https://sso.example.com/realms/acme"
    text = ON + f"issuers: [{{issuer: '{name}', audience: [native]}}]\n"
    environ = {"JWT_PUBLIC_KEY_URL": KEYCLOAK, "JWT_AUDIENCE": "gw"}
    assert [issuer.audience for issuer in settings(text, environ).issuers] == [("native",)]


def test_an_unreadable_file_beside_native_issuers_is_an_error(told):
    text = ON + "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
    assert told(text, {"JWT_PUBLIC_KEY_URL_FILE": "/nonexistent"}) == [
        AT + "JWT_PUBLIC_KEY_URL_FILE names a file that cannot be read."
    ]


@pytest.mark.parametrize(
    ("environ", "issuers"),
    [
        ({}, ["https://unset.invalid"]),
        ({"JWT_AUDIENCE": "", "JWT_PUBLIC_KEY_URL": ""}, ["https://unset.invalid"]),
        ({"JWT_PUBLIC_KEY_URL": KEYCLOAK}, ["https://sso.example.com/realms/acme"]),
        ({"JWT_ISSUER": "https://idp.example.com"}, ["https://idp.example.com"]),
        ({"JWT_PUBLIC_KEY_URL": GENERIC, "JWT_ISSUER": "a", "JWT_AUDIENCE": "b"}, ["a"]),
    ],
    ids=["nothing is set", "empty is not set", "keys alone", "an issuer alone", "all is set"],
)
def test_offline_what_is_not_set_is_stood_in_for(settings, environ, issuers):
    assert [issuer.issuer for issuer in settings(ON, environ, offline=True).issuers] == issuers


def test_offline_a_file_counts_as_set(settings, tmp_path):
    (tmp_path / "url").write_text(KEYCLOAK)
    environ = {"JWT_PUBLIC_KEY_URL_FILE": str(tmp_path / "url")}
    (issuer,) = settings(ON, environ, offline=True).issuers
    assert issuer.issuer == "https://sso.example.com/realms/acme"
