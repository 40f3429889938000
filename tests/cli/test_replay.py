"""`rolecall replay`: recorded calls are decided again."""

import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "policy"
DECISIONS = str(EXAMPLES / "decisions.jsonl")
OLD, NEW = str(EXAMPLES / "gateway.yaml"), str(EXAMPLES / "candidate.yaml")


def test_the_policy_that_decided_decides_alike(rolecall):
    result = rolecall("replay", DECISIONS, "-c", OLD, "--exit-code")
    assert result.exit_code == 0
    assert result.stdout.endswith("decisions, 0 would be others\n")


def test_what_would_be_decided_otherwise_is_told(rolecall):
    result = rolecall("replay", DECISIONS, "-c", NEW, "--json", "--exit-code")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["decisions"] == len(Path(DECISIONS).read_text().splitlines())
    assert {(one["was"], one["now"]) for one in told["changed"]} == {
        ("allow", "deny endpoint_not_allowed"),
        ("deny ceiling_exceeded", "allow"),
    }


ACTOR = {"subject": "planner", "client": None, "issuer": "https://login.example.com"}


@pytest.fixture
def acted(tmp_path):
    """A recorded decision on a call that an actor has made, and its like of the subject itself."""
    line = Path(DECISIONS).read_text().splitlines()[0]
    entry = json.loads(line)
    entry["caller"]["actors"] = [ACTOR]
    (tmp_path / "acted.jsonl").write_text(f"{json.dumps(entry)}\n{line}\n")
    return "acted.jsonl"


def test_c47_calls_of_an_actor_are_decided_again_as_such(rolecall, acted, tmp_path):
    rule = "{deny: ['*'], models: ['*'], when: 'caller.actor.subject == \"planner\"'}"
    policy = Path(NEW).read_text().replace("rules:\n", f"rules:\n  - {rule}\n")
    (tmp_path / "stricter.yaml").write_text(policy)
    result = rolecall("replay", acted, "-c", "stricter.yaml", "--json")
    told = json.loads(result.stdout)["changed"]
    assert [(one["subject"], one["actors"], one["now"]) for one in told] == [
        ("ada", [ACTOR], "deny denied_by_rule"),
        ("ada", [], "deny endpoint_not_allowed"),
    ]
    shown = rolecall("replay", acted, "-c", "stricter.yaml").stdout.splitlines()
    assert "ada by 'planner' of https://login.example.com " in shown[-2]
    assert " ada " in shown[-1]


def test_c47_a_subject_and_its_actor_are_two_callers_to_compare(rolecall, acted):
    shown = rolecall("diff", OLD, NEW, "--callers", acted).stdout
    for name in ("ada ", "ada by 'planner' of https://login.example.com "):
        assert f"https://login.example.com/realms/acme {name}" in shown


@pytest.mark.parametrize(
    "line", ["{}", "[]", "no JSON", '{"caller": {}}', '{"caller": {"issuer": 1}, "call": 2}']
)
def test_a_line_that_is_no_decision_exits_2(rolecall, tmp_path, line):
    good = Path(DECISIONS).read_text().splitlines()[0]
    (tmp_path / "bad.jsonl").write_text(f"{good}\n{line}\n")
    result = rolecall("replay", "bad.jsonl", "-c", OLD)
    assert result.exit_code == 2
    assert result.stderr == "Error: bad.jsonl:2 is no recorded decision.\n"


def test_many_changes_are_counted_and_some_are_shown(rolecall, tmp_path):
    lines = Path(DECISIONS).read_text().splitlines() * 20
    (tmp_path / "many.jsonl").write_text("\n".join(lines))
    shown = rolecall("replay", "many.jsonl", "-c", NEW).stdout.splitlines()
    assert shown[0] == f"{len(lines)} decisions, 40 would be others"
    assert shown[-1] == "… and 20 more (--json lists them all)"


@pytest.mark.parametrize("name", ["d.jsonl", "d.jsonl.20261125T051258", "63"])
def test_callers_of_recorded_decisions_are_compared(rolecall, tmp_path, name):
    """A file that has been turned over has another ending, and a pipe has none."""
    (tmp_path / name).write_bytes(Path(DECISIONS).read_bytes())
    shown = rolecall("diff", OLD, NEW, "--callers", name).stdout
    assert "https://login.example.com/realms/acme ada" in shown
