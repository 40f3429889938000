"""Secrets that stand in the file itself, where everybody who reads the file can read them."""

from collections.abc import Iterator
from typing import Any, Final

from rolecall.config.document import Document, KeyPath
from rolecall.config.problems import Problem

_SECRETS: Final = frozenset({"api_key", "client_secret", "master_key", "nonce_key"})


def find(document: Document) -> list[Problem]:
    """Every secret that is written out; the document's references must not be resolved yet."""
    written = Document(document.file, values=document.values, keys=document.keys)
    for path in _paths(document.data, ()):
        written.report(
            path,
            "a secret stands in the file; write os.environ/NAME, and keep it in the environment or"
            " in a file that NAME_FILE names.",
            level="warning",
            code="secret-in-file",
        )
    return written.problems


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in _SECRETS and isinstance(item, str) and not _is_reference(item):
                yield (*path, key)
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))


def _is_reference(text: str) -> bool:
    return text.startswith("os.environ/") or "${" in text or not text
