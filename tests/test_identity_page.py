"""docs/identity.md: every stanza loads as it is printed, and signs in whom it is meant for."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from rolecall.config import load
from rolecall.config.profiles import DEFAULTS
from rolecall.identity import caller_from
from rolecall.policy import assign_roles, compile_policy

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "identity.md").read_text("utf-8")
SHAPES = json.loads(
    (ROOT / "tests" / "data" / "tokens" / "provider_claims.json").read_text("utf-8")
)
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
REST = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
STANZAS = {
    f"{name} {number}" if number else name: stanza
    for name, text in SECTIONS.items()
    for number, stanza in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
}
WHO = {
    "Microsoft Entra ID": "entra_v2_user",
    "Keycloak": "keycloak_access",
    "Okta": "okta_access_user",
    "Auth0": "auth0_access_user",
    "Google": "google_user_id_token",
    "Google 1": "google_service_account_id_token",
    "Amazon Cognito": "cognito_access_user",
    "GitHub Actions": "github_actions_immutable_sub",
    "GitLab CI": "gitlab_ci",
    "Kubernetes service accounts": "k8s_bound",
}
PROGRAMS = {
    "Microsoft Entra ID": ("entra_v2_app_only", {"roles": ["basic_user"]}),
    "Keycloak": (
        "keycloak_service_account",
        {"resource_access": {"llm-gateway": {"roles": ["basic_user"]}}},
    ),
    "Okta": ("okta_access_client_credentials", {}),
    "Auth0": ("auth0_m2m", {}),
    "Amazon Cognito": (
        "cognito_access_m2m",
        dict.fromkeys(("client_id", "sub"), "2k68lg6dqr28n1fnm2EXAMPLE"),
    ),
}


@pytest.fixture
def loaded(tmp_path):
    """A section's stanza, loaded beside the rules and models at the top of the page."""

    def loaded(name):
        file = tmp_path / "rolecall.yaml"
        stanza = STANZAS[name].replace("/etc/rolecall", str(tmp_path))
        for named in re.findall(rf"{tmp_path}\S+", stanza):
            Path(named).touch()
        file.write_text(stanza + REST)
        secrets = dict.fromkeys(re.findall(r"os\.environ/(\w+)", stanza), "s" * 32)
        return load(file, {"OPENAI_API_KEY": "sk", **secrets})

    return loaded


@pytest.mark.parametrize("name", STANZAS)
def test_every_stanza_loads_without_a_word(loaded, name):
    assert loaded(name).warnings == ()


def test_every_profile_has_a_stanza(loaded):
    shown = {issuer.profile for name in STANZAS for issuer in loaded(name).settings.issuers}
    assert shown == DEFAULTS.keys()


def found(loaded, name, claims):
    """Who a token's holder is by a section's stanza."""
    settings = loaded(name).settings
    (issuer,) = (each for each in settings.issuers if each.issuer == claims["iss"])
    # as the stanza says whom it lets in
    assert issuer.audience is None or not claims.get("aud") or _is_for(claims["aud"], issuer)
    table = compile_policy(settings.roles, settings.rules)
    return assign_roles(table, caller_from(issuer, claims))


def _is_for(audience, issuer):
    return set(issuer.audience) & set([audience] if isinstance(audience, str) else audience)


@pytest.mark.parametrize(("name", "shape"), WHO.items(), ids=WHO)
def test_every_stanza_gives_its_role_to_whom_it_is_for(loaded, name, shape):
    assert found(loaded, name, SHAPES[shape]["claims"]).roles == {"user"}


@pytest.mark.parametrize(("name", "shape", "changes"), [(n, *p) for n, p in PROGRAMS.items()])
def test_programs_get_it_too(loaded, name, shape, changes):
    caller = found(loaded, name, {**SHAPES[shape]["claims"], **changes})
    assert (caller.roles, caller.kind) == ({"user"}, "workload")


def test_the_table_of_profiles_says_what_the_code_says():
    rows = dict(re.findall(r"^\| `([a-z0-9-]+)` \| .*? \| .*? \| (.*?) \|$", PAGE, re.MULTILINE))
    assert rows.keys() == DEFAULTS.keys()
    lives = {"a day": 86_400, "28 hours": 100_800}
    assert {name: lives[text] for name, text in rows.items()} == {
        name: defaults.max_lifetime for name, defaults in DEFAULTS.items()
    }


def test_another_caller_has_no_role(loaded):
    settings = loaded("GitHub Actions").settings
    claims = {**SHAPES["github_actions_old_sub"]["claims"], "repository_id": "1"}
    caller = caller_from(settings.issuers[0], claims)
    table = compile_policy(settings.roles, settings.rules)
    assert assign_roles(table, replace(caller)).roles == frozenset()
