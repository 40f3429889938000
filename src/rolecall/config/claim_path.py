"""Claim paths: where in a token's payload a value is found.

Three spellings lead to one form, a tuple of literal keys: a list of keys, a JSON pointer
(RFC 6901), and LiteLLM's dotted path in which a backslash escapes a dot.
"""

import re
from collections.abc import Sequence
from typing import Final

ClaimPath = tuple[str, ...]

_MAX_KEYS: Final = 16
_UNESCAPED_DOT: Final = re.compile(r"(?<!\\)\.")


def parse(spelling: str | Sequence[str]) -> ClaimPath:
    r"""Read a claim path.

    ``["resource_access", "com.example", "roles"]``, ``/resource_access/com.example/roles`` and
    ``resource_access.com\.example.roles`` are the same path.

    Raises:
        ValueError: it is empty, has an empty key, or more than 16 keys.
    """
    if not isinstance(spelling, str):
        path = tuple(spelling)
    elif spelling.startswith("/"):
        path = tuple(key.replace("~1", "/").replace("~0", "~") for key in spelling[1:].split("/"))
    else:
        path = tuple(key.replace("\\.", ".") for key in _UNESCAPED_DOT.split(spelling))
    if not path or "" in path:
        raise ValueError("a claim path has at least one key, and none that is empty")
    if len(path) > _MAX_KEYS:
        raise ValueError(f"a claim path has at most {_MAX_KEYS} keys")
    return path
