"""The house holds together: its rooms, and its documentation with its code."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from rolecall.cli import main
from rolecall.config import case_schema, issuer_schema, load, policy_schema, schema
from rolecall.core import STATUS, Reason
from rolecall.gateway.http1 import connection
from rolecall.gateway.http1.cycle import HIGH_WATER
from rolecall.gateway.server import KEEP_ALIVE
from rolecall.wire import strict_json
from rolecall.wire.call import MAX_QUERY

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "rolecall"
NAMES_OF_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)

SECTIONS = {
    name: section
    for module in (schema, issuer_schema, policy_schema, case_schema)
    for name, section in vars(module).items()
    if isinstance(section, type)
    and issubclass(section, BaseModel)
    and section.__module__ == module.__name__
    and not name.startswith("_")
}
COMMANDS = {name: main.get_command(None, name) for name in main.list_commands(None)}
COMMANDS |= {
    f"{name} {below}": command
    for name, group in COMMANDS.items()
    if isinstance(group, click.Group)
    for below, command in group.commands.items()
}


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def words_in_code(text):
    """The words that stand in a page's code, inline or in blocks."""
    return {word for code in CODE.findall(text) for word in re.findall(r"[\w-]+", code)}


def test_arrows_between_rooms_go_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_room_holds_a_module_that_is_named_after_nothing():
    modules = {path.stem for path in SOURCE.rglob("*.py")} | {
        path.name for path in SOURCE.rglob("*") if path.is_dir()
    }
    assert not modules & NAMES_OF_NOTHING


def test_every_room_says_what_it_is_for():
    for room in SOURCE.iterdir():
        if (room / "__init__.py").is_file():
            assert (room / "__init__.py").read_text().startswith('"""'), room.name


def test_tests_are_found_by_their_path():
    assert not list((ROOT / "tests").glob("**/__init__.py"))


def test_every_reason_has_a_status():
    assert set(STATUS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_stands_in_the_documentation(reason):
    lines = [line for line in page("reasons.md").splitlines() if f"`{reason}`" in line]
    assert lines, f"docs/reasons.md does not name {reason}"
    assert any(str(STATUS[reason]) in line for line in lines) or re.search(
        rf"^#+ .*\b{STATUS[reason]}\b", page("reasons.md"), re.MULTILINE
    )


def test_every_dependency_has_a_line_and_no_other():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *(line for group in project["dependency-groups"].values() for line in group),
    ]
    names = {re.match(r"[\w.-]+", line)[0].lower() for line in requirements}
    rows = re.findall(r"^\| ([^|]+) \|", page("dependencies.md"), re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"[\w.-]+", row)}
    assert names == documented - {"package", "---"}


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_configuration_key_stands_in_the_documentation(section):
    documented = page(
        "policy.md" if section.__module__.endswith("case_schema") else "configuration.md"
    )
    assert set(section.model_fields) - words_in_code(documented) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_the_command_line_stands_in_the_documentation(name):
    documented = page("cli.md")
    assert f"rolecall {name}" in documented
    options = {
        option.upper() if parameter.param_type_name == "argument" else option
        for parameter in COMMANDS[name].params
        for option in parameter.opts
    }
    assert options - words_in_code(documented) == set()


@pytest.mark.parametrize("name", ["configuration.md", "metrics.md"])
def test_every_stanza_of_the_reference_loads(tmp_path, name):
    stanzas = re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)
    assert stanzas
    file = tmp_path / "rolecall.yaml"
    for stanza in stanzas:
        file.write_text(stanza, encoding="utf-8")
        named = dict.fromkeys(re.findall(r"os\.environ/(\w+)", stanza), "secret")
        assert load(file, named).settings


LIMITS = {
    "the request line and the headers": f"{connection.MAX_HEAD // 1024} KiB",
    "headers": connection.MAX_HEADERS,
    "the query": f"{MAX_QUERY} bytes",
    "levels of arrays and objects in the body": strict_json.MAX_DEPTH,
    "the body, or a part of it, does not come for": f"{connection.PATIENCE:g} s",
    "the client reads nothing of its answer for": f"{connection.PATIENCE:g} s",
    "an idle connection, or half a head, is kept for": f"{KEEP_ALIVE} s",
    "after the last answer a client may still send, unheard, for": f"{connection.LINGER:g} s",
}


@pytest.mark.parametrize("what", LIMITS)
def test_the_servers_limits_stand_in_the_documentation(what):
    assert f"| {what} | {LIMITS[what]} |" in page("http.md")


def test_so_do_those_that_stand_in_no_table():
    text = " ".join(page("http.md").split())
    assert f"more than {HIGH_WATER // 1024} KiB of its request" in text
    assert f"is kept for {connection.FAREWELL:g} s more" in text
