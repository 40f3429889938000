"""`rolecall who`, `can` and `diff`: the policy asked without any caller."""

import csv
import io
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "policy"
OLD, NEW = str(EXAMPLES / "gateway.yaml"), str(EXAMPLES / "candidate.yaml")


def test_who_tells_roles_terms_and_ways(rolecall):
    found = json.loads(rolecall("who", "-c", OLD, "-m", "anthropic-claude", "--json").stdout)
    assert [one["role"] for one in found] == ["researcher", "nightly"]
    assert found[0] == {
        "role": "researcher",
        "endpoints": {"chat": "conditional", "messages": "conditional"},
        "rules": [
            {
                "effect": "allow",
                "endpoints": ["chat", "messages"],
                "terms": ["until 2036-01-01T00:00:00Z"],
                "file": OLD,
                "line": 25,
            }
        ],
        "held_by": ["a role claim ml-research, no role claim suspended"],
    }


@pytest.mark.parametrize(
    ("model", "options", "status"),
    [
        ("anthropic-claude", [], 0),
        ("mistral-small", [], 0),
        ("mistral-small", ["-e", "messages"], 1),
        ("gpt-4o", [], 1),
    ],
)
def test_who_exits_by_whether_somebody_may(rolecall, model, options, status):
    assert rolecall("who", "-c", OLD, "-m", model, *options).exit_code == status


def test_who_tells_of_denials_and_of_roles_that_are_included(rolecall):
    shown = rolecall("who", "-c", OLD, "-m", "llama-9-preview").stdout
    assert "denied, if !(" in shown
    assert "held by those who hold researcher, which includes it" in shown


def test_who_tells_of_static_keys(rolecall, tmp_path):
    made = Path(OLD).read_text() + (
        f"keys:\n  - {{hash: 'sha256:{'a' * 64}', subject: report, roles: [researcher],"
        " expires: never}\n"
    )
    (tmp_path / "keys.yaml").write_text(made)
    shown = rolecall("who", "-c", "keys.yaml", "-m", "anthropic-claude").stdout
    assert "held by the static key of report" in shown


def test_nobody_is_said(rolecall):
    assert rolecall("who", "-c", OLD, "-m", "gpt-4o").stdout == (
        "gpt-4o at chat, messages\n└── no role\n"
    )


def test_a_role_that_is_not_there_cannot_be_asked_about(rolecall):
    result = rolecall("can", "-c", OLD, "--role", "boss")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: there is no role 'boss'; there are: employee, researcher, nightly.\n"
    )


def test_the_matrix_is_read_by_spreadsheets(rolecall):
    rows = list(csv.reader(io.StringIO(rolecall("can", "-c", OLD, "--format", "csv").stdout)))
    assert rows[0] == ["model", "employee", "researcher", "nightly"]
    assert rows[1] == ["mistral-small", "limited at chat", "limited at chat", ""]


HOSTILE = """\
issuers: [{issuer: https://login.example.com, audience: [gw]}]
roles: [{role: "=cmd()"}, {role: "<script>"}]
rules: [{allow: ["*"], models: ["@sum", "a\\e[2Jb"]}]
models: [{name: "@sum", model: gpt-4o, api_key: k}]
"""


def test_names_are_no_formulas_no_markup_and_steer_no_terminal(rolecall, tmp_path):
    (tmp_path / "hostile.yaml").write_text(HOSTILE)
    as_csv = rolecall("can", "-c", "hostile.yaml", "--format", "csv").stdout
    assert "'=cmd()" in as_csv
    assert "'@sum" in as_csv
    as_html = rolecall("can", "-c", "hostile.yaml", "--format", "html").stdout
    assert "<script>" not in as_html
    assert "&lt;script&gt;" in as_html
    for command in (["can"], ["who", "-m", "a\x1b[2Jb"]):
        assert "\x1b" not in rolecall(*command, "-c", "hostile.yaml").stdout


def test_the_matrix_is_read_by_people(rolecall):
    page = rolecall("can", "-c", OLD, "--format", "html").stdout
    assert '<th scope="row">openai/o3</th><td></td><td class="if">if</td><td></td>' in page
    assert '<td class="limited">limited at chat</td>' in page
    assert "limited: within ceilings" in page


def test_the_matrix_is_read_by_programs(rolecall):
    rows = json.loads(rolecall("can", "-c", OLD, "--format", "json").stdout)
    assert rows[1] == {
        "model": "anthropic-claude",
        "employee": "",
        "researcher": "if",
        "nightly": "if",
    }


def test_no_difference_is_said(rolecall):
    result = rolecall("diff", OLD, OLD, "--exit-code")
    assert (result.exit_code, result.stdout) == (0, "no differences\n")
    assert rolecall("diff", OLD, OLD, "--markdown").stdout == "No differences in policy.\n"
    assert json.loads(rolecall("diff", OLD, OLD, "--json").stdout) == []


def test_differences_exit_1_where_that_is_asked_for(rolecall):
    assert rolecall("diff", OLD, NEW).exit_code == 0
    assert rolecall("diff", OLD, NEW, "--exit-code").exit_code == 1


def test_a_pull_request_gets_a_table(rolecall):
    lines = rolecall("diff", OLD, NEW, "--markdown").stdout.splitlines()
    assert lines[:2] == ["| who | | what | before → after |", "| --- | --- | --- | --- |"]
    assert (
        "| researcher | **loses** | openai/o3 at chat, messages | until 2036-01-01T00:00:00Z → no |"
    ) in lines


def test_differences_are_read_by_programs(rolecall):
    found = json.loads(rolecall("diff", OLD, NEW, "--json").stdout)
    assert {
        "kind": "loses",
        "subject": "researcher",
        "what": "anthropic-claude",
        "endpoints": ["chat"],
        "before": "until 2036-01-01T00:00:00Z",
        "after": "no",
    } in found


CALLERS = """\
fixtures:
  ada: {sub: ada, realm_access: {roles: [ml-research, suspended]}}
  eve: {sub: eve, groups: [/staff]}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes of this kind")
def test_callers_come_through_a_pipe(rolecall, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with ThreadPoolExecutor() as beside:
        beside.submit((tmp_path / "pipe").write_text, CALLERS)
        shown = rolecall("diff", OLD, NEW, "--callers", "pipe").stdout.splitlines()
    assert [line.split()[1] for line in shown] == ["ada", "ada"]


def test_differences_are_told_for_callers(rolecall, tmp_path):
    (tmp_path / "callers.yaml").write_text(CALLERS)
    shown = rolecall("diff", OLD, NEW, "--callers", "callers.yaml").stdout.splitlines()
    assert [line.split() for line in shown] == [
        ["+", "ada", "gains", "mistral-small", "at", "chat"],
        ["+", "ada", "gains", "anthropic-claude", "at", "messages"],
    ]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("callers.yaml", "ada: 7", "callers.yaml does not map names to claims."),
        ("callers.json", "7", "callers.json:1:1: error: holds no settings"),
        ("callers.yaml", "fixtures: {}", "callers.yaml names no caller."),
        ("callers.json", '{"caller": {}}', "callers.json: caller: The token has no sub"),
        ("callers.yaml", "ada: {}", "callers.yaml: ada: The token has no sub"),
        ("callers.yaml", "a: [", "callers.yaml:"),
        ("callers.jsonl", "", "callers.jsonl names no caller."),
        ("callers.jsonl", "{}\n", "callers.jsonl:1 is no recorded decision."),
    ],
)
def test_callers_that_cannot_be_read_exit_2(rolecall, tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    result = rolecall("diff", OLD, NEW, "--callers", name)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {sentence}")


def test_one_form_at_a_time(rolecall):
    assert rolecall("diff", OLD, NEW, "--json", "--markdown").exit_code == 2


def test_a_configuration_that_cannot_be_used_exits_2(rolecall, broken):
    for command in (["who", "-m", "a", "-c", broken], ["can", "-c", broken], ["diff", OLD, broken]):
        result = rolecall(*command)
        assert result.exit_code == 2
        assert "broken.yaml:13:1: error: zzz" in result.stderr
