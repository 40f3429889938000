"""LiteLLM's keys for issuers, claims and roles, each in its native meaning."""

import pytest

from rolecall.config import KeysFrom

ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
PERMISSIONS = (
    "role_permissions: [{role: internal_user, models: [a]}, {role: team, models: [a]},"
    " {role: proxy_admin, models: [a]}]\n"
    "models: [{name: a, model: gpt-4o, api_key: k}]\n"
)
KEYCLOAK = "https://sso.example.com/realms/corp"


def auth(text):
    return (
        PERMISSIONS + f"general_settings: {{enable_jwt_auth: true, litellm_jwtauth: {{{text}}}}}\n"
    )


@pytest.fixture
def one(settings):
    """The issuer beside a jwtauth."""

    def one(text):
        (found,) = settings(ISSUER + auth(text)).issuers
        return found

    return one


# Claims

CLAIMS = {
    "user_id_jwt_field: oid": ("subject", ("oid",)),
    "user_email_jwt_field: user.email": ("email", ("user", "email")),
    "end_user_id_jwt_field: customer": ("end_user", ("customer",)),
    "org_id_jwt_field: 'https://x\\.example/org'": ("organization", ("https://x.example/org",)),
    "team_id_jwt_field: client_id": ("teams", (("client_id",),)),
    "team_ids_jwt_field: groups": ("teams", (("groups",),)),
    "team_id_jwt_field: team, team_ids_jwt_field: groups": ("teams", (("team",), ("groups",))),
    "user_allowed_email_domain: Example.com": ("email_domains", ("example.com",)),
    "user_allowed_email_domain: 'a.com, b.com'": ("email_domains", ("a.com", "b.com")),
}


@pytest.mark.parametrize(("text", "expected"), CLAIMS.items(), ids=CLAIMS)
def test_a_field_is_a_claim_path_of_every_issuer(one, text, expected):
    key, value = expected
    assert getattr(one(text), key) == value


def test_an_issuer_s_own_word_comes_first(settings):
    text = "issuers: [{issuer: 'https://login.example.com', audience: gw, subject: uid}]\n"
    (found,) = settings(text + auth("user_id_jwt_field: oid, user_email_jwt_field: upn")).issuers
    assert (found.subject, found.email) == (("uid",), ("upn",))


def test_keys_are_fetched_as_often_and_kept_as_long_as_written(one):
    keys = one("public_key_ttl: 600, public_key_stale_ttl: 3600").keys
    assert (keys.refresh, keys.max_stale) == (600, 3600)


def test_the_environment_s_issuers_have_the_same_claims(settings):
    environ = {
        "JWT_PUBLIC_KEY_URL": f"{KEYCLOAK}/protocol/openid-connect/certs",
        "JWT_AUDIENCE": "gw",
    }
    text = auth("user_id_jwt_field: uid, public_key_ttl: 600, team_ids_jwt_field: groups")
    (found,) = settings(text, environ).issuers
    assert (found.subject, found.teams) == (("uid",), (("groups",),))
    assert found.keys.refresh == 600


# Roles


@pytest.fixture
def mapped(settings):
    """The role mappings of a jwtauth, as (role, any_of, scopes, condition, issuers)."""

    def mapped(text):
        return [
            (
                role.role,
                role.any_of,
                role.scopes,
                role.when.text if role.when else None,
                role.issuers,
            )
            for role in settings(ISSUER + auth(text)).roles
        ]

    return mapped


ROLES = {
    "an administrator's scope": (
        "admin_jwt_scope: litellm_proxy_admin",
        [("proxy_admin", (), ("litellm_proxy_admin",), None, ())],
    ),
    "a team's claim": (
        "team_id_jwt_field: client_id",
        [("team", (), (), "size(caller.teams) > 0", ())],
    ),
    "a user's claim": ("user_id_jwt_field: sub", [("internal_user", (), (), None, ())]),
    "a user's claim beside allowed roles": (
        "user_id_jwt_field: sub, user_roles_jwt_field: roles, user_allowed_roles: [u]",
        [("internal_user", ("u",), (), None, ())],
    ),
    "mapped roles": (
        (
            "roles_jwt_field: groups, role_mappings: [{role: admins, internal_role: proxy_admin},"
            " {role: users, internal_role: internal_user}]"
        ),
        [
            ("proxy_admin", ("admins",), (), None, ()),
            ("internal_user", ("users",), (), None, ()),
        ],
    ),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "expected"), ROLES.values(), ids=ROLES)
def test_who_holds_which_role(mapped, text, expected):
    assert mapped(text) == expected


def test_both_claims_of_roles_are_read(one):
    text = (
        "user_roles_jwt_field: roles, user_allowed_roles: [u], roles_jwt_field: groups,"
        " role_mappings: [{role: admins, internal_role: proxy_admin}]"
    )
    assert one(text).roles == (("roles",), ("groups",))


def test_an_object_s_id_is_the_user_s_or_the_team_s(one):
    mapping = "roles_jwt_field: roles, role_mappings: [{role: r, internal_role: %s}]"
    user = one("object_id_jwt_field: oid, " + mapping % "internal_user")
    assert (user.subject, user.teams) == (("oid",), ())
    team = one("object_id_jwt_field: oid, " + mapping % "team")
    assert team.teams == (("oid",),)


JWTAUTH = "general_settings.litellm_jwtauth"
FAULTS = {
    "mapped roles without their claim": (
        "role_mappings: [{role: r, internal_role: team}]",
        f"{JWTAUTH}: needs roles_jwt_field and role_mappings together.",
    ),
    "a claim without mapped roles": (
        "roles_jwt_field: r",
        f"{JWTAUTH}: needs roles_jwt_field and role_mappings together.",
    ),
    "an object's ID that is nobody's": (
        "object_id_jwt_field: oid",
        (
            f"{JWTAUTH}.object_id_jwt_field: needs role_mappings beside it, which"
            " say whose ID it is."
        ),
    ),
    "a claim with an empty key": (
        "user_id_jwt_field: a..b",
        (
            f"{JWTAUTH}.user_id_jwt_field: a claim path has at least one key, and"
            " none that is empty."
        ),
    ),
    "keys that are fetched all the time": (
        "public_key_ttl: 1",
        f"{JWTAUTH}.public_key_ttl: should be greater than or equal to 10.",
    ),
    "Python code": (
        "custom_validate: my.module.check",
        (
            f"{JWTAUTH}.custom_validate: unknown key: Python code is not loaded"
            " from the configuration; write require: at the issuer for claims that must have a"
            " value, or when: at a role for a condition over all of them."
        ),
    ),
    "a database of users": (
        "user_id_upsert: true",
        (
            f"{JWTAUTH}.user_id_upsert: unknown key: users and teams are those of"
            " the token, and kept nowhere; remove it."
        ),
    ),
}


@pytest.mark.parametrize(("text", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_meant_is_an_error(told, text, sentence):
    errors = [line for line in told(ISSUER + auth(text)) if ": error: " in line]
    assert [line.partition(": error: ")[2] for line in errors] == [sentence]


# litellm_jwtauth.issuers[]

LISTED = f"""
issuers: [
  {{issuer: '{KEYCLOAK}', audience: gw, user_email_jwt_field: upn, team_ids_jwt_field: groups,
    jwks_url: '{KEYCLOAK}/protocol/openid-connect/certs'}},
  {{issuer: 'https://workloads.example.com', disable_audience_validation: true,
    team_id_jwt_field: sub}}]
"""


def test_listed_issuers_are_a_closed_list_each_with_its_own_claims(settings):
    people, programs = settings(auth(LISTED)).issuers
    assert (people.issuer, people.profile, people.audience) == (KEYCLOAK, "keycloak", ("gw",))
    assert people.keys.jwks_url == f"{KEYCLOAK}/protocol/openid-connect/certs"
    assert (people.email, people.teams) == (("upn",), (("groups",),))
    assert (programs.profile, programs.audience) == ("generic", None)
    assert programs.keys == KeysFrom(
        discovery_url="https://workloads.example.com/.well-known/openid-configuration"
    )
    assert programs.teams == (("sub",),)


def test_a_listed_issuer_s_team_is_no_other_s(settings):
    (team,) = settings(auth(LISTED)).roles
    assert (team.role, team.issuers) == ("team", ("https://workloads.example.com",))


def test_listed_issuers_take_what_is_said_for_all(settings):
    people, programs = settings(
        auth(f"user_id_jwt_field: uid, public_key_ttl: 60,{LISTED}")
    ).issuers
    assert people.subject == programs.subject == ("uid",)
    assert people.keys.refresh == programs.keys.refresh == 60
    assert people.email == ("upn",)


def test_the_check_of_the_audience_is_waived_with_a_warning(told):
    (line,) = (line for line in told(auth(LISTED)) if "every audience is accepted" in line)
    assert "general_settings.litellm_jwtauth.issuers[1].audience" in line


LISTED_FAULTS = {
    "no audience": ("issuer: 'https://x.example'", "audience: is missing."),
    "an audience that is not checked": (
        "issuer: 'https://x.example', audience: gw, disable_audience_validation: true",
        "audience: cannot stand beside disable_audience_validation.",
    ),
    "GitHub": (
        "issuer: 'https://token.actions.githubusercontent.com', audience: gw",
        (
            "issuer: issues tokens for whatever audience their holder asks for; write it under"
            " issuers: with profile: github-actions and require:."
        ),
    ),
    "Google": (
        "issuer: 'https://accounts.google.com', audience: gw",
        (
            "issuer: issues tokens for whatever audience their holder asks for; write it under"
            " issuers: with profile: google and require:."
        ),
    ),
    "plain http": (
        "issuer: 'https://x.example', audience: gw, jwks_url: 'http://x.example/keys'",
        "jwks_url: uses plain http, which is accepted on loopback addresses alone; use https.",
    ),
}


@pytest.mark.parametrize(("text", "sentence"), LISTED_FAULTS.values(), ids=LISTED_FAULTS)
def test_a_listed_issuer_that_cannot_be_trusted_is_an_error(told, text, sentence):
    errors = [
        line
        for line in told(auth(f"issuers: [{{{text}}}]"))
        if ": error: general_settings.litellm_jwtauth.issuers[0]" in line
    ]
    assert [line.partition("issuers[0].")[2] for line in errors] == [sentence]


def test_an_issuer_is_listed_once_in_both_dialects(told):
    twice = auth("issuers: [{issuer: 'https://login.example.com', audience: gw}]")
    assert any(
        line.endswith("is configured twice; keep one entry.") for line in told(ISSUER + twice)
    )
