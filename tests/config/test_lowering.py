"""The native dialect: issuers, roles, rules, models, limits."""

import pytest

from rolecall.config import KeysFrom, Limits, Reach, Timeouts, Tls
from rolecall.config.settings import ALGORITHMS

LOGIN = "https://login.example.com"
ISSUER = f"issuers: [{{issuer: '{LOGIN}', audience: gw}}]\n"
MODEL = "models: [{name: a, model: gpt-4o, api_key: k}]\n"
DISCOVERY = "/.well-known/openid-configuration"
HTTP = "uses plain http, which is accepted on loopback addresses alone; use https"

ISSUER_FAULTS = {
    "no audience": (
        "issuer: 'https://i'",
        "1:11: error: issuers[0].audience: is missing.",
    ),
    "an empty audience": (
        "issuer: i, audience: []",
        "1:33: error: issuers[0].audience: should have at least 1 item.",
    ),
    "an audience without a letter": (
        "issuer: i, audience: ''",
        "1:33: error: issuers[0].audience[0]: should have at least 1 character.",
    ),
    "any among audiences": (
        "issuer: 'https://i', audience: [any, gw]",
        "1:43: error: issuers[0].audience: mixes 'any' with audiences; write one or the other.",
    ),
    "two sources of keys": (
        "issuer: i, audience: gw, jwks_url: 'https://i/jwks', jwks_file: keys.json",
        "1:76: error: issuers[0].jwks_file: cannot stand beside jwks_url: name one source of keys.",
    ),
    "an issuer that is no URL, and no keys": (
        "issuer: acme, audience: gw",
        (
            "1:20: error: issuers[0].issuer: is not a URL; write https://host/path (or name"
            " jwks_url, discovery_url or jwks_file)."
        ),
    ),
    "an issuer over plain http": (
        "issuer: 'http://i.example.com', audience: gw",
        f"1:20: error: issuers[0].issuer: {HTTP} (or name jwks_url, discovery_url or jwks_file).",
    ),
    "keys over plain http": (
        "issuer: i, audience: gw, jwks_url: 'http://i.example.com/jwks'",
        f"1:47: error: issuers[0].jwks_url: {HTTP}.",
    ),
    "discovery over plain http": (
        "issuer: i, audience: gw, discovery_url: 'http://localhost.example.com/'",
        f"1:52: error: issuers[0].discovery_url: {HTTP}.",
    ),
    "a symmetric algorithm": (
        "issuer: i, audience: gw, algorithms: [RS256, HS256]",
        (
            f"1:57: error: issuers[0].algorithms[1]: HS256 is not accepted; choose among"
            f" {', '.join(ALGORITHMS)}."
        ),
    ),
    "no algorithm": (
        "issuer: i, audience: gw, algorithms: [none]",
        (
            f"1:50: error: issuers[0].algorithms[0]: none is not accepted; choose among"
            f" {', '.join(ALGORITHMS)}."
        ),
    ),
    "a profile that is not there": (
        "issuer: i, audience: gw, profile: ping",
        (
            "1:46: error: issuers[0].profile: should be 'generic', 'keycloak', 'entra', 'okta',"
            " 'auth0', 'google', 'cognito', 'github-actions', 'gitlab-ci' or 'kubernetes'."
        ),
    ),
    "a claim path with an empty key": (
        "issuer: i, audience: gw, roles: [/a//b]",
        (
            "1:45: error: issuers[0].roles[0]: a claim path has at least one key, and none that is"
            " empty."
        ),
    ),
    "a claim path with a number": (
        "issuer: i, audience: gw, roles: [[roles, 0]]",
        (
            "1:45: error: issuers[0].roles[0]: a claim path is a list of keys, a JSON pointer"
            " (/a/b) or a dotted path (a.b)."
        ),
    ),
    "no claim path": (
        "issuer: i, audience: gw, roles: []",
        "1:44: error: issuers[0].roles: should have at least 1 item.",
    ),
    "too much leeway": (
        "issuer: i, audience: gw, leeway: 301",
        "1:45: error: issuers[0].leeway: should be less than or equal to 300.",
    ),
    "leeway below zero": (
        "issuer: i, audience: gw, leeway: -1",
        "1:45: error: issuers[0].leeway: should be greater than or equal to 0.",
    ),
}
RULE_FAULTS = {
    "neither allow nor deny": (
        "models: [a]",
        "4:9: error: rules[0]: needs either allow or deny: a list of roles.",
    ),
    "both allow and deny": (
        "allow: [r], deny: [r], models: [a]",
        "4:9: error: rules[0]: needs either allow or deny: a list of roles.",
    ),
    "no models": ("allow: [r]", "4:9: error: rules[0].models: is missing."),
    "an empty list of models": (
        "deny: [r], models: []",
        "4:29: error: rules[0].models: should have at least 1 item.",
    ),
    "an empty list of endpoints": (
        "deny: [r], models: [a], endpoints: []",
        "4:45: error: rules[0].endpoints: should have at least 1 item.",
    ),
    "an endpoint that is not there": (
        "allow: [r], models: [a], endpoints: [chat, embeddings]",
        (
            "4:53: error: rules[0].endpoints[1]: is no endpoint; choose among chat, messages,"
            " openai, anthropic, text, or * for all."
        ),
    ),
    "an endpoint in another case": (
        "allow: [r], models: [a], endpoints: [Chat]",
        (
            "4:47: error: rules[0].endpoints[0]: is no endpoint; choose among chat, messages,"
            " openai, anthropic, text, or * for all."
        ),
    ),
}


def issuer(text):
    return f"issuers: [{{{text}}}]"


@pytest.mark.parametrize(("text", "line"), ISSUER_FAULTS.values(), ids=ISSUER_FAULTS)
def test_an_issuer_that_cannot_be_trusted_is_an_error(told, text, line):
    assert told(issuer(text)) == [line]


def test_an_issuer_has_careful_defaults(settings):
    (found,) = settings(issuer(f"issuer: '{LOGIN}', audience: gw")).issuers
    assert found.profile == "generic"
    assert found.audience == ("gw",)
    assert found.keys == KeysFrom(discovery_url=LOGIN + DISCOVERY)
    assert found.algorithms == ALGORITHMS
    assert not any(name.startswith("HS") or name == "none" for name in found.algorithms)
    assert found.roles == (("roles",),)
    assert found.groups == (("groups",),)
    assert found.scopes == (("scope",), ("scp",))
    assert found.leeway == 60
    assert found.keys.max_stale == 86_400
    assert found.banned_keys == frozenset()
    assert found.required


def test_keys_may_be_banned_and_an_issuer_may_be_spared_by_readiness(settings):
    text = f"issuer: '{LOGIN}', audience: gw, banned_keys: [k1, k2], required: false"
    (found,) = settings(issuer(text)).issuers
    assert found.banned_keys == {"k1", "k2"}
    assert not found.required


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (f"issuer: '{LOGIN}/'", KeysFrom(discovery_url=LOGIN + DISCOVERY)),
        ("issuer: i, discovery_url: 'https://d/x'", KeysFrom(discovery_url="https://d/x")),
        ("issuer: i, jwks_url: 'https://j/x'", KeysFrom(jwks_url="https://j/x")),
        ("issuer: i, jwks_url: 'http://[::1]:9/x'", KeysFrom(jwks_url="http://[::1]:9/x")),
        ("issuer: i, jwks_file: keys.json", KeysFrom(jwks_file="keys.json")),
        (
            f"issuer: '{LOGIN}', ca_file: ca.pem",
            KeysFrom(discovery_url=LOGIN + DISCOVERY, reach=Reach(ca_file="ca.pem")),
        ),
        (
            f"issuer: '{LOGIN}', private_network: true",
            KeysFrom(discovery_url=LOGIN + DISCOVERY, reach=Reach(private_network=True)),
        ),
        (
            "issuer: i, jwks_url: 'https://j/x', max_stale: 0",
            KeysFrom(jwks_url="https://j/x", max_stale=0),
        ),
        (
            "issuer: i, jwks_file: keys.json, max_stale: 60",
            KeysFrom(jwks_file="keys.json", max_stale=60),
        ),
        (
            "issuer: i, jwks_url: 'https://j/x', min_refresh: 60, max_refresh: 900",
            KeysFrom(jwks_url="https://j/x", min_refresh=60, max_refresh=900),
        ),
        (
            "issuer: i, jwks_url: 'https://j/x', refresh: 60, unknown_key_cooldown: 2",
            KeysFrom(jwks_url="https://j/x", refresh=60, unknown_key_cooldown=2),
        ),
    ],
    ids=[
        "discovery",
        "another discovery",
        "a key set",
        "loopback",
        "a file",
        "its own CA",
        "a private network",
        "no outage at all",
        "a file for a minute",
        "bounds for what the server says",
        "rotating often",
    ],
)
def test_keys_come_from_one_source(settings, text, keys):
    assert settings(issuer(f"{text}, audience: gw")).issuers[0].keys == keys


@pytest.mark.parametrize(
    ("profile", "paths"),
    [
        ("generic", (("roles",),)),
        ("entra", (("roles",),)),
        ("keycloak", (("realm_access", "roles"), ("resource_access", "gw", "roles"))),
        ("auth0", (("permissions",),)),
    ],
)
def test_a_profile_knows_where_roles_are(settings, profile, paths):
    text = issuer(f"issuer: '{LOGIN}', audience: gw, profile: {profile}")
    assert settings(text).issuers[0].roles == paths


def test_claim_paths_are_written_in_three_ways(settings):
    text = issuer(f"issuer: '{LOGIN}', audience: gw, roles: [[a, b.c], /a/b.c, 'a.b\\.c']")
    assert settings(text).issuers[0].roles == (("a", "b.c"),) * 3


def test_any_waives_the_audience_with_a_warning(configure, told):
    for written in ("any", "[any]"):
        text = issuer(f"issuer: '{LOGIN}', audience: {written}")
        assert configure(text).settings.issuers[0].audience is None
        (line,) = told(text)
        assert line == (
            "1:59: warning: issuers[0].audience: every audience is accepted: a token that was"
            " issued for another application opens this gateway too. Name the audience of this"
            " gateway."
        )


def test_an_issuer_is_configured_once(told):
    one = f"{{issuer: '{LOGIN}', audience: gw}}"
    assert told(f"issuers:\n  - {one}\n  - {one}\n") == [
        "3:14: error: issuers[1].issuer: is configured twice; keep one entry."
    ]


def test_issuers_are_compared_character_by_character(settings):
    text = f"""\
issuers:
  - {{issuer: '{LOGIN}', audience: gw}}
  - {{issuer: '{LOGIN}/', audience: gw}}
  - {{issuer: 'https://LOGIN.example.com', audience: gw}}
"""
    assert len(settings(text).issuers) == 3


def test_a_role_without_values_is_held_by_its_own_name(settings):
    text = ISSUER + "roles: [{role: staff}, {role: admin, any_of: [root, wheel]}]"
    assert [(role.role, role.any_of) for role in settings(text).roles] == [
        ("staff", ("staff",)),
        ("admin", ("root", "wheel")),
    ]


def test_a_role_may_be_given_by_configured_issuers_alone(configure, told):
    text = ISSUER + f"roles: [{{role: staff, issuers: ['{LOGIN}']}}]"
    assert configure(text).settings.roles[0].issuers == (LOGIN,)
    assert "2:33: error: roles[0].issuers[0]: is no configured issuer." in told(
        ISSUER + f"roles: [{{role: staff, issuers: ['{LOGIN}/']}}]"
    )


@pytest.mark.parametrize(("text", "line"), RULE_FAULTS.values(), ids=RULE_FAULTS)
def test_a_rule_that_cannot_be_followed_is_an_error(told, text, line):
    rule = f"{ISSUER}{MODEL}roles: [{{role: r}}]\nrules: [{{{text}}}]"
    assert line in told(rule)


def test_rules_keep_their_words_and_their_place(settings):
    text = f"""\
{ISSUER}rules:
  - allow: [staff, "team-*"]
    models: [a, "openai/*"]
    endpoints: [chat]
  - deny: ["*"]
    models: ["*-preview"]
"""
    allow, deny = settings(text).rules
    assert (allow.effect, allow.roles, allow.models, allow.endpoints) == (
        "allow",
        ("staff", "team-*"),
        ("a", "openai/*"),
        ("chat",),
    )
    assert (deny.effect, deny.roles, deny.models, deny.endpoints) == (
        "deny",
        ("*",),
        ("*-preview",),
        ("*",),
    )
    assert (allow.source.line, allow.source.text) == (3, '- allow: [staff, "team-*"]')
    assert (deny.source.line, deny.source.text) == (6, '- deny: ["*"]')


@pytest.mark.parametrize(
    ("model", "api_base"),
    [
        ("model: gpt-4o", "https://api.openai.com/v1"),
        ("model: claude-3", "https://api.anthropic.com"),
        ("model: openai/x, api_base: 'http://127.0.0.1:8000/v1'", "http://127.0.0.1:8000/v1"),
        ("model: openai/x, api_base: 'https://gpu.example.com'", "https://gpu.example.com"),
    ],
)
def test_an_upstream_lives_at_its_api_base(settings, model, api_base):
    text = ISSUER + f"models: [{{name: a, {model}}}]"
    assert settings(text).models[0].api_base == api_base


@pytest.mark.parametrize(
    ("api_base", "sentence"),
    [
        ("http://gpu.example.com", HTTP),
        ("http://127.0.0.1.evil.com", HTTP),
        ("gpu.example.com/v1", "is not a URL; write https://host/path"),
        ("https://gpu.example.com/v1?x=1", "must not hold a query (?…)"),
        ("https://gpu.example.com/v1?", "must not hold a query (?…)"),
        ("https://gpu.example.com/v1#x", "must not hold a fragment (#…)"),
    ],
)
def test_an_api_base_is_a_url_that_a_path_can_follow(told, api_base, sentence):
    text = ISSUER + f"models: [{{name: a, model: openai/x, api_base: '{api_base}'}}]"
    assert told(text) == [f"2:47: error: models[0].api_base: {sentence}."]


def test_an_upstream_of_ones_own_needs_no_key(told):
    assert told(ISSUER + "models: [{name: a, model: openai/x, api_base: 'https://gpu'}]") == []


def test_a_deployment_serves_one_name(told):
    assert told(ISSUER + "models: [{name: 'gpt-*', model: gpt-4o}]") == [
        (
            "2:17: error: models[0].name: holds a *; a deployment serves one name, list each that"
            " it serves."
        )
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", Timeouts()),
        ("timeout: 30", Timeouts(first_byte=30, stream=30)),
        ("stream_timeout: 5", Timeouts(stream=5)),
        ("total_timeout: 900", Timeouts(total=900)),
        (
            "timeout: 30, stream_timeout: 5, connect_timeout: 0.5, idle_timeout: 7",
            Timeouts(connect=0.5, first_byte=30, stream=5, idle=7),
        ),
    ],
)
def test_a_deployment_has_deadlines_in_seconds(settings, written, expected):
    text = ISSUER + f"models: [{{name: a, model: gpt-4o, {written}}}]"
    assert settings(text).models[0].timeouts == expected


def test_an_upstream_may_need_http_2(settings, told):
    model = ISSUER + "models: [{name: a, model: openai/x, api_base: 'https://gpu'"
    assert settings(model + "}]").models[0].transport == "http1"
    assert settings(model + ", transport: http2}]").models[0].transport == "http2"
    assert told(model + ", transport: h3}]")[0].endswith(
        "error: models[0].transport: should be 'http1' or 'http2'."
    )


def test_an_upstream_may_be_met_with_certificates_of_ones_own(settings, told, tmp_path):
    model = ISSUER + "models: [{name: a, model: openai/x, api_base: 'https://gpu', "
    ca, cert, key, absent = (tmp_path / name for name in ("ca", "cert", "key", "absent"))
    for file in (ca, cert, key):
        file.touch()
    for written, expected in [
        ("", None),
        (f"ca_file: {ca}", Tls(ca_file=str(ca))),
        (f"client_cert: {cert}", Tls(certificate=str(cert))),
        (
            f"ca_file: {ca}, client_cert: {cert}, client_key: {key}",
            Tls(str(ca), str(cert), str(key)),
        ),
    ]:
        assert settings(f"{model}{written}}}]").models[0].tls == expected
    for written, sentence in [
        (f"client_key: {key}", "client_key: needs client_cert beside it."),
        (f"ca_file: {absent}", "ca_file: is no file that can be read."),
        (f"client_cert: {absent}", "client_cert: is no file that can be read."),
    ]:
        assert told(f"{model}{written}}}]")[0].endswith(f"error: models[0].{sentence}")


@pytest.mark.parametrize(
    ("timeout", "sentence"),
    [
        ("0", "should be greater than 0."),
        ("-1", "should be greater than 0."),
        ("86401", "should be less than or equal to 86400."),
        ("1e999", "should be less than or equal to 86400."),
        ("true", "should be a valid number."),
        ("30s", "should be a valid number."),
    ],
)
def test_a_deadline_is_a_number_of_seconds_up_to_a_day(told, timeout, sentence):
    text = ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: k, timeout: {timeout}}}]"
    assert told(text) == [f"2:56: error: models[0].timeout: {sentence}"]


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("{}", Limits(body=32 * 1024 * 1024, token=16 * 1024)),
        ("{body_bytes: 1024}", Limits(body=1024)),
        ("{token_bytes: 512}", Limits(token=512)),
        ("{token_header_bytes: 1024, token_depth: 8}", Limits(token_header=1024, token_depth=8)),
        ("{body_bytes: 1073741824, token_bytes: 1048576}", Limits(1 << 30, 1 << 20)),
        (
            "{remembered_tokens: 64, remembered_bytes: 1048576}",
            Limits(remembered_tokens=64, remembered_bytes=1 << 20),
        ),
        (
            "{refused_tokens: 64, unknown_keys: 16, proofs: 1024}",
            Limits(refused_tokens=64, unknown_keys=16, proofs=1024),
        ),
    ],
)
def test_limits_are_as_written(settings, written, limits):
    assert settings(ISSUER + f"limits: {written}").limits == limits


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("body_bytes: 1023", "body_bytes: should be greater than or equal to 1024."),
        ("body_bytes: 1073741825", "body_bytes: should be less than or equal to 1073741824."),
        ("token_bytes: 511", "token_bytes: should be greater than or equal to 512."),
        ("token_bytes: 1048577", "token_bytes: should be less than or equal to 1048576."),
        ("token_header_bytes: 63", "token_header_bytes: should be greater than or equal to 64."),
        ("token_depth: 65", "token_depth: should be less than or equal to 64."),
        ("remembered_tokens: 63", "remembered_tokens: should be greater than or equal to 64."),
        ("remembered_bytes: 1024", "remembered_bytes: should be greater than or equal to 1048576."),
        ("refused_tokens: 0", "refused_tokens: should be greater than or equal to 64."),
        ("unknown_keys: 65537", "unknown_keys: should be less than or equal to 65536."),
        ("proofs: 1000", "proofs: should be greater than or equal to 1024."),
    ],
)
def test_limits_have_bounds(told, written, line):
    (found,) = told(ISSUER + f"limits: {{{written}}}")
    assert found.endswith(f"error: limits.{line}")
