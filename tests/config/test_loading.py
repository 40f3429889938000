"""Every problem is found at once, each with its line, column, key path, and what to do."""

import pytest

from rolecall.config import ConfigurationError, load

ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
UNKNOWN = {
    "nothing like it": (
        "zzz: 1",
        "2:1: error: zzz: unknown key: remove it, or see the list of keys.",
    ),
    "a slip": ("rule: []", "2:1: error: rule: unknown key: did you mean rules?"),
    "a slip below": (
        "models:\n  - name: a\n    model: gpt-4o\n    api_key: k\n    apibase: x\n",
        "6:5: error: models[0].apibase: unknown key: did you mean api_base?",
    ),
    "another case": (
        "limits: {Body_bytes: 2048}",
        "2:10: error: limits.Body_bytes: unknown key: did you mean body_bytes?",
    ),
    "a key that is no word": (
        "1: x",
        "2:1: error: 1: unknown key: remove it, or see the list of keys.",
    ),
    "a key of LiteLLM that means nothing here": (
        "litellm_settings: {callbacks: [x]}",
        (
            "2:20: error: litellm_settings.callbacks: unknown key: there are no callbacks; remove"
            " it."
        ),
    ),
    "a key of LiteLLM's database": (
        "general_settings: {database_url: x}",
        (
            "2:20: error: general_settings.database_url: unknown key: Rolecall keeps no database;"
            " remove it."
        ),
    ),
    "a key of LiteLLM's jwtauth": (
        "general_settings: {enable_jwt_auth: true, litellm_jwtauth: {custom_validate: x.y}}",
        (
            "2:61: error: general_settings.litellm_jwtauth.custom_validate: unknown key: Python"
            " code is not loaded from the configuration; write require: at the issuer for claims"
            " that must have a value, or when: at a role for a condition over all of them."
        ),
    ),
    "a key of LiteLLM's settings": (
        "litellm_settings: {drop_params: true}",
        (
            "2:20: error: litellm_settings.drop_params: unknown key: nothing is dropped in silence:"
            " a field that a provider cannot take is refused; remove it."
        ),
    ),
    "LiteLLM's variables": (
        "environment_variables: {A: b}",
        (
            "2:1: error: environment_variables: unknown key: set variables in the environment of"
            " the process."
        ),
    ),
    "a merge key": (
        "limits: {<<: {body_bytes: 2048}}",
        "2:10: error: limits.<<: unknown key: remove it, or see the list of keys.",
    ),
}
WRONG = {
    "a word for a list": (
        "rules: none",
        "2:8: error: rules: should be a valid list.",
    ),
    "an empty section": ("rules:", "2:7: error: rules: should be a valid list."),
    "a list for a mapping": (
        "limits: [1]",
        "2:9: error: limits: should be a mapping: keys and values.",
    ),
    "a word for a mapping": (
        "models: [gpt-4o]",
        "2:10: error: models[0]: should be a mapping: keys and values.",
    ),
    "a word for a list of roles": (
        "rules: [{allow: staff, models: [a]}]",
        "2:17: error: rules[0].allow: should be a valid list.",
    ),
    "a number for a name": (
        "roles: [{role: 12}]",
        "2:16: error: roles[0].role: should be a valid string.",
    ),
    "true for a name": (
        "roles: [{role: true}]",
        "2:16: error: roles[0].role: should be a valid string.",
    ),
    "an empty name": (
        "roles: [{role: ''}]",
        "2:16: error: roles[0].role: should have at least 1 character.",
    ),
    "a quoted number": (
        "limits: {body_bytes: '2048'}",
        "2:22: error: limits.body_bytes: should be a valid integer.",
    ),
    "a word for a switch": (
        "general_settings: {enable_jwt_auth: yes}",
        "2:37: error: general_settings.enable_jwt_auth: should be a valid boolean.",
    ),
    "a key that is missing": (
        "models: [{name: a}]",
        "2:10: error: models[0].model: is missing.",
    ),
    "a value that is not offered": (
        "models: [{name: a, model: b, provider: azure}]",
        "2:40: error: models[0].provider: should be 'openai' or 'anthropic'.",
    ),
    "a list with nothing in it": (
        "rules: [{allow: [], models: [a]}]",
        "2:17: error: rules[0].allow: should have at least 1 item.",
    ),
}


@pytest.mark.parametrize(("text", "line"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_key_is_an_error_with_a_hint(told, text, line):
    assert told(ISSUER + text) == [line]


@pytest.mark.parametrize(("text", "line"), UNKNOWN.values(), ids=UNKNOWN)
def test_allow_unknown_turns_it_into_a_warning(told, text, line):
    lines = told(ISSUER + text, {"JWT_PUBLIC_KEY_URL": ""}, allow_unknown=True)
    assert lines[0] == line.replace("error", "warning", 1)
    assert not [other for other in lines if " error: " in other]


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_a_value_of_the_wrong_shape_is_an_error_at_its_place(told, text, line):
    assert told(ISSUER + text) == [line]


def test_allow_unknown_allows_nothing_else(told):
    assert told(ISSUER + "zzz: {a: [1]}\nlimits: {body_bytes: 1}", allow_unknown=True) == [
        "2:1: warning: zzz: unknown key: remove it, or see the list of keys.",
        "3:22: error: limits.body_bytes: should be greater than or equal to 1024.",
    ]


def test_allow_unknown_keeps_the_known_keys_beside(settings):
    text = ISSUER + "limits: {body_bytes: 2048, x: 1}\nroles: [{role: a, y: 2}, {role: b, z: 3}]"
    loaded = settings(text, allow_unknown=True)
    assert loaded.limits.body == 2048
    assert [mapping.role for mapping in loaded.roles] == ["a", "b"]


def test_problems_come_all_at_once_in_the_order_of_the_file(told):
    text = """\
        rules:
          - allow: [a]
            model: [b]
        limits:
          body_bytes: many
        issuers: []
        issuers: []
    """
    assert told(text) == [
        "2:5: error: rules[0].models: is missing.",
        "3:5: error: rules[0].model: unknown key: did you mean models?",
        "5:15: error: limits.body_bytes: should be a valid integer.",
        "7:1: error: issuers: stands twice in this mapping, first in line 6; keep one.",
    ]


def test_a_problem_names_its_file(tmp_path):
    file = tmp_path / "gw.yaml"
    file.write_text("zzz: 1")
    with pytest.raises(ConfigurationError) as caught:
        load(file, {})
    (problem,) = caught.value.problems
    assert (problem.level, problem.file, problem.line, problem.column, problem.path) == (
        "error",
        str(file),
        1,
        1,
        "zzz",
    )
    assert str(caught.value) == str(problem)


def test_a_configuration_that_trusts_nobody_is_refused(told):
    assert told("rules: []") == [
        (
            "1:1: error: trusts no issuer: write issuers: (or general_settings.enable_jwt_auth:"
            " true with JWT_PUBLIC_KEY_URL and JWT_AUDIENCE in the environment), or keys:."
        )
    ]


def test_the_jwt_variables_count_only_where_enable_jwt_auth_is_true(told):
    environ = {"JWT_PUBLIC_KEY_URL": "https://idp/jwks", "JWT_ISSUER": "i", "JWT_AUDIENCE": "a"}
    for text in ["rules: []", "general_settings: {enable_jwt_auth: false}"]:
        (line,) = told(text, environ)
        assert line.startswith("1:1: error: trusts no issuer")


CANDIDATE = "roles: [{{role: r, issuers: ['{issuer}']}}]\nrules: [{{allow: [r], models: [b]}}]\n"


def test_a_candidate_needs_no_issuers_of_its_own(tmp_path):
    """Only its policy is asked, about callers of the issuers that are trusted."""
    head = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
    (tmp_path / "gw.yaml").write_text(head + "shadow: next.yaml\n")
    (tmp_path / "next.yaml").write_text(CANDIDATE.format(issuer="https://login.example.com"))
    shadow = load(tmp_path / "gw.yaml", {}).settings.shadow
    assert [rule.models for rule in shadow.rules] == [("b",)]
    (tmp_path / "next.yaml").write_text(CANDIDATE.format(issuer="https://other.example"))
    with pytest.raises(ConfigurationError, match=r"next.yaml:1:29: error: .* no configured issuer"):
        load(tmp_path / "gw.yaml", {})
