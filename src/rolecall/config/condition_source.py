"""A condition out of the file: compiled, and if it does not compile, the place where it fails."""

from rolecall.config.conditions import NotACondition, Program, Subject, compile_condition
from rolecall.config.document import Document, KeyPath, Position
from rolecall.core import Condition


def read(text: str, path: KeyPath, subject: Subject, document: Document) -> Condition | None:
    """The condition at ``path``, or None after reporting what is wrong with it."""
    try:
        program = compile_condition(text, subject)
    except NotACondition as fault:
        place = None
        if fault.line is not None and fault.column is not None:
            place = _place(document, path, fault.line, fault.column)
        document.report(path, f"{fault.message}.", at=place)
        return None
    _check_headers(program, path, document)
    return Condition(" ".join(text.split()), document.source(path))


def written(
    text: str, subject: Subject, path: KeyPath, document: Document, *, meaning: str = ""
) -> Condition | None:
    """A condition that the key at ``path`` is lowered to, or None after reporting why it cannot be.

    ``meaning`` says it in the words of that key.
    """
    try:
        compile_condition(text, subject)
    except NotACondition as fault:
        document.report(path, f"cannot be written as a condition: it {fault.message}.")
        return None
    return Condition(text, document.source(path), meaning)


def _check_headers(program: Program, path: KeyPath, document: Document) -> None:
    listed = document.data.get("conditions", {}).get("headers", [])
    if "headers" not in program.reads:
        return
    if program.headers is None:
        document.report(path, 'must read headers by their names: headers["x-team"].')
        return
    for name in sorted(program.headers - {header.lower() for header in listed}):
        document.report(
            path,
            f"reads the header {name!r}, which conditions.headers does not list; list it there, in"
            " lower case here.",
        )


def _place(document: Document, path: KeyPath, line: int, column: int) -> Position | None:
    """Where in the file a character of a condition stands, if that can be told exactly."""
    start = document.values.get(path)
    if start is None:
        return None
    written = document.lines[start.line - 1][start.column - 1 :]
    style = written[:1]
    if style == "|":
        # the first line of a block tells how far all of it is indented
        first = document.lines[start.line]
        return Position(start.line + line, len(first) - len(first.lstrip()) + column)
    if style == ">" or line > 1:
        return None
    if style in {"'", '"'}:
        offset = _behind(written, style, column - 1)
    else:
        offset = column - 1 if start.end is not None else None
    return None if offset is None else Position(start.line, start.column + offset)


def _behind(written: str, quote: str, characters: int) -> int | None:
    """How far into a quoted scalar so many of its characters reach."""
    position = 1
    for _ in range(characters):
        if position >= len(written):
            return None
        if quote == '"' and written[position] == "\\":
            escape = written[position + 1 : position + 2]
            position += 2 + {"x": 2, "u": 4, "U": 8}.get(escape, 0)
        elif written.startswith("''", position) and quote == "'":
            position += 2
        else:
            position += 1
    return position
