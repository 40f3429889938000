"""Where LiteLLM's keys mean something else here, it is said once, at the key, and only then."""

import re
from pathlib import Path

import pytest

from rolecall.config.litellm_differences import SENTENCES

DOCS = Path(__file__).parents[2] / "docs"
# what warns asks for a change
WARNINGS = {"litellm-model-key", "litellm-no-models", "litellm-rbac-always"}

HEAD = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
MODELS = """\
model_list:
  - {model_name: a, litellm_params: {model: gpt-4o, api_key: k}, model_info: {access_groups: [g]}}
"""
BASE = "user_roles_jwt_field: roles, user_allowed_roles: [basic], enforce_rbac: true"
ALLOWED = "[{role: internal_user, models: [a]}]"


def configuration(auth="", permissions=ALLOWED, general=""):
    return f"""\
{HEAD}{MODELS}general_settings:
  litellm_jwtauth: {{{", ".join(filter(None, (BASE, auth)))}}}
  enable_jwt_auth: true
  role_permissions: {permissions}
{general}"""


TEAM = "[{role: internal_user, models: [a]}, {role: team, models: [a]}]"
ADMIN = ", {role: proxy_admin, models: [a]}"
SCOPED = "enforce_scope_based_access: true, scope_mappings: [{scope: s, models: [a]%s}]"

CASES = {
    "nothing but what is always so": (configuration(), []),
    "several ways to a role": (
        configuration("team_id_jwt_field: team", TEAM),
        ["5:99 roles-united: all of internal_user, team;"],
    ),
    "one role in two ways": (
        configuration(
            "roles_jwt_field: r, role_mappings: [{role: x, internal_role: internal_user}]"
        ),
        [],
    ),
    "a role without an entry": (
        configuration("team_id_jwt_field: team"),
        ["roles-united", "role-without-permissions: team has no entry"],
    ),
    "no entry at all": (
        configuration(permissions="[]"),
        ["role-without-permissions: internal_user has no entry"],
    ),
    "scopes alone": (configuration(SCOPED % "", "[]"), []),
    "scopes beside permissions, and a role without": (
        configuration(f"{SCOPED % ''}, team_id_jwt_field: team"),
        ["roles-united", "role-without-permissions: team has no entry"],
    ),
    "routes of a scope": (configuration(SCOPED % ", routes: [openai_routes]"), ["scope-routes"]),
    "an administrator who calls models": (
        configuration("admin_jwt_scope: admin", f"{ALLOWED[:-1]}{ADMIN}]"),
        ["roles-united", "admin-calls-models"],
    ),
    "an administrator whose routes are said": (
        configuration(
            "admin_jwt_scope: admin, admin_allowed_routes: [llm_api_routes]",
            f"{ALLOWED[:-1]}{ADMIN}]",
        ),
        ["roles-united"],
    ),
    "an administrator by no scope": (
        configuration(permissions=f"{ALLOWED[:-1]}{ADMIN}]"),
        ["admin-calls-models", "admin-scope"],
    ),
    "a master key": (
        configuration(general=f"  master_key: {'k' * 32}\n"),
        ["8:3 master-key"],
    ),
    "a list of issuers": (
        configuration("issuers: [{issuer: 'https://two.example', audience: gw}]"),
        ["issuers-closed"],
    ),
    "a user's ID beside roles": (
        configuration("user_id_jwt_field: sub"),
        ["user-id-gives-no-role"],
    ),
    "an issuer's user ID beside roles": (
        configuration(
            "issuers: [{issuer: 'https://two.example', audience: gw, user_id_jwt_field: sub}]"
        ),
        ["issuers-closed", "user-id-gives-no-role"],
    ),
    "several teams": (configuration("team_ids_jwt_field: teams"), ["teams-united"]),
    "a domain": (configuration("user_allowed_email_domain: x.example"), ["email-verified"]),
    "times without quotes": (
        configuration().replace(
            "{access_groups: [g]}",
            "{access_windows: [{start: 09:00, end: '18:00', timezone: UTC, team_ids: [t]}]}",
        ),
        [],
    ),
    "times without quotes that YAML 1.1 reads as numbers, told once": (
        configuration().replace(
            "{access_groups: [g]}",
            "{access_windows: [{start: 17:00, end: 18:00, timezone: UTC, team_ids: [t]}]}",
        ),
        ["times"],
    ),
    "patterns and groups, each told once": (
        configuration(permissions="[{role: internal_user, models: ['a*', g, 'b*', g]}]"),
        ["patterns: 'a*' stands", "groups: 'g' stands"],
    ),
    "rules that LiteLLM would not enforce": (
        configuration().replace(", enforce_rbac: true", ""),
        ["rbac-always: without"],
    ),
}


def beginning(found, expected):
    """Whether a note is the one that is expected: its place, if named, its code, its words."""
    place, code, words = re.fullmatch(r"(?:(\d+:\d+) )?([a-z-]+)(?:: (.*))?", expected).groups()
    return (
        found.code == f"litellm-{code}"
        and (place is None or place == f"{found.line}:{found.column}")
        and (words is None or words in found.message)
    )


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_a_difference_is_noted_where_it_is_met(configure, text, expected):
    notes = list(configure(text, {}, offline=True).notes)
    always = [found for found in notes if found.code == "litellm-always"]
    assert [(found.line, found.column) for found in always] == [(6, 3)]
    others = [found for found in notes if found not in always]
    assert len(others) == len(expected), others
    for wanted in expected:
        assert any(beginning(found, wanted) for found in others), (wanted, others)
    assert all(found.line and found.message.endswith(".") for found in notes)


def test_the_native_dialect_has_nothing_to_note(configure):
    text = HEAD + "roles: [{role: r}]\nrules: [{allow: [r], models: [m]}]"
    assert configure(text).notes == ()


def test_notes_are_not_among_what_is_to_be_mended(configure, told):
    assert not any("note" in line for line in told(configuration(), {}, offline=True))
    broken = configuration("team_ids_jwt_field: teams", general="rules: 1\n")
    assert not any("note" in line for line in told(broken, {}, offline=True))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (configuration().replace("rbac: true", "rbac: false"), "litellm-rbac-always"),
        (configuration(permissions="[{role: internal_user}]"), "litellm-no-models"),
        (configuration().replace("model_name: a", "model: a"), "litellm-model-key"),
    ],
)
def test_what_asks_for_a_change_is_a_warning(configure, text, code):
    loaded = configure(text, {}, offline=True)
    assert [problem.code for problem in loaded.warnings].count(code) == 1
    assert code not in {found.code for found in loaded.notes}


def test_every_difference_has_its_place_in_the_documentation():
    documented = re.findall(r"^## (.*)$", (DOCS / "litellm.md").read_text(), re.MULTILINE)
    assert set(documented) == WARNINGS | set(SENTENCES)
    assert documented == sorted(documented)


def test_every_difference_has_its_case():
    expected = "\n".join(wanted for _, notes in CASES.values() for wanted in notes)
    met = re.findall(r"^(?:[\d:]+ )?([a-z-]+)", expected, re.MULTILINE)
    assert {"litellm-always", *(f"litellm-{code}" for code in met)} == set(SENTENCES)
