import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config.globs import compile_glob, matches

MATCHES = {
    "itself": ("gpt-4o", "gpt-4o", True),
    "a longer name": ("gpt-4o", "gpt-4o-mini", False),
    "a shorter name": ("gpt-4o", "gpt-4", False),
    "another case": ("gpt-4o", "GPT-4o", False),
    "a space more": ("gpt-4o", "gpt-4o ", False),
    "a line break more": ("gpt-4o", "gpt-4o\n", False),
    "a letter that looks alike": ("gpt-4o", "gpt-4о", False),  # noqa: RUF001 - a Cyrillic o
    "a composed letter": ("caf\u00e9", "cafe\u0301", False),
    "a star is any run": ("openai/*", "openai/gpt-4o", True),
    "a star is an empty run": ("gpt*", "gpt", True),
    "a star crosses slashes": ("*preview", "azure/eu/gpt-preview", True),
    "a star crosses line breaks": ("a*b", "a\n\nb", True),
    "a prefix must stand first": ("openai/*", "x-openai/gpt", False),
    "a suffix must stand last": ("*-preview", "gpt-preview-2", False),
    "two stars": ("*-4*-mini", "gpt-4o-mini", True),
    "parts come in order": ("*a*b*", "b-a", False),
    "parts do not overlap": ("aba*aba", "ababa", False),
    "a dot is a dot": ("gpt.4*", "gpt-4o", False),
    "a question mark is itself": ("gpt-?", "gpt-4", False),
    "brackets are themselves": ("gpt-[45]", "gpt-4", False),
    "a star in the name is a character": ("gpt-4o", "gpt-*", False),
    "everything": ("*", "", True),
}


def naive(pattern, name):
    """The meaning of a pattern, said in the slowest way."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(naive(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return name[:1] == pattern[0] and naive(pattern[1:], name[1:])


@pytest.mark.parametrize(("pattern", "name", "expected"), MATCHES.values(), ids=MATCHES)
def test_only_the_star_is_special(pattern, name, expected):
    assert matches(pattern, name) is expected
    assert bool(compile_glob(pattern).fullmatch(name)) is expected


@given(st.text("ab*.\n", max_size=8), st.text("ab*.\n", max_size=10))
def test_patterns_mean_what_the_naive_matcher_says(pattern, name):
    assert matches(pattern, name) == naive(pattern, name)
    assert bool(compile_glob(pattern).fullmatch(name)) == naive(pattern, name)


@given(st.text())
def test_every_name_without_a_star_matches_itself_and_star(name):
    assert matches(name, name)
    assert matches("*", name)


def test_many_stars_and_a_hostile_name_take_no_time():
    assert not matches("*-" * 40 + "x", "-" * 10_000)
