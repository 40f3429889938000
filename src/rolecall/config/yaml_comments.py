"""The comments of a YAML text, and where they stand."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import yaml

_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*$")
_COVER: Final = "x"


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment.

    Attributes:
        line: from 1.
        column: from 0.
        text: from its ``#`` on, without trailing space.
        before: the column of the next line that holds more than a comment, if this one has its
            line to itself and such a line follows; else None.
    """

    line: int
    column: int
    text: str
    before: int | None


def comments(text: str) -> list[Comment]:
    """Every comment, in the order of the text, which must be YAML."""
    lines = _without_scalars(text).split("\n")
    original = text.split("\n")
    found: list[Comment] = []
    column: int | None = None
    for number in range(len(lines), 0, -1):
        line = lines[number - 1]
        comment = _COMMENT.search(line)
        content = line[: comment.start()] if comment else line
        if content.strip():
            column = len(content) - len(content.lstrip())
        if comment is not None:
            written = original[number - 1][comment.start() :].rstrip()
            alone = column if not content.strip() else None
            found.append(Comment(number, comment.start(), written, alone))
    return found[::-1]


def _without_scalars(text: str) -> str:
    """The text with its scalars covered up, which may hold what looks like a comment."""
    covered = list(text)
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            for index in range(token.start_mark.index, token.end_mark.index):
                if covered[index] != "\n":
                    covered[index] = _COVER
    return "".join(covered)


def moved_along(text: str, former: Sequence[Comment], present: Sequence[Comment]) -> str:
    """The text with its comments indented as what they stand before, where they were before.

    Args:
        text: a text that has been laid out.
        former: its comments as they were.
        present: the same as they are now.
    """
    lines = text.split("\n")
    for was, now in zip(former, present, strict=True):
        if was.before is not None and was.column == was.before and now.before is not None:
            lines[now.line - 1] = " " * now.before + now.text
    return "\n".join(lines)
