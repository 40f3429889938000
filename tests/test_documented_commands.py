"""Commands that the pages show are run where the examples are, and print what is shown."""

import os
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from rolecall.cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "policy"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
PAGES = ("policy.md", "litellm.md")
SHOWN = [
    (command, output)
    for page in PAGES
    for block in BLOCK.findall((ROOT / "docs" / page).read_text())
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A copy of the examples, without any variable of the caller's own."""
    for file in EXAMPLES.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("JWT_", "OPENAI_", "ANTHROPIC_", "MISTRAL_")):
            monkeypatch.delenv(name)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(name, "sk-example")
    monkeypatch.setenv("JWT_AUDIENCE", "llm-gateway")
    monkeypatch.setenv("JWT_PUBLIC_KEY_URL", "https://login.example.com/realms/acme/certs")
    monkeypatch.setenv("JWT_ISSUER", "https://login.example.com/realms/acme")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("TTY_COMPATIBLE", raising=False)


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_a_documented_command_prints_what_is_documented(here, command, output):
    program, *arguments = shlex.split(command)
    assert program == "rolecall"
    printed = CliRunner().invoke(main, arguments).output.replace("\n\n", "\n")
    head, elision, tail = output.partition("\n…\n")
    if elision:
        assert printed[: len(head)] == head
        assert printed[-len(tail) :] == tail
        assert len(printed) > len(head) + len(tail)
    else:
        assert printed == output


def test_every_command_about_policy_is_shown():
    shown = {shlex.split(command)[1] for command, _ in SHOWN}
    assert shown >= {
        "check",
        "explain",
        "who",
        "can",
        "test",
        "diff",
        "replay",
        "schema",
        "init",
        "fmt",
    }
