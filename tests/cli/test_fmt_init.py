"""`rolecall fmt` and `rolecall init`."""

import pytest

from rolecall.config import load

UGLY = "rules:\n- allow:   [r]   # why\n  models: [a]\n"
FINE = "rules:\n  - allow: [r]     # why\n    models: [a]\n"
OPTIONS = [
    *("--issuer", "https://login.example.com/realms/acme"),
    *("--profile", "keycloak"),
    *("--audience", "gw"),
    *("--value", "basic"),
    *("--role", "staff"),
]


@pytest.fixture
def ugly(tmp_path, rolecall):
    (tmp_path / "gw.yaml").write_text(UGLY)
    return tmp_path / "gw.yaml"


def test_a_file_is_laid_out_once(rolecall, ugly):
    first = rolecall("fmt", "gw.yaml")
    assert (first.exit_code, first.stdout) == (0, "gw.yaml laid out\n")
    laid_out = ugly.read_text()
    assert "# why" in laid_out
    assert laid_out.startswith("rules:\n  - allow: [r]")
    assert rolecall("fmt", "gw.yaml").stdout == ""
    assert ugly.read_text() == laid_out


def test_check_and_diff_write_nothing(rolecall, ugly):
    checked = rolecall("fmt", "--check", "gw.yaml")
    assert (checked.exit_code, checked.stdout) == (1, "gw.yaml would change\n")
    shown = rolecall("fmt", "--diff", "gw.yaml")
    assert shown.exit_code == 0
    assert "-- allow:   [r]   # why" in shown.stdout
    assert ugly.read_text() == UGLY


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", b"\xff"])
def test_a_file_that_cannot_be_read_exits_2(rolecall, tmp_path, text):
    (tmp_path / "bad.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    result = rolecall("fmt", "bad.yaml")
    assert result.exit_code == 2
    assert "bad.yaml" in result.stderr
    assert rolecall("fmt", "absent.yaml").exit_code == 2


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "openai/gpt-4o", "o3"])
def test_a_first_configuration_is_right(rolecall, tmp_path, model):
    result = rolecall("init", "--model", model, *OPTIONS)
    assert result.exit_code == 0
    assert result.stdout == "rolecall.yaml written\nnext: rolecall check --config rolecall.yaml\n"
    file = tmp_path / "rolecall.yaml"
    settings = load(file, {}, offline=True).settings
    assert settings.issuers[0].audience == ("gw",)
    assert settings.roles[0].any_of == ("basic",)
    assert settings.rules[0].models == (settings.models[0].name,)
    assert rolecall("fmt", "--check", "rolecall.yaml").exit_code == 0
    checked = rolecall("check", "-c", "rolecall.yaml", OPENAI_API_KEY="k", ANTHROPIC_API_KEY="k")
    assert checked.stdout.endswith("0 warnings\n")


def test_names_are_quoted(rolecall, tmp_path):
    options = [*OPTIONS[:-1], 'a "b" \\ #c: ü\x07']
    assert rolecall("init", *options).exit_code == 0
    settings = load(tmp_path / "rolecall.yaml", {}, offline=True).settings
    assert settings.roles[0].role == 'a "b" \\ #c: ü\x07'


def test_a_file_that_is_there_stays(rolecall, ugly):
    result = rolecall("init", "gw.yaml", *OPTIONS)
    assert result.exit_code == 2
    assert result.stderr == "Error: gw.yaml is there already; --force writes over it.\n"
    assert ugly.read_text() == UGLY
    assert rolecall("init", "gw.yaml", "--force", *OPTIONS).exit_code == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Error: name --issuer."),
        (["--issuer", "https://x.example", "-m", "mistral-7b"], "Error: the model does not tell"),
        (["--issuer", "http://x.example"], "uses plain http"),
        (["absent/gw.yaml", "--issuer", "https://x.example"], "cannot be written"),
    ],
)
def test_what_would_not_be_right_exits_2(rolecall, options, sentence):
    result = rolecall("init", *options)
    assert result.exit_code == 2
    assert sentence in result.stderr
