from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
KEYS = {
    "JWT_PUBLIC_KEY_URL": "https://sso.example.com/realms/acme/protocol/openid-connect/certs",
    "JWT_AUDIENCE": "gw",
}


CLEAN = """\
issuers:
  - {issuer: https://login.example.com, audience: [gw]}
roles:
  - role: staff
rules:
  - allow: [staff]
    models: [small]
models:
  - {name: small, model: gpt-4o-mini, api_key: os.environ/KEY}
"""


def test_a_configuration_that_is_right_is_counted(rolecall, tmp_path):
    (tmp_path / "gw.yaml").write_text(CLEAN)
    for options in ([], ["--strict"]):
        result = rolecall("check", "--config", "gw.yaml", *options, KEY="sk-x")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "gw.yaml: ok: 1 issuer, 1 role mapping, 1 rule, 1 model, 0 warnings\n"
        )


def test_what_is_surely_not_meant_has_a_line_and_a_code(rolecall, config):
    result = rolecall("check", "--config", config)
    assert result.stderr.splitlines() == [
        (
            "gw.yaml:11:48: warning: models[0].api_key: a secret stands in the file; write"
            " os.environ/NAME, and keep it in the environment or in a file that NAME_FILE names."
            " [secret-in-file]"
        ),
        (
            "gw.yaml:12: warning: no rule allows the model 'small-preview': nobody can call it."
            " [model-unreached]"
        ),
        (
            "gw.yaml:12:56: warning: models[1].api_key: a secret stands in the file; write"
            " os.environ/NAME, and keep it in the environment or in a file that NAME_FILE names."
            " [secret-in-file]"
        ),
    ]
    assert result.exit_code == 0
    assert rolecall("check", "--config", config, "--strict").exit_code == 1


def test_errors_go_to_standard_error_a_line_each(rolecall, broken):
    result = rolecall("check", "--config", broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        "broken.yaml:13:1: error: zzz: unknown key: remove it, or see the list of keys.",
        "broken.yaml:14:22: error: limits.body_bytes: should be a valid integer.",
    ]


def test_warnings_go_to_standard_error_and_do_not_fail(rolecall, tmp_path, config):
    with (tmp_path / config).open("a") as file:
        file.write("zzz: 1\n")
    result = rolecall("check", "--config", config, "--allow-unknown")
    assert result.exit_code == 0
    assert "gw.yaml:13:1: warning: zzz: unknown key: remove it" in result.stderr
    assert result.stdout.endswith("2 models, 4 warnings\n")


@pytest.mark.parametrize("page", ["entra", "keycloak"])
def test_the_pages_configurations_pass(rolecall, page):
    result = rolecall("check", "-c", str(EXAMPLES / f"{page}.yaml"), **KEYS)
    assert result.exit_code == 0
    assert "ok: 1 issuer, 1 role mapping, 1 rule, 2 models" in result.stdout


def test_without_an_audience_the_pages_configuration_does_not_pass(rolecall):
    url = {"JWT_PUBLIC_KEY_URL": KEYS["JWT_PUBLIC_KEY_URL"]}
    result = rolecall("check", "-c", str(EXAMPLES / "keycloak.yaml"), **url)
    assert result.exit_code == 1
    assert (
        "error: general_settings.enable_jwt_auth: needs the environment variable JWT_AUDIENCE:"
        in result.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--config", "absent.yaml"], 1, "absent.yaml: error: cannot be read: No such file"),
        (["--config", "."], 2, "Invalid value for '--config' / '-c': File '.' is a directory."),
        ([], 2, "Missing option '--config' / '-c'."),
        (["--config"], 2, "Option '--config' requires an argument."),
        (["--config", "gw.yaml", "more"], 2, "Got unexpected extra argument (more)"),
        (["--config", "gw.yaml", "--model", "x"], 2, "No such option '--model'."),
    ],
    ids=["absent", "a folder", "no option", "no argument", "one too many", "no such option"],
)
def test_what_cannot_be_checked_is_said_on_standard_error(
    rolecall, config, arguments, status, said
):
    result = rolecall("check", *arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert said in result.stderr


def test_no_secret_is_shown(rolecall, config, broken):
    for name in (config, broken):
        result = rolecall("check", "-c", name)
        assert "S3CRET" not in result.output


def test_names_are_shown_as_they_are(rolecall, tmp_path, config):
    with (tmp_path / config).open("a") as file:
        file.write('"[red]:key:[/]": 1\n')
    result = rolecall("check", "-c", config)
    assert result.stderr == (
        "gw.yaml:13:1: error: [red]:key:[/]: unknown key: remove it, or see the list of keys.\n"
    )
