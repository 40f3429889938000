import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config.globs import matches
from rolecall.config.patterns import compile_patterns
from tests.policy.parts.naive import match

PATTERNS = ["a", "a*", "*a", "a*b", "*", "*a*", "ab*c*", "**", "openai/*", "*-preview"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a", {"a", "a*", "*a", "*", "*a*", "**"}),
        ("ab", {"a*", "a*b", "*", "*a*", "**"}),
        ("abcc", {"a*", "*", "*a*", "**", "ab*c*"}),
        ("openai/o1-preview", {"*", "*a*", "**", "openai/*", "*-preview"}),
        ("", {"*", "**"}),
    ],
)
def test_every_pattern_that_matches_is_found(name, found):
    assert set(compile_patterns(PATTERNS).matching(name)) == found


short = st.text("ab*", max_size=5)


@given(st.lists(short, max_size=8), st.text("ab", max_size=6))
def test_many_at_once_match_as_each_alone(patterns, name):
    found = list(compile_patterns(patterns).matching(name))
    assert len(found) == len(set(found))
    assert set(found) == {p for p in patterns if match(p, name)}
    assert set(found) == {p for p in patterns if matches(p, name)}
