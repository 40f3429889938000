"""A policy may be valid and yet leave something out; then there is a warning."""

import pytest

HEAD = """\
issuers: [{issuer: 'https://login.example.com', audience: gw}]
models: [{name: a, model: gpt-4o, api_key: k}, {name: b, model: gpt-4o, api_key: k}]
"""
GAPS = {
    "nothing is left out": ("roles: [{role: r}]\nrules: [{allow: [r], models: [a]}]", []),
    "globs leave nothing out": ("roles: [{role: r}]\nrules: [{allow: ['*'], models: ['*']}]", []),
    "a role without a rule": (
        "roles: [{role: r}, {role: s}]\nrules: [{allow: [r], models: [a]}]",
        ["3:20: warning: roles[1]: role 's' has no rule that allows anything: it calls nothing."],
    ),
    "a role that is denied alone": (
        "roles: [{role: r}]\nrules: [{deny: [r], models: [a]}]",
        ["3:9: warning: roles[0]: role 'r' has no rule that allows anything: it calls nothing."],
    ),
    "a role that a glob allows": (
        "roles: [{role: team-a}]\nrules: [{allow: ['team-*'], models: [a]}]",
        [],
    ),
    "a rule for a role that nobody holds": (
        "roles: [{role: r}]\nrules: [{allow: [r, admin], models: [a]}]",
        [
            (
                "4:9: warning: rules[0]: no caller can hold the role 'admin': nothing maps a claim"
                " to it."
            )
        ],
    ),
    "a denial for a role that nobody holds": (
        "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}, {deny: ['x-*'], models: [a]}]",
        ["4:36: warning: rules[1]: no caller can hold the role 'x-*': nothing maps a claim to it."],
    ),
    "a role in another case": (
        "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}, {allow: [R], models: [a]}]",
        ["4:36: warning: rules[1]: no caller can hold the role 'R': nothing maps a claim to it."],
    ),
    "a rule for a model that is not there": (
        "roles: [{role: r}]\nrules: [{allow: [r], models: [a, c]}]",
        ["4:9: warning: rules[0]: names the model 'c', and no deployment serves such a name."],
    ),
    "a glob that meets no model": (
        "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}, {deny: [r], models: ['*-x']}]",
        ["4:36: warning: rules[1]: names the model '*-x', and no deployment serves such a name."],
    ),
    "slips": (
        """\
roles: [{role: researcher}]
rules: [{allow: [reseacher, 'res-*', researcher], models: [a]}]
role_permissions: [{role: researcher, models: [openai/gpt4o, b]}]
model_list: [{model_name: openai/gpt-4o, litellm_params: {model: o1, api_key: k}}]
""",
        [
            (
                "4:9: warning: rules[0]: no caller can hold the role 'reseacher': nothing maps a"
                " claim to it (did you mean researcher?)."
            ),
            (
                "4:9: warning: rules[0]: no caller can hold the role 'res-*': nothing maps a claim"
                " to it."
            ),
            (
                "5:20: warning: role_permissions[0]: names the model 'openai/gpt4o', and no"
                " deployment serves such a name (did you mean openai/gpt-4o?)."
            ),
        ],
    ),
    "a role that only explains": (
        (
            "roles: [{role: r}, {role: s}]\nrules: [{allow: [r], models: [a]}]\n"
            "explain: {administrators: [s]}"
        ),
        [],
    ),
    "an administrator whom nobody makes one": (
        "roles: [{role: r}]\nrules: [{allow: [r], models: [a]}]\nexplain: {administrators: [s]}",
        ["5:27: warning: explain.administrators: no caller can hold the role 's'."],
    ),
    "LiteLLM's rule for proxy_admin": (
        "role_permissions: [{role: proxy_admin, models: [a]}]",
        [
            (
                "3:20: warning: role_permissions[0]: no caller can hold the role 'proxy_admin':"
                " nothing maps a claim to it."
            )
        ],
    ),
}


@pytest.mark.parametrize(("text", "lines"), GAPS.values(), ids=GAPS)
def test_a_gap_in_the_policy_is_a_warning(configure, told, text, lines):
    assert told(HEAD + text) == lines
    assert configure(HEAD + text).settings.models
