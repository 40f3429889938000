"""The command as a whole: help, version, and real processes."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from rolecall import __version__
from rolecall.cli import main

COMMANDS = [
    "serve",
    "check",
    "explain",
    "who",
    "can",
    "diff",
    "replay",
    "test",
    "init",
    "fmt",
    "schema",
    "key",
    "token",
    "demo",
    "version",
]
ROLECALL = [str(Path(sys.executable).with_name("rolecall"))]
MODULE = [sys.executable, "-W", "error", "-m", "rolecall"]
CLAIMS = {"iss": "https://login.example.com", "sub": "Zoë", "roles": ["staff"]}


def run(*command, stdin=b"", **environ):
    """Run a process, and give its status and what it wrote."""
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}
    done = subprocess.run(
        command, input=stdin, capture_output=True, check=False, env=kept | environ
    )
    return done.returncode, done.stdout, done.stderr


def test_the_commands_are_these(rolecall):
    result = rolecall("--help")
    assert result.exit_code == 0
    listed = result.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help_for_each_of_its_options(rolecall, name, option):
    result = rolecall(name, option)
    assert (result.exit_code, result.stderr) == (0, "")
    command = main.get_command(None, name)
    assert command.help.splitlines()[0] in " ".join(result.stdout.split())
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            assert parameter.name.upper() in result.stdout
            continue
        assert parameter.help
        assert parameter.opts[0] in result.stdout


def test_the_version_is_that_of_the_package(rolecall):
    result = rolecall("version")
    assert result.stdout == f"rolecall {__version__} (Python {platform.python_version()})\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'."),
        (["--nonsense"], "No such option '--nonsense'."),
        (["chek", "-c", "x.yaml"], "No such command 'chek'. Did you mean check?"),
        (["configuration"], "No such command 'configuration'."),
        ([], "Usage: "),
    ],
)
def test_what_is_no_command_exits_2(rolecall, arguments, said):
    result = rolecall(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "65536"], "65536 is not in the range 0<=x<=65535."),
        (["--port", "http"], "'http' is not a valid integer range."),
        (["--workers", "0"], "0 is not in the range 1<=x<=256."),
        (["--log-format", "xml"], "'xml' is not one of 'text', 'json'."),
    ],
)
def test_serve_checks_its_options(rolecall, config, arguments, said):
    result = rolecall("serve", "-c", config, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_serve_does_not_start_on_a_configuration_with_errors(rolecall, broken):
    result = rolecall("serve", "-c", broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("broken.yaml:13:1: error: zzz: unknown key")


def test_serve_does_not_start_with_a_certificate_that_is_none(tmp_path, config):
    (tmp_path / "tls.pem").write_text("nothing")
    file = tmp_path / "with_tls.yaml"
    file.write_text(
        f"server: {{tls: {{certificate: {tmp_path}/tls.pem}}}}\n{Path(config).read_text()}"
    )
    code, out, err = run(*MODULE, "serve", "-c", file)
    assert (code, out) == (1, b"")
    assert b"ERROR server.tls cannot be used: " in err
    assert b"Traceback" not in err


@pytest.mark.parametrize("command", [ROLECALL, MODULE], ids=["rolecall", "python -m rolecall"])
def test_it_is_run_as_a_script_and_as_a_module(command):
    status, out, err = run(*command, "version")
    assert (status, err) == (0, b"")
    assert out.decode().startswith(f"rolecall {__version__} ")


def test_a_process_reports_errors_without_a_traceback(tmp_path, broken):
    for arguments, status in [
        (["check", "-c", broken], 1),
        (["explain", "-c", broken, "--claims", "-", "-m", "small"], 2),
        (["serve", "-c", broken], 1),
    ]:
        code, out, err = run(*MODULE, *arguments)
        assert (code, out) == (status, b"")
        assert b"broken.yaml:13:1: error: zzz: unknown key" in err
        assert b"Traceback" not in err


def test_a_pipe_carries_plain_text(config):
    command = [*MODULE, "explain", "-c", config, "--claims", "-", "-m", "small"]
    status, out, err = run(*command, stdin=json.dumps(CLAIMS).encode(), PYTHONUTF8="1")
    assert (status, err) == (0, b"")
    assert out.decode().startswith("allow: Zoë calls small at chat\n")
    assert b"\x1b" not in out


def test_an_output_without_the_letters_is_no_failure(config):
    command = [*MODULE, "explain", "-c", config, "--claims", "-", "-m", "small"]
    claims = json.dumps(CLAIMS).encode()
    status, out, err = run(*command, stdin=claims, PYTHONIOENCODING="ascii")
    assert (status, err) == (0, b"")
    assert out.startswith(rb"allow: Zo\xeb calls small at chat")
    status, out, _ = run(*command, "--json", stdin=claims, PYTHONIOENCODING="ascii")
    assert json.loads(out)["decision"] == "allow"


@pytest.mark.skipif(os.name == "nt", reason="arguments are bytes on POSIX alone")
def test_arguments_that_are_not_text_are_no_failure(config):
    for arguments, status in [
        (["--token", b"a\xff", "-m", "small"], 2),
        (["--claims", b"a\xff", "-m", "small"], 2),
        (["--claims", "-", "-m", b"a\xff"], 1),
    ]:
        code, _, err = run(
            *MODULE, "explain", "-c", config, *arguments, stdin=json.dumps(CLAIMS).encode()
        )
        assert code == status
        assert b"Traceback" not in err
