"""`rolecall test`: cases are run, and what is said of those that fail can be acted on."""

import os
from xml.etree import ElementTree as ET

import pytest

from rolecall.cli.test import watching

CASES = """\
config: gw.yaml
fixtures:
  ada: {sub: ada, roles: [staff]}
cases:
  - name: staff call the small model
    caller: ada
    call: {model: small}
    expect: {decision: allow, rule: 6}
  - name: nobody calls previews
    caller: ada
    call: {model: small-preview}
    expect: {decision: deny, reason: denied_by_rule, rule: "gw.yaml:8", models: [small]}
"""
WRONG = """\
config: gw.yaml
cases:
  - name: staff call everything
    claims: {sub: ada, roles: [staff]}
    call: {model: large}
    expect: {decision: allow, rule: 6, roles: [staff], models: [small, large]}
"""


@pytest.fixture
def cases(config, tmp_path):
    """Write a case file, and give its name."""

    def cases(text, name="cases.yaml"):
        (tmp_path / name).write_text(text)
        return name

    return cases


def test_cases_that_pass_are_counted(rolecall, cases):
    result = rolecall("test", cases(CASES))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "2 passed, 0 failed\n", "")


def test_a_case_that_fails_says_what_was_expected_and_why_it_is_otherwise(rolecall, cases):
    result = rolecall("test", cases(WRONG))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "✗ cases.yaml:3: staff call everything",
        "  expected decision allow, got deny",
        "  expected models ['small', 'large'], got ['small']",
        "  expected rule 6, got none",
        "deny model_not_allowed: ada calls large at chat",
        "├── roles: staff",
        "└── steps",
        "    ├── claim roles = 'staff': gives role staff (gw.yaml:4)",
        "    ├── allow staff: small: does not match: the model is 'large' (gw.yaml:6)",
        "    └── deny *: *-preview: does not match: the model is 'large' (gw.yaml:8)",
        "0 passed, 1 failed",
    ]


def test_a_folder_stands_for_the_case_files_within(rolecall, cases, tmp_path):
    (tmp_path / "policy" / "more").mkdir(parents=True)
    for name in ("policy/one.yaml", "policy/more/two.yml"):
        cases(CASES.replace("gw.yaml", str(tmp_path / "gw.yaml")), name)
    cases("rules: []", "policy/other.yaml")
    assert rolecall("test", "policy").stdout == "4 passed, 0 failed\n"


def test_build_servers_read_junit(rolecall, cases, tmp_path):
    rolecall("test", cases(CASES), cases(WRONG, "wrong.yaml"), "--junit", "junit.xml")
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [suite.get("name") for suite in root] == ["cases.yaml", "wrong.yaml"]
    (failed,) = root.iterfind(".//failure")
    assert failed.get("message") == "expected decision allow, got deny"
    told = failed.text.splitlines()
    assert told[0] == "expected decision allow, got deny"
    assert "deny model_not_allowed: ada calls large at chat" in told
    assert any("does not match" in line for line in told)


def test_junit_holds_names_that_xml_cannot(rolecall, cases, tmp_path):
    rolecall(
        "test",
        cases(CASES.replace("nobody calls previews", '"\\e[31m"', 1)),
        "--junit",
        "junit.xml",
    )
    names = [
        case.get("name") for case in ET.parse(tmp_path / "junit.xml").getroot().iter("testcase")
    ]
    assert any("x1b" in name for name in names)


@pytest.mark.parametrize(
    ("least", "status"), [("--coverage", 0), ("--coverage=100", 0), ("--coverage=", 2)]
)
def test_a_policy_whose_every_line_decides_is_covered(rolecall, cases, least, status):
    result = rolecall("test", cases(CASES), least)
    assert result.exit_code == status
    assert ("gw.yaml: 100 % covered\n" in result.stdout) == (status == 0)


def test_what_no_case_decides_is_named(rolecall, cases):
    less = CASES[: CASES.index("  - name: nobody")]
    result = rolecall("test", cases(less), "--coverage", "90")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "gw.yaml: 67 % covered",
        "  gw.yaml:8: no case is decided by: deny *: *-preview",
    ]
    assert rolecall("test", cases(less), "--coverage", "60").exit_code == 0


def test_conditions_are_covered_when_they_held_and_did_not(rolecall, cases, tmp_path):
    (tmp_path / "when.yaml").write_text("""\
issuers: [{issuer: https://login.example.com, audience: [gw]}]
roles: [{role: staff, when: claims.level > 2}]
rules: [{allow: [staff], models: [small], when: call.n == 1}]
models: [{name: small, model: gpt-4o-mini, api_key: k}]
""")
    text = """\
config: when.yaml
cases:
  - name: one
    claims: {sub: ada, level: 3}
    call: {model: small}
    expect: {decision: allow}
"""
    shown = rolecall("test", cases(text), "--coverage").stdout.splitlines()
    assert shown[1:] == [
        "when.yaml: 67 % covered",
        "  when.yaml:2: in no case it fails to hold: claims.level > 2",
        "  when.yaml:3: in no case it fails to hold: call.n == 1",
    ]


UNUSABLE = {
    "no cases": ("config: gw.yaml\ncases: []", "cases.yaml:2:8: error: cases: is empty: this file"),
    "a case that expects nothing": (
        CASES.replace("{decision: allow, rule: 6}", "{}"),
        "cases.yaml:8:13: error: cases[0].expect: is empty: this case tests nothing.",
    ),
    "no caller": (
        CASES.replace("    caller: ada\n", "", 1),
        "cases.yaml:5:5: error: cases[0]: needs a caller, or claims.",
    ),
    "a caller that is not there": (
        CASES.replace("caller: ada", "caller: eve", 1),
        "cases.yaml:6:13: error: cases[0].caller: 'eve' is no caller; there are: ada, auth0-user,",
    ),
    "a reason that is not there": (
        CASES.replace("denied_by_rule", "denied"),
        "cases.yaml:12:38: error: cases[1].expect.reason: is no reason code;",
    ),
    "an endpoint that is not there": (
        CASES.replace("{model: small}", "{model: small, endpoint: chats}"),
        "cases.yaml:7:36: error: cases[0].call.endpoint: is no endpoint;",
    ),
    "a key that is not there": (
        CASES.replace("rule: 6", "rules: 6"),
        "cases.yaml:8:31: error: cases[0].expect.rules: unknown key: did you mean rule?",
    ),
    "a name that is taken": (
        CASES.replace("nobody calls previews", "staff call the small model"),
        "cases.yaml:9:11: error: cases[1].name: is the name of cases[0] too.",
    ),
    "no configuration": (
        CASES.replace("config: gw.yaml\n", ""),
        "cases.yaml:4:5: error: cases[0]: needs a config,",
    ),
    "a configuration that is not there": (
        CASES.replace("gw.yaml\n", "absent.yaml\n", 1),
        "absent.yaml: error: cannot be read",
    ),
    "another issuer's claims": (
        CASES.replace("{sub: ada,", "{iss: 'https://evil.example', sub: ada,"),
        "cases.yaml:5:1: error: case 'staff call the small model': its iss ('https://evil.example')",
    ),
    "claims that name nobody": (
        CASES.replace("{sub: ada,", "{"),
        "cases.yaml:5:1: error: case 'staff call the small model': The token has no sub",
    ),
    "a body that cannot be read": (
        CASES.replace("{model: small}", "{model: small, body: {n: many}}"),
        "cases.yaml:5:1: error: case 'staff call the small model': n cannot be used here",
    ),
}


@pytest.mark.parametrize(("text", "line"), UNUSABLE.values(), ids=UNUSABLE)
def test_cases_that_cannot_be_run_exit_2(rolecall, cases, text, line):
    result = rolecall("test", cases(text))
    assert (result.exit_code, result.stdout) == (2, "")
    assert line in result.stderr


def test_a_folder_without_cases_tests_nothing(rolecall, config, tmp_path):
    (tmp_path / "empty").mkdir()
    result = rolecall("test", "empty")
    assert result.exit_code == 2
    assert result.stderr == (
        "empty: error: holds no case file (YAML with cases:), and so tests nothing.\n"
    )


def test_junit_that_cannot_be_written_exits_2(rolecall, cases):
    result = rolecall("test", cases(CASES), "--junit", "absent/junit.xml")
    assert result.exit_code == 2
    assert (
        result.stderr == "Error: absent/junit.xml cannot be written: No such file or directory.\n"
    )


def test_watching_runs_again_when_a_file_changes(cases, tmp_path):
    path = tmp_path / cases(CASES)
    ran = []
    naps = []

    def sleep(seconds):
        naps.append(seconds)
        if len(naps) == 2:
            os.utime(path, ns=(1, 1))
        if len(naps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watching([path], lambda: ran.append(len(naps)) or 0, sleep)
    assert ran == [0, 2]
