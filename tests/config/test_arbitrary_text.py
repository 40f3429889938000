"""Whatever a file holds, it is settings or a list of problems that have a place in it."""

import contextlib
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from rolecall.config import ConfigurationError, Loaded, schema

EXAMPLES = [
    file.read_text() for file in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
]
ENVIRON = {
    "JWT_PUBLIC_KEY_URL": "https://sso.example.com/realms/acme/protocol/openid-connect/certs",
    "JWT_AUDIENCE": "gw",
    "NAME": "value",
}
SECTIONS = [
    section
    for section in vars(schema).values()
    if isinstance(section, type) and issubclass(section, BaseModel)
]
KEYS = sorted({name for section in SECTIONS for name in section.model_fields})
WORDS = [
    "any",
    "*",
    "gpt-4o",
    "https://a",
    "os.environ/NAME",
    "${NAME}",
    "RS256",
    "chat",
    "",
    "a.b",
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)
files = st.dictionaries(st.sampled_from(list(schema.File.model_fields)), values)
yaml_like = st.text(st.sampled_from("ab1:-[]{}&*!|>'\"%@`#?,~\n\t \\.<=/\u2028\x85é"), max_size=80)


@st.composite
def spoilt_examples(draw):
    text = draw(st.sampled_from(EXAMPLES))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        stop = start + draw(st.integers(0, 12))
        text = text[:start] + draw(yaml_like | st.sampled_from(KEYS)) + text[stop:]
    return text


def check(configure, text, **options):
    content = text.encode(errors="surrogatepass")
    try:
        problems = configure(content, ENVIRON, **options).warnings
    except ConfigurationError as error:
        problems = error.problems
        assert any(problem.level == "error" for problem in problems)
    else:
        assert all(problem.level == "warning" for problem in problems)
    lines = text.splitlines() or [""]
    for problem in problems:
        assert 0 <= problem.line <= len(lines) + 1
        assert problem.message.endswith((".", "?"))


@given(text=st.text() | yaml_like, allow_unknown=st.booleans())
def test_any_text_is_settings_or_problems(configure, text, allow_unknown):
    check(configure, text, allow_unknown=allow_unknown)


@given(text=spoilt_examples(), allow_unknown=st.booleans(), offline=st.booleans())
def test_a_spoilt_example_is_settings_or_problems(configure, text, allow_unknown, offline):
    check(configure, text, allow_unknown=allow_unknown, offline=offline)


@given(value=files, allow_unknown=st.booleans(), offline=st.booleans())
def test_any_values_at_known_keys_are_settings_or_problems(
    configure, value, allow_unknown, offline
):
    check(configure, json.dumps(value), allow_unknown=allow_unknown, offline=offline)


@given(content=st.binary())
def test_any_bytes_are_settings_or_problems(configure, content):
    with contextlib.suppress(ConfigurationError):
        assert isinstance(configure(content), Loaded)
