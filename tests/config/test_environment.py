"""References: ``os.environ/NAME``, ``${NAME}``, and ``NAME_FILE`` for both."""

import pytest

ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
UNREADABLE = "/nonexistent/secret"


def model(api_key):
    return ISSUER + f"models:\n  - name: a\n    model: gpt-4o\n    api_key: {api_key}\n"


def absent(name):
    return f"the environment variable {name} is not set; set it, or {name}_FILE to a file that"


@pytest.mark.parametrize(
    ("written", "environ", "value"),
    [
        ("os.environ/KEY", {"KEY": "k"}, "k"),
        ("${KEY}", {"KEY": "k"}, "k"),
        ("a-${KEY}-${KEY}-${OTHER}", {"KEY": "k", "OTHER": "o"}, "a-k-k-o"),
        ("'os.environ/KEY'", {"KEY": "k"}, "k"),
        ("xos.environ/KEY", {"KEY": "k"}, "xos.environ/KEY"),
        ("$KEY", {"KEY": "k"}, "$KEY"),
        ("'${}${1}${A-B}'", {}, "${}${1}${A-B}"),
        ("os.environ/KEY", {"KEY": "${OTHER}", "OTHER": "o"}, "${OTHER}"),
        ("os.environ/KEY", {"KEY": "  k  "}, "  k  "),
    ],
    ids=[
        "the whole value",
        "inside of a value",
        "several",
        "quoted",
        "only at the beginning",
        "braces are needed",
        "only names",
        "values are not read again",
        "values are not trimmed",
    ],
)
def test_a_reference_is_replaced_by_its_value(settings, written, environ, value):
    assert settings(model(written), environ).models[0].api_key == value


@pytest.mark.parametrize("written", ["os.environ/KEY", "${KEY}"])
@pytest.mark.parametrize(
    ("content", "value"),
    [("k", "k"), ("k\n", "k"), ("k\r\n", "k"), (" k \n\n", " k "), ("k\nl\n", "k\nl")],
)
def test_a_value_may_stand_in_a_file(settings, tmp_path, written, content, value):
    (tmp_path / "key").write_bytes(content.encode())
    environ = {"KEY_FILE": str(tmp_path / "key")}
    assert settings(model(written), environ).models[0].api_key == value


def test_the_variable_itself_comes_before_its_file(settings):
    environ = {"KEY": "k", "KEY_FILE": UNREADABLE}
    assert settings(model("os.environ/KEY"), environ).models[0].api_key == "k"


@pytest.mark.parametrize(
    ("written", "environ", "sentence"),
    [
        ("os.environ/KEY", {}, absent("KEY")),
        ("${KEY}", {}, absent("KEY")),
        ("os.environ/KEY", {"KEY": ""}, absent("KEY")),
        ("os.environ/KEY", {"key": "k"}, absent("KEY")),
        ("os.environ/KEY", {"KEY_FILE": UNREADABLE}, "KEY_FILE names a file that cannot be read."),
        ("os.environ/", {}, "names no environment variable: write os.environ/NAME."),
        ("os.environ/A B", {}, "names no environment variable: write os.environ/NAME."),
        ("os.environ/sk-1234", {}, "names no environment variable: write os.environ/NAME."),
    ],
    ids=[
        "whole",
        "inside",
        "empty",
        "another case",
        "an unreadable file",
        "no name",
        "no such name",
        "a key for a name",
    ],
)
def test_a_reference_without_a_value_is_an_error_at_its_place(told, written, environ, sentence):
    (line,) = told(model(written), environ)
    assert line.startswith(f"5:14: error: models[0].api_key: {sentence}")


def test_every_missing_variable_is_named_at_once(told):
    text = """\
        issuers:
          - issuer: ${ISSUER}
            audience: [os.environ/AUDIENCE]
        models:
          - name: a
            model: gpt-4o
            api_base: https://${HOST}/v1
            api_key: os.environ/KEY
    """
    assert [line.split(": ")[0] + " " + line.split(": ")[2] for line in told(text)] == [
        "2:13 issuers[0].issuer",
        "3:16 issuers[0].audience[0]",
        "7:15 models[0].api_base",
        "8:14 models[0].api_key",
    ]


def test_an_empty_file_is_no_value(told, tmp_path):
    (tmp_path / "key").write_text("\n")
    (line,) = told(model("os.environ/KEY"), {"KEY_FILE": str(tmp_path / "key")})
    assert absent("KEY") in line


def test_offline_a_missing_variable_is_stood_in_for(settings):
    (deployment,) = settings(model("os.environ/KEY"), offline=True).models
    assert deployment.api_key == "https://unset.invalid"


@pytest.mark.parametrize(
    ("name", "variable"), [("gpt-4o", "OPENAI_API_KEY"), ("claude-3", "ANTHROPIC_API_KEY")]
)
def test_the_provider_s_own_variable_holds_the_key_where_none_is_written(
    configure, told, tmp_path, name, variable
):
    text = ISSUER + f"models: [{{name: a, model: {name}}}]"
    assert configure(text, {variable: "k"}).settings.models[0].api_key == "k"
    (tmp_path / "key").write_text("k\n")
    filed = {f"{variable}_FILE": str(tmp_path / "key")}
    assert configure(text, filed).settings.models[0].api_key == "k"
    assert told(text) == [
        (
            f"2:10: warning: models[0]: has no api_key, and {variable} is not set: the provider"
            " will refuse every call of a."
        )
    ]
    assert told(text, {f"{variable}_FILE": UNREADABLE}) == [
        (
            f"2:10: error: models[0]: has no api_key, and {variable}_FILE names a file that cannot"
            " be read."
        )
    ]
