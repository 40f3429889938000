"""References to the environment: ``os.environ/NAME``, ``${NAME}``, and ``NAME_FILE`` for both."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rolecall.config.document import Document, KeyPath

_WHOLE: Final = re.compile(r"^os\.environ/(?P<name>.*)$", re.DOTALL)
_INSIDE: Final = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_NAME: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")

UNSET: Final = "https://unset.invalid"
"""Stands in for what is not set where nothing will be served: a URL that reaches nothing."""


class MissingVariable(LookupError):
    """A variable is not set, or the file that ``NAME_FILE`` names cannot be read."""


def variable(name: str, environ: Mapping[str, str]) -> str | None:
    """The value of ``NAME``, else the content of the file that ``NAME_FILE`` names, else None.

    An empty variable counts as not set. A file's last line break is not part of the value.

    Raises:
        MissingVariable: ``NAME_FILE`` is set and its file cannot be read.
    """
    if value := environ.get(name):
        return value
    if file := environ.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").rstrip("\r\n") or None
        except (OSError, UnicodeDecodeError):
            raise MissingVariable(f"{name}_FILE names a file that cannot be read") from None
    return None


def resolve(document: Document, environ: Mapping[str, str], *, offline: bool = False) -> None:
    """Replace every reference in the document by its value.

    A reference without a value is reported; ``offline``, `UNSET` takes its place.
    """
    missing: list[tuple[KeyPath, str]] = []
    document.data = _resolve(document.data, (), missing, environ)
    if not offline:
        for path, sentence in missing:
            document.report(path, sentence)


def _resolve(
    value: Any,
    path: KeyPath,
    missing: list[tuple[KeyPath, str]],
    environ: Mapping[str, str],
) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item, (*path, key), missing, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [
            _resolve(item, (*path, index), missing, environ) for index, item in enumerate(value)
        ]
    if not isinstance(value, str):
        return value
    try:
        if whole := _WHOLE.match(value):
            return _required(whole["name"], environ)
        return _INSIDE.sub(lambda match: _required(match["name"], environ), value)
    except MissingVariable as error:
        missing.append((path, f"{error}."))
        return UNSET


def _required(name: str, environ: Mapping[str, str]) -> str:
    if not _NAME.match(name):
        # not quoted: a secret may have been written where its variable is to be named
        raise MissingVariable("names no environment variable: write os.environ/NAME")
    value = variable(name, environ)
    if value is None:
        raise MissingVariable(
            f"the environment variable {name} is not set; set it, or {name}_FILE to a file"
            " that holds it"
        )
    return value
