"""LiteLLM's policy in native terms, and what is said of entries that cannot be."""

import pytest

HEAD = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
MODELS = """\
model_list:
  - {model_name: a, litellm_params: {model: gpt-4o, api_key: k}, model_info: {access_groups: [g]}}
  - {model_name: b, litellm_params: {model: gpt-4o, api_key: k}, model_info: {access_groups: [g]}}
"""


def general(**sections):
    auth = sections.pop("auth", "{}")
    rest = "".join(f"  {key}: {value}\n" for key, value in sections.items())
    head = "general_settings:\n  enable_jwt_auth: true\n"
    return f"{HEAD}{MODELS}{head}  litellm_jwtauth: {auth}\n{rest}"


def rules_of(settings):
    return [
        (r.effect, r.roles, r.models, r.endpoints, r.when and r.when.text) for r in settings.rules
    ]


def test_a_group_stands_for_its_models(settings):
    found = settings(general(role_permissions="[{role: r, models: [g, c]}]"))
    assert rules_of(found) == [("allow", ("r",), ("a", "b", "c"), ("*",), None)]


SCOPES = "enforce_scope_based_access: true, scope_mappings: [{scope: s, models: [a, x*]}]"


def test_scopes_narrow_what_permissions_open(settings):
    permissions = (
        "[{role: r, models: [a, b, xy]}, {role: t, models: ['*'], routes: [openai_routes]}]"
    )
    found = settings(general(auth=f"{{{SCOPES}}}", role_permissions=permissions))
    when = '"s" in caller.scopes'
    assert rules_of(found) == [
        ("allow", ("r",), ("a", "xy"), ("chat", "messages"), when),
        ("allow", ("t",), ("a", "x*"), ("chat",), when),
    ]


def test_scopes_are_roles_where_there_are_no_permissions(settings):
    found = settings(general(auth=f"{{{SCOPES}}}"))
    (mapping,) = [m for m in found.roles if m.scopes]
    assert (mapping.role, mapping.scopes, mapping.any_of) == ("scope:s", ("s",), ())
    assert rules_of(found) == [("allow", ("scope:s",), ("a", "x*"), ("*",), None)]


CONDITIONS = {
    "attribute: jwt_claims.groups, contains: X": '"groups" in claims && "X" in claims["groups"]',
    r"attribute: 'jwt_claims.a\.b.c', equals: 'q\"'": (
        r'"a.b" in claims && "c" in claims["a.b"] && claims["a.b"]["c"] == "q\\\""'
    ),
    "attribute: user_id, equals: ada": 'caller.subject == "ada"',
    'attribute: jwt_claims.a, equals: "\\e"': '"a" in claims && claims["a"] == "\\U0000001b"',
}


@pytest.mark.parametrize(("text", "condition"), CONDITIONS.items(), ids=CONDITIONS)
def test_a_group_is_opened_by_a_claim(settings, text, condition):
    found = settings(general(access_group_rules=f"[{{{text}, access_group: g}}]"))
    (mapping,) = [m for m in found.roles if m.role == "access_group:g"]
    assert mapping.when.text == condition
    assert rules_of(found) == [("allow", ("access_group:g",), ("a", "b"), ("*",), None)]


def test_a_group_is_opened_to_a_role(settings):
    rule = "[{attribute: user_role, equals: internal_user, access_group: g}]"
    found = settings(general(access_group_rules=rule))
    assert rules_of(found) == [("allow", ("internal_user",), ("a", "b"), ("*",), None)]


def test_routes_of_admins_and_teams_narrow_their_permissions(settings):
    auth = "{team_allowed_routes: [openai_routes], admin_allowed_routes: [management_routes]}"
    permissions = "[{role: team, models: [a]}, {role: proxy_admin, models: [a]}]"
    found = settings(general(auth=auth, role_permissions=permissions))
    assert [rule.endpoints for rule in found.rules] == [("chat",), ()]


FAULTS = {
    "scopes that are not enforced": (
        {"auth": "{scope_mappings: [{scope: s, models: [a]}]}"},
        "needs enforce_scope_based_access: true and scope_mappings together.",
    ),
    "scopes that are enforced, and none": (
        {"auth": "{enforce_scope_based_access: true}"},
        "needs enforce_scope_based_access: true and scope_mappings together.",
    ),
    "patterns that overlap": (
        {
            "auth": "{enforce_scope_based_access: true, scope_mappings: [{scope: s, models:"
            " ['*b']}]}",
            "role_permissions": "[{role: r, models: ['a*']}]",
        },
        "overlaps with 'a*' in a way that cannot be told: '*b'.",
    ),
    "a group rule with two tests": (
        {"access_group_rules": "[{attribute: user_id, equals: a, contains: b, access_group: g}]"},
        "needs either contains or equals.",
    ),
    "a group rule over something else": (
        {"access_group_rules": "[{attribute: key_alias, equals: a, access_group: g}]"},
        "must be user_id, user_role, or jwt_claims. and a dotted path.",
    ),
    "a group that no model is of": (
        {"access_group_rules": "[{attribute: user_id, equals: a, access_group: h}]"},
        "no model is of the access group 'h': the rule grants nothing.",
    ),
    "a condition that is too long": (
        {
            "access_group_rules": "[{attribute: jwt_claims."
            + "x" * 1500
            + f", equals: {'y' * 1500}, access_group: g}}]"
        },
        "cannot be written as a condition: it is longer than 4096 characters.",
    ),
}


@pytest.mark.parametrize(("sections", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_said_is_reported(told, sections, sentence):
    assert any(line.endswith(sentence) for line in told(general(**sections)))
