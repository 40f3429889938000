"""A file is laid out; its comments, its order and its meaning stay."""

import pytest

from rolecall.config import ConfigurationError
from rolecall.config.layout import NotLaidOut, lay_out, write

BEFORE = """\


# whose tokens
issuers:
# the first
- issuer:   https://login.example.com   # ours
  audience: [ gw,"two" ]
# and who calls what
rules:
    - {allow: [r],   models: [{list: open}], when: 'a == "b"'}


    -   allow:
        - s  # each
        # and which
        models: ["x"]{trailing}
        when: |
          true &&
            # no comment
            false
lists: {open: [a]}
""".replace("{trailing}", "   ")
AFTER = """\
# whose tokens
issuers:
  # the first
  - issuer: https://login.example.com   # ours
    audience: [gw, "two"]
# and who calls what
rules:
  - {allow: [r], models: [{list: open}], when: 'a == "b"'}


  - allow:
      - s    # each
    # and which
    models: ["x"]
    when: |
      true &&
        # no comment
        false
lists: {open: [a]}
"""


def test_a_file_is_laid_out_and_keeps_its_comments():
    assert lay_out(BEFORE, "x.yaml") == AFTER


def test_what_is_laid_out_stays():
    assert lay_out(AFTER, "x.yaml") == AFTER


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [x, # one\n  y]\n", 1), ("a: {b: c,\n  # one\n  d: e}\n", 2), ("# one\n---\na: b\n", 1)],
)
def test_no_comment_is_lost(text, line):
    with pytest.raises(NotLaidOut, match=f"the comment in line {line} would be lost"):
        lay_out(text, "x.yaml")


@pytest.mark.parametrize("text", ["a: [", "- 1", "a: 1\na: 2", "a: !!str 1"])
def test_what_cannot_be_read_is_not_laid_out(text):
    with pytest.raises((ConfigurationError, NotLaidOut)):
        lay_out(text, "x.yaml")


@pytest.mark.parametrize("text", ["a: no\n", "a: 12:30\n", "a: 0o7\n", "a: 1e3\n", "a: on\n"])
def test_words_that_other_readers_take_for_something_else_keep_their_meaning(text):
    assert lay_out(text, "x.yaml") == text


def test_plain_values_are_written_a_line_a_list():
    assert write({"rules": [{"allow": ["r"], "ceilings": {"n": 1}}], "x": []}) == (
        "rules:\n  - allow: [r]\n    ceilings:\n      n: 1\nx: []\n"
    )
