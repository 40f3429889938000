"""``issuers:``: a closed list, and what each provider needs beside its name."""

import pytest

from rolecall.config import KeysFrom, Reach
from rolecall.config.settings import ALGORITHMS
from rolecall.core import Actor, Authentication

LOGIN = "https://login.example.com"
TENANT = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
MICROSOFT = "https://login.microsoftonline.com"


def issuer(text):
    return f"issuers: [{{{text}}}]"


@pytest.fixture
def one(settings):
    """The only issuer of a text."""

    def one(text):
        (found,) = settings(issuer(text)).issuers
        return found

    return one


# Roles in other forms than a list


def test_roles_are_lists_words_or_values(one):
    found = one(
        f"issuer: '{LOGIN}', audience: gw,"
        " roles: [roles, {words: [scope]}, {value: /a/b}, [x, y], {value: department}]"
    )
    assert found.roles == (("roles",), ("x", "y"))
    assert found.role_words == (("scope",),)
    assert found.role_values == (("a", "b"), ("department",))


@pytest.mark.parametrize("role", ["{word: a}", "{words: a, value: b}", "{}", "{value: 1}", "7"])
def test_a_role_claim_in_another_form_is_an_error(told, role):
    (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, roles: [{role}]"))
    assert "issuers[0].roles[0]: " in line
    assert "claim path" in line


# What describes a caller


def test_the_claims_that_describe_a_caller_are_paths(one):
    found = one(
        f"issuer: '{LOGIN}', audience: gw, subject: [oid], email: upn, teams: [team, [t, ids]],"
        " organization: org.id, end_user: /act/sub"
    )
    assert found.subject == ("oid",)
    assert found.email == ("upn",)
    assert found.teams == (("team",), ("t", "ids"))
    assert found.organization == ("org", "id")
    assert found.end_user == ("act", "sub")


def test_by_default_the_profile_says_who_the_caller_is(one):
    found = one(f"issuer: '{LOGIN}', audience: gw")
    assert found.subject is None
    assert (found.email, found.teams, found.organization) == (("email",), (), None)


# What a token must be


def test_a_lifetime_is_bounded_unless_it_is_written(one):
    assert one(f"issuer: '{LOGIN}', audience: gw").max_lifetime == 86_400
    assert one(f"issuer: '{LOGIN}', audience: gw, profile: entra").max_lifetime == 100_800
    assert one(f"issuer: '{LOGIN}', audience: gw, max_lifetime: 604800").max_lifetime == 604_800


def test_who_may_act_with_a_token_is_named_by_subject_client_and_issuer(one):
    found = one(f"issuer: '{LOGIN}', audience: gw")
    assert (found.actor, found.actors) == ("optional", None)
    found = one(
        f"issuer: '{LOGIN}', aliases: [old], audience: gw, actor: required, actors:"
        " [a, {client: b}, {issuer: 'https://x.example', subject: c, client: d},"
        " {issuer: old, subject: e}]"
    )
    assert found.actor == "required"
    assert found.actors == (
        Actor(LOGIN, "a"),
        Actor(LOGIN, client="b"),
        Actor("https://x.example", "c", "d"),
        Actor(LOGIN, "e"),
    )


def test_each_tenant_names_its_own_actors(settings):
    text = issuer(f"profile: entra, tenant: [{TENANT}], audience: gw, actors: [a]")
    for found in settings(text).issuers:
        assert found.actors == (Actor(found.issuer, "a"),)


ACTORS = {
    "actor: never": ("actor", "'optional'"),
    "actors: []": ("actors", "at least 1 item"),
    "actors: a": ("actors", "list"),
    "actors: [7]": ("actors[0]", "mapping"),
    "actors: ['']": ("actors[0].subject", "at least 1 character"),
    "actors: [{}]": ("actors[0]", "names nobody; write subject:, client:, or both"),
    "actors: [{issuer: i}]": ("actors[0]", "names nobody"),
    "actors: [{sbuject: a}]": ("actors[0].sbuject", "did you mean subject?"),
    "actor: forbidden, actors: [a]": ("actors", "actor: forbidden accepts nobody"),
}


@pytest.mark.parametrize(("text", "fault"), ACTORS.items(), ids=ACTORS)
def test_what_names_no_actor_is_an_error_with_its_place(told, text, fault):
    (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, {text}"))
    assert f"issuers[0].{fault[0]}: " in line
    assert fault[1] in line


PACES = {
    "min_refresh: 9": "min_refresh: should be greater than or equal to 10.",
    "max_refresh: 86401": "max_refresh: should be less than or equal to 86400.",
    "min_refresh: 61, max_refresh: 60": "max_refresh: is shorter than min_refresh.",
    "unknown_key_cooldown: 0": "unknown_key_cooldown: should be greater than or equal to 1.",
    "unknown_key_cooldown: 301": "unknown_key_cooldown: should be less than or equal to 300.",
    "max_claim_values: 0": "max_claim_values: should be greater than or equal to 1.",
    "max_claim_values: 10001": "max_claim_values: should be less than or equal to 10000.",
}


@pytest.mark.parametrize(("written", "line"), PACES.items(), ids=PACES)
def test_how_often_and_how_much_has_its_bounds(told, written, line):
    head = f"issuer: '{LOGIN}', audience: gw, "
    (found,) = told(issuer(head + written))
    place = "issuers: [{" + head + written
    column = place.rindex(": ") + len(": ") + 1
    assert found == f"1:{column}: error: issuers[0].{line}"


def test_every_issuer_of_a_tenant_is_asked_as_often(settings):
    text = f"tenant: {TENANT}, profile: entra, audience: gw, unknown_key_cooldown: 2"
    found = settings(issuer(text)).issuers
    assert [one.keys.unknown_key_cooldown for one in found] == [2, 2]


@pytest.mark.parametrize("value", ["59", "31536001", "0", "1h", "true"])
def test_a_lifetime_is_from_a_minute_to_a_year(told, value):
    (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, max_lifetime: {value}"))
    assert "issuers[0].max_lifetime: should be" in line


def test_an_issuer_may_be_held_to_rfc_9068_and_to_some_clients(one):
    found = one(f"issuer: '{LOGIN}', audience: gw, rfc9068: true, clients: [chat-ui, batch]")
    assert found.rfc9068
    assert found.clients == ("chat-ui", "batch")


def test_a_sign_in_may_be_demanded_of_all_tokens(one, told):
    text = f"issuer: {LOGIN}, audience: gw, authentication: "
    assert one(f"{text}{{acr_values: [gold], max_age: 3600}}").authentication == Authentication(
        ("gold",), 3600
    )
    (fault,) = told(issuer(f"{text}{{}}"))
    assert "issuers[0].authentication: demands nothing; " in fault


def test_claims_may_be_required(one):
    found = one(
        f"issuer: '{LOGIN}', audience: gw, require: {{hd: example.com, 'a\\.b.c': [x, y]}},"
        " email_domains: [Example.com]"
    )
    assert found.require == ((("hd",), ("example.com",)), (("a.b", "c"), ("x", "y")))
    assert found.email_domains == ("example.com",)


def test_a_required_claim_has_a_path(told):
    (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, require: {{'a..b': x}}"))
    assert "issuers[0].require.a..b: a claim path has at least one key" in line


@pytest.mark.parametrize("value", ["72", "true", "7.5"])
def test_what_is_required_is_text(told, value):
    (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, require: {{namespace_id: {value}}}"))
    assert line.endswith(
        "error: issuers[0].require.namespace_id: is a number or a truth value where text is meant;"
        " write it in quotes."
    )


# Several names for one issuer


def test_an_alias_is_another_name(one):
    found = one(f"issuer: '{LOGIN}', audience: gw, aliases: ['{LOGIN}/', login]")
    assert (found.issuer, found.aliases) == (LOGIN, (f"{LOGIN}/", "login"))


@pytest.mark.parametrize("alias", [f"{LOGIN}/a", "https://two.example.com"])
def test_an_alias_is_of_one_issuer_alone(told, alias):
    text = f"""\
issuers:
  - {{issuer: '{LOGIN}', audience: gw, aliases: ['{LOGIN}/a']}}
  - {{issuer: 'https://two.example.com', audience: gw, aliases: ['{LOGIN}/a']}}
"""
    assert told(text) == ["3:14: error: issuers[1].issuer: is configured twice; keep one entry."]


# Where the keys are


def test_a_fetch_may_need_a_bearer_token_and_a_certificate_authority(one):
    found = one(
        "issuer: https://kubernetes.default.svc.cluster.local, profile: kubernetes, audience: gw,"
        " jwks_url: https://kubernetes.default.svc/openid/v1/jwks, private_network: true,"
        " ca_file: ca.crt, bearer_file: token"
    )
    assert found.keys == KeysFrom(
        jwks_url="https://kubernetes.default.svc/openid/v1/jwks",
        reach=Reach("ca.crt", private_network=True, bearer_file="token"),
    )


# Microsoft Entra ID


def test_a_tenant_has_two_issuers_each_with_its_keys(settings):
    v2, v1 = settings(issuer(f"profile: entra, tenant: {TENANT}, audience: gw")).issuers
    assert v2.issuer == f"{MICROSOFT}/{TENANT}/v2.0"
    assert v2.keys == KeysFrom(jwks_url=f"{MICROSOFT}/{TENANT}/discovery/v2.0/keys")
    assert v1.issuer == f"https://sts.windows.net/{TENANT}/"
    assert v1.keys == KeysFrom(jwks_url=f"{MICROSOFT}/{TENANT}/discovery/keys")
    assert v1.algorithms == v2.algorithms == ("RS256",)


def test_tenants_are_a_closed_list_that_shares_keys(settings):
    found = settings(issuer(f"profile: entra, tenant: [{TENANT}, {OTHER}], audience: gw")).issuers
    assert [each.issuer for each in found] == [
        f"{MICROSOFT}/{TENANT}/v2.0",
        f"https://sts.windows.net/{TENANT}/",
        f"{MICROSOFT}/{OTHER}/v2.0",
        f"https://sts.windows.net/{OTHER}/",
    ]
    assert {each.keys.jwks_url for each in found} == {
        f"{MICROSOFT}/common/discovery/v2.0/keys",
        f"{MICROSOFT}/common/discovery/keys",
    }


def test_entra_s_audience_uri_may_end_in_a_slash(settings):
    text = issuer(f"profile: entra, tenant: {TENANT}, audience: [api://gw, api://x/, {OTHER}]")
    assert settings(text).issuers[0].audience == (
        "api://gw",
        "api://x/",
        OTHER,
        "api://gw/",
        "api://x",
    )


NO_TENANT = (
    "issuers[0].tenant[0]: is no tenant ID; write the GUID that stands in the tokens' tid, in lower"
    " case."
)
ENTRA_FAULTS = {
    "a tenant's domain": (
        "profile: entra, tenant: contoso.onmicrosoft.com, audience: gw",
        NO_TENANT,
    ),
    "all tenants": (
        "profile: entra, tenant: common, audience: gw",
        NO_TENANT,
    ),
    "a tenant in capitals": (
        f"profile: entra, tenant: {TENANT.replace('1', 'A')}, audience: gw",
        NO_TENANT,
    ),
    "a tenant of another provider": (
        f"profile: keycloak, tenant: {TENANT}, audience: gw",
        "issuers[0].tenant: is Entra ID's; write profile: entra beside it.",
    ),
    "a tenant and an issuer": (
        f"profile: entra, tenant: {TENANT}, issuer: '{LOGIN}', audience: gw",
        "issuers[0].issuer: cannot stand beside tenant.",
    ),
    "a tenant and its keys": (
        f"profile: entra, tenant: {TENANT}, jwks_url: '{LOGIN}/keys', audience: gw",
        "issuers[0].jwks_url: cannot stand beside tenant.",
    ),
    "no tenant": (
        "profile: entra, audience: gw",
        "issuers[0].issuer: is missing (or tenant, the ID of your tenant).",
    ),
    "no issuer": ("audience: gw", "issuers[0].issuer: is missing."),
}


@pytest.mark.parametrize(("text", "sentence"), ENTRA_FAULTS.values(), ids=ENTRA_FAULTS)
def test_a_tenant_is_its_id(told, text, sentence):
    (line,) = told(issuer(text))
    assert line.endswith(f"error: {sentence}")


def test_entra_s_email_is_nobody_s_word(told):
    text = issuer(f"profile: entra, tenant: {TENANT}, audience: gw, email_domains: [example.com]")
    (line,) = told(text)
    assert "warning: issuers[0].email_domains: is decided by a claim that Entra ID does not" in line


# The other providers


def test_okta_s_org_server_is_no_issuer_of_ours(told):
    for written in ("https://acme.okta.com", "https://acme.okta.com/"):
        (line,) = told(issuer(f"profile: okta, issuer: '{written}', audience: gw"))
        assert line.endswith(
            "error: issuers[0].issuer: is Okta's org authorization server, whose access tokens"
            " only Okta itself can read; name a custom one,"
            " https://acme.okta.com/oauth2/default."
        )


def test_cognito_has_clients_for_an_audience(one, told):
    pool = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf"
    found = one(f"profile: cognito, issuer: '{pool}', clients: [c1]")
    assert (found.audience, found.clients) == ((), ("c1",))
    assert found.roles == found.groups == (("cognito:groups",),)
    (line,) = told(issuer(f"profile: cognito, issuer: '{pool}'"))
    assert "error: issuers[0].clients: is missing: Cognito's access tokens have no aud" in line


FIXED = {
    "google": ("https://accounts.google.com", "require: {hd: example.com}"),
    "github-actions": (
        "https://token.actions.githubusercontent.com",
        "require: {repository_owner_id: '1'}",
    ),
}


@pytest.mark.parametrize(("profile", "case"), FIXED.items(), ids=FIXED)
def test_a_provider_with_one_issuer_for_all_need_not_be_named(one, profile, case):
    name, required = case
    found = one(f"profile: {profile}, audience: gw, {required}")
    assert found.issuer == name
    assert found.keys == KeysFrom(discovery_url=f"{name}/.well-known/openid-configuration")
    assert found.algorithms == ("RS256",)


def test_google_s_other_name_is_an_alias(one):
    found = one("profile: google, audience: gw, require: {hd: example.com}")
    assert found.aliases == ("accounts.google.com",)
    named = "issuer: 'https://accounts.google.com', audience: gw, require: {hd: example.com}"
    assert one(f"profile: google, {named}").aliases == ("accounts.google.com",)
    assert one(named).aliases == ()
    assert found.role_values == (("email",),)


@pytest.mark.parametrize("profile", ["google", "github-actions", "gitlab-ci"])
@pytest.mark.parametrize("required", ["", ", require: {ref: refs/heads/main}"])
def test_where_anybody_may_have_the_audience_a_claim_must_be_required(told, profile, required):
    (line,) = told(issuer(f"issuer: '{LOGIN}', profile: {profile}, audience: gw{required}"))
    assert "needs require: with one of " in line
    assert line.endswith("since its holder chooses the audience.")


NAMES = {
    "repository": "which another owner may get when it is given up; repository_id stays.",
    "repository_owner": "which another owner may get when it is given up; repository_owner_id",
    "sub": "is made of names and can be composed otherwise (GitHub: since 15 July 2026 with IDs)",
}


@pytest.mark.parametrize(("claim", "words"), NAMES.items(), ids=NAMES)
def test_a_name_that_can_change_hands_is_a_warning(told, claim, words):
    (line,) = told(issuer(f"profile: github-actions, audience: gw, require: {{{claim}: acme}}"))
    assert f"warning: issuers[0].require.{claim}: " in line
    assert words in line


def test_kubernetes_names_service_accounts(one):
    found = one(f"issuer: '{LOGIN}', profile: kubernetes, audience: gw")
    assert found.algorithms == ("RS256", "ES256")
    assert (found.roles, found.role_values) == ((), (("sub",),))


def test_c10_only_asymmetric_algorithms_can_be_allowed(told):
    for algorithm in ("none", "NONE", "HS256", "HS512", "RS1", "rs256", "ES256K", "dir"):
        (line,) = told(issuer(f"issuer: '{LOGIN}', audience: gw, algorithms: [{algorithm}]"))
        assert f"{algorithm} is not accepted; choose among {', '.join(ALGORITHMS)}." in line
