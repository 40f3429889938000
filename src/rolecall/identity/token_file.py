"""A token in a file that somebody else renews, as a cluster does for its service accounts."""

import re
from pathlib import Path
from typing import Final

from rolecall.identity.documents import FetchError

# RFC 6750 2.1
_TOKEN: Final = re.compile("[A-Za-z0-9._~+/-]+=*")


def token_in(file: Path) -> str:
    """The token that is in a file now.

    Raises:
        FetchError: the file cannot be read, or holds none.
    """
    try:
        token = file.read_text("ascii").strip()
    except (OSError, ValueError):
        raise FetchError(f"{file} cannot be read as a bearer token") from None
    if not _TOKEN.fullmatch(token):
        raise FetchError(f"{file} holds no bearer token")
    return token
