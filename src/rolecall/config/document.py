"""YAML with positions: plain values, and for each of them the line and column it stands at.

The YAML 1.2 core schema is read (``no``, ``on`` and ``12:30`` are strings), duplicate keys and
keys that are not strings are errors, and tags of any kind are refused.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from rolecall.config.problems import ConfigurationError, Level, Problem
from rolecall.core import Source

Key = str | int
KeyPath = tuple[Key, ...]

_MAX_DEPTH: Final = 32
_MAX_VALUES: Final = 100_000
_TAGGED: Final = "tagged"
_QUOTED: Final = re.compile(r"(?P<what>undefined alias|tag handle) .*", re.DOTALL)
_NULL: Final = re.compile(r"^(?:~|null|Null|NULL|)$")
_BOOL: Final = re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$")
_INT: Final = re.compile(r"^[-+]?[0-9]+$")
_FLOAT: Final = re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$")


class _CoreSchema(BaseResolver):
    """The scalars of YAML 1.2's core schema that a configuration needs."""


_CoreSchema.add_implicit_resolver("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""])
_CoreSchema.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("tTfF"))
_CoreSchema.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_CoreSchema.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


class _Loader(Reader, Scanner, Parser, Composer, _CoreSchema):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _CoreSchema.__init__(self)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        tag = getattr(self.peek_event(), "tag", None)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        if node is not None and tag is not None:
            node.tag = _TAGGED
        return node


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, both from 1, and the column behind the end if that is in the same line."""

    line: int
    column: int
    end: int | None = None


@dataclass(slots=True)
class Document:
    """One configuration file while it is read, and what was found wrong with it so far."""

    file: str
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    lines: list[str] = field(default_factory=list, repr=False)
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def report(  # noqa: PLR0913 - where, what, and of which kind
        self,
        path: KeyPath,
        message: str,
        *,
        level: Level = "error",
        at_key: bool = False,
        at: Position | None = None,
        code: str = "",
    ) -> None:
        """Note a problem at the value of ``path``, or at the nearest one above it that exists.

        ``at`` names a place within the value, ``code`` the kind of problem.
        """
        places = self.keys if at_key else self.values
        position = at
        for end in range(len(path), -1, -1):
            position = position or places.get(path[:end]) or self.values.get(path[:end])
            if position:
                break
        line, column = (position.line, position.column) if position else (0, 0)
        self.problems.append(Problem(level, self.file, line, column, dotted(path), message, code))

    def warn(self, path: KeyPath, message: str, *, at_key: bool = False, code: str = "") -> None:
        """Note a warning."""
        self.report(path, message, level="warning", at_key=at_key, code=code)

    def source(self, path: KeyPath) -> Source:
        """Where the value of ``path`` is written."""
        position = self.values.get(path)
        if position is None:
            return Source(self.file, 0)
        line = self.lines[position.line - 1]
        before = line[: position.column - 1]
        if "{" in before or "[" in before:
            # the rest of a flow collection is another value's, perhaps a secret
            line = line[position.column - 1 : position.end and position.end - 1]
        return Source(self.file, position.line, line.strip())

    def stop_on_errors(self) -> None:
        """Raise what is to be mended, if an error is among it."""
        if any(problem.level == "error" for problem in self.problems):
            found = self.sorted_problems()
            raise ConfigurationError(tuple(one for one in found if one.level != "note"))

    def sorted_problems(self) -> tuple[Problem, ...]:
        """What has been found, in the order of the file; included files follow."""
        return tuple(
            sorted(
                self.problems,
                key=lambda found: (
                    found.file != self.file,
                    found.file,
                    found.line,
                    found.column,
                ),
            )
        )


def dotted(path: KeyPath) -> str:
    """Write a key's path as people do: ``model_list[0].litellm_params.model``."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        ConfigurationError: the file cannot be read, is not YAML, or is no mapping.
    """
    document = Document(str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        document.report((), f"cannot be read: {error.strerror or error}.")
        raise ConfigurationError(tuple(document.problems)) from None
    except UnicodeDecodeError:
        document.report((), "is not UTF-8 text.")
        raise ConfigurationError(tuple(document.problems)) from None
    return parse(text, document)


def parse(text: str, document: Document) -> Document:
    """Fill a document from YAML text.

    Raises:
        ConfigurationError: the text is not YAML, or no mapping.
    """
    document.lines = text.splitlines() or [""]
    node = None
    try:
        node = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark:
            document.values[()] = Position(mark.line + 1, mark.column + 1)
        # a password that begins with * or ! was not meant as an alias or a tag
        problem = _QUOTED.sub(r"\g<what>", error.problem or error.context or "no reason given")
        document.report((), f"not valid YAML: {problem}.")
    except yaml.YAMLError as error:
        document.report((), f"not valid YAML: {str(error).splitlines()[0]}.")
    except RecursionError:
        document.report((), "is nested too deeply.")
    # outside of the handlers: their exceptions quote the file
    document.stop_on_errors()
    if isinstance(node, yaml.MappingNode):
        document.data = _value(node, (), document) or {}
    else:
        document.values[()] = Position(1, 1)
        document.report((), "holds no settings: write keys and values, as in the examples.")
    return document


def _position(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    return Position(
        start.line + 1, start.column + 1, end.column + 1 if end.line == start.line else None
    )


def _value(node: yaml.Node, path: KeyPath, document: Document) -> Any:
    document.values[path] = _position(node)
    if len(document.values) > _MAX_VALUES:
        # aliases of aliases multiply
        document.report(path, f"is one value too many: a file holds at most {_MAX_VALUES}.")
        document.stop_on_errors()
    if node.tag == _TAGGED:
        document.report(
            path,
            "has a tag; tags are not read, write a plain value (in quotes if it begins with !).",
        )
        return None
    if len(path) > _MAX_DEPTH:
        document.report(path, f"is nested deeper than {_MAX_DEPTH} levels.")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), document) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(node: yaml.MappingNode, path: KeyPath, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _TAGGED:
            document.report(path, "has a key that is not a plain word.")
            continue
        key = key_node.value
        position = _position(key_node)
        if key in result:
            first = document.keys[(*path, key)].line
            document.keys[(*path, key)] = position
            document.report(
                (*path, key),
                f"stands twice in this mapping, first in line {first}; keep one.",
                at_key=True,
            )
            continue
        document.keys[(*path, key)] = position
        result[key] = _value(value_node, (*path, key), document)
    return result


def _scalar(node: yaml.Node) -> Any:
    text: str = node.value
    match node.tag.removeprefix("tag:yaml.org,2002:"):
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            return int(text) if len(text) <= 18 else text
        case "float":
            return float(text)
    return None
