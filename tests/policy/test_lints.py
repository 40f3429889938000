"""What is valid and surely not meant: one small policy each."""

import re
from pathlib import Path

import pytest

from rolecall.config import load
from rolecall.policy import compile_policy
from rolecall.policy.lints import lint

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0
HEAD = "issuers: [{issuer: https://login.example.com, audience: [gw]}]\n"
LINTS = {
    "a clean policy": (
        """
roles: [{role: r}]
rules: [{allow: [r], models: [a, b*]}, {deny: [r], models: [c]}]
models: [{name: a, model: gpt-4o}, {name: b1, model: gpt-4o}]
""",
        [],
    ),
    "a condition that always holds": (
        """
rules: [{allow: [r], models: [a], when: 'call.n > 0 || true'}]
""",
        ["3: condition-always-holds"],
    ),
    "a condition that never holds": (
        """
roles: [{role: r, when: 'false && claims.x == 1'}]
rules: [{allow: [r], models: [a], when: '1 > 2'}]
""",
        ["3: condition-never-holds", "4: condition-never-holds"],
    ),
    "a condition that depends on something": (
        """
rules: [{allow: [r], models: [a], when: 'call.n > 0 || false'}]
""",
        [],
    ),
    "a rule that has expired": (
        """
rules: [{allow: [r], models: [a], expires: 2026-01-01}]
""",
        ["3: rule-expired"],
    ),
    "a rule that will expire": (
        """
rules: [{allow: [r], models: [a], expires: 2036-01-01}]
""",
        [],
    ),
    "a rule of no endpoint": (
        """
role_permissions: [{role: r, models: [a], routes: [info_routes]}]
""",
        ["3: rule-never-matches"],
    ),
    "a role that refuses what it asks for": (
        """
roles: [{role: r, any_of: [x, y], none_of: [x, y, z]}, {role: s, all_of: [x, y], none_of: [y]}]
""",
        ["3: role-impossible", "3: role-impossible"],
    ),
    "a role that refuses one of what it asks for": (
        """
roles: [{role: r, any_of: [x, y], none_of: [y]}]
""",
        [],
    ),
    "a grant that is denied": (
        """
rules:
  - {allow: [r], models: [a]}
  - {deny: ["*"], models: [a]}
""",
        ["4: grant-shadowed"],
    ),
    "a pattern that is denied by a wider one": (
        """
rules:
  - {allow: [r], models: ["open/x*"], endpoints: [chat]}
  - {deny: [r], models: ["open/*"], endpoints: [chat]}
""",
        ["4: grant-shadowed"],
    ),
    "a pattern that is denied in part": (
        """
rules:
  - {allow: [r], models: ["open/*"]}
  - {deny: [r], models: ["open/x*"]}
""",
        [],
    ),
    "one of several models denied": (
        """
rules:
  - {allow: [r], models: [a, b]}
  - {deny: [r], models: [b]}
""",
        ["4: grant-partly-shadowed"],
    ),
    "a denial at one endpoint": (
        """
rules:
  - {allow: [r], models: [a]}
  - {deny: [r], models: [a], endpoints: [chat]}
""",
        [],
    ),
    "a denial of one of two roles": (
        """
rules:
  - {allow: [r, s], models: [a]}
  - {deny: [r], models: [a]}
""",
        [],
    ),
    "a denial of a role that is included": (
        """
roles: [{role: r, includes: [s]}, {role: s}]
rules:
  - {allow: [r], models: [a]}
  - {deny: [s], models: [a]}
""",
        ["5: grant-shadowed"],
    ),
    "a denial under a condition": (
        """
rules:
  - {allow: [r], models: [a]}
  - {deny: [r], models: [a], when: call.stream}
  - {deny: [r], models: [a], expires: 2036-01-01}
""",
        [],
    ),
    "a sign-in that another rule does not demand": (
        """
roles: [{role: r, includes: [s]}, {role: s}]
rules:
  - {allow: [r], models: [a, b], authentication: {max_age: 60}}
  - {allow: [s], models: ["a*"]}
""",
        ["5: rule-demands-in-vain"],
    ),
    "a sign-in that others do not demand of everybody": (
        """
rules:
  - {allow: [r, s], models: [a], authentication: {max_age: 60}}
  - {allow: [r], models: [a]}
  - {allow: [r, s], models: [a], endpoints: [chat]}
  - {allow: [r, s], models: [a], when: call.stream}
  - {allow: [r, s], models: [a], ceilings: {n: 1}}
  - {allow: [r, s], models: [a], authentication: {acr_values: [gold]}}
""",
        [],
    ),
    "a model that no rule reaches": (
        """
rules: [{allow: [r], models: [a]}, {deny: [r], models: [b]}]
models: [{name: a, model: gpt-4o}, {name: b, model: gpt-4o}, {name: b, model: gpt-4o}]
""",
        ["4: model-unreached"],
    ),
    "conditions that look for what no issuer gives": (
        """
roles: [{role: r, when: '"t" in caller.teams || caller.organization == "o"'}]
""",
        ["3: condition-reads-nothing", "3: condition-reads-nothing"],
    ),
}


@pytest.mark.parametrize(("text", "codes"), LINTS.values(), ids=LINTS)
def test_what_is_not_meant_is_told_with_its_line(tmp_path, text, codes):
    (tmp_path / "gw.yaml").write_text(HEAD + text)
    settings = load(tmp_path / "gw.yaml", {}, offline=True).settings
    found = lint(settings, compile_policy(settings.roles, settings.rules), NOW)
    assert [f"{problem.line}: {problem.code}" for problem in found] == codes
    assert all(problem.message.endswith(".") for problem in found)


def test_every_code_has_its_place_in_the_documentation():
    sources = "".join(path.read_text() for path in (ROOT / "src" / "rolecall").glob("*/*.py"))
    code = re.compile(
        r'"((?:condition|deny|glob|grant|model|role|rule|secret)-[a-z]+(?:-[a-z]+)*)"'
    )
    documented = re.findall(r"^## (.*)$", (ROOT / "docs" / "lints.md").read_text(), re.MULTILINE)
    assert set(code.findall(sources)) == set(documented)
    assert documented == sorted(documented)
