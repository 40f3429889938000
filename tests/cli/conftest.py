"""The command line, asked in this process."""

import os

import pytest
from click.testing import CliRunner

from rolecall.cli import main

CONFIG = """\
issuers:
  - {issuer: https://login.example.com, audience: [gw]}
roles:
  - role: staff
rules:
  - allow: [staff]
    models: [small]
  - deny: ["*"]
    models: ["*-preview"]
models:
  - {name: small, model: gpt-4o-mini, api_key: sk-S3CRET}
  - {name: small-preview, model: gpt-4o-mini, api_key: sk-S3CRET}
"""


@pytest.fixture
def rolecall(monkeypatch, tmp_path):
    """Run a command in a folder of its own, and give its result."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("JWT_", "OPENAI_", "ANTHROPIC_")) or name in {
            "FORCE_COLOR",
            "TTY_COMPATIBLE",
        }:
            monkeypatch.delenv(name)

    def rolecall(*arguments, stdin=None, **environ):
        return CliRunner().invoke(main, list(arguments), input=stdin, env=environ)

    return rolecall


@pytest.fixture
def config(tmp_path, rolecall):
    """The name of a configuration that is right, in the folder of the command."""
    (tmp_path / "gw.yaml").write_text(CONFIG)
    return "gw.yaml"


@pytest.fixture
def broken(tmp_path, rolecall):
    """The name of a configuration with two errors."""
    (tmp_path / "broken.yaml").write_text(CONFIG + "zzz: 1\nlimits: {body_bytes: [x]}\n")
    return "broken.yaml"
