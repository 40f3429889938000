"""The canonical layout of a YAML file: its comments and its meaning stay."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import YAMLError

from rolecall.config.document import Document, parse
from rolecall.config.yaml_comments import comments, moved_along

_UNWRAPPED = 1_000_000


class NotLaidOut(ValueError):
    """The text cannot be laid out without a change of its meaning."""


def lay_out(text: str, name: str) -> str:
    """Write a YAML text in the canonical layout.

    Two spaces a level, list items indented under their key, one space around what stands in braces
    and brackets, no trailing space, one line break at the end. Keys keep their order, since the
    comments around them belong to it, and quotes stay. A comment is indented as what it stands
    before, if it was.

    Args:
        text: a YAML file that can be read.
        name: its name, for errors.

    Raises:
        ConfigurationError: it is no YAML, or holds what is refused.
        NotLaidOut: its meaning would change, or a comment be lost.
    """
    before = _meaning(text, name)
    yaml = _yaml()
    out = io.StringIO()
    try:
        yaml.dump(yaml.load(text), out)
    except YAMLError as error:
        raise NotLaidOut(str(error).splitlines()[0]) from None
    laid_out = "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n") + "\n"
    laid_out = _with_comments(laid_out, text)
    if _meaning(laid_out, name) != before:
        raise NotLaidOut("its meaning would change")
    return laid_out


def _with_comments(laid_out: str, text: str) -> str:
    former, present = comments(text), comments(laid_out)
    kept = [comment.text for comment in present]
    for comment in former:
        if comment.text not in kept:
            raise NotLaidOut(
                f"the comment in line {comment.line} would be lost; move it out of the braces"
            )
        kept.remove(comment.text)
    if [comment.text for comment in former] != [comment.text for comment in present]:
        return laid_out
    return moved_along(laid_out, former, present)


def _meaning(text: str, name: str) -> Any:
    document = parse(text, Document(name))
    document.stop_on_errors()
    return document.data


def write(value: Any) -> str:
    """Plain values in the canonical layout; what holds no mapping stands in one line."""
    out = io.StringIO()
    _yaml().dump(_styled(value), out)
    return out.getvalue()


def _styled(value: Any) -> Any:
    if isinstance(value, list):
        styled = CommentedSeq(map(_styled, value))
        if not any(isinstance(item, dict) for item in value):
            styled.fa.set_flow_style()
        return styled
    if isinstance(value, dict):
        return {key: _styled(item) for key, item in value.items()}
    return value


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    yaml.width = _UNWRAPPED
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
