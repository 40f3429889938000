"""Where the token comes from: four headers, and never two different credentials."""

import re
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.upstream import Headers

_KEY_HEADERS: Final = (b"x-api-key", b"api-key", b"x-goog-api-key")
_ALL: Final = frozenset({b"authorization", *_KEY_HEADERS})
# RFC 6750 2.1, RFC 9110 11.4: one scheme, one space, one token
_BEARER: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ([^\s\x00-\x1f\x7f]+)")


def find_token(headers: Headers) -> bytes:
    """The token of a request.

    Raises:
        Refusal: ``missing_token``, ``malformed_token``, or ``conflicting_credentials`` for two
            different credentials and for a header that is sent twice.
    """
    found = [(name, value) for name, value in headers if name in _ALL and value.strip()]
    if not found:
        raise Refusal(
            Reason.MISSING_TOKEN,
            "No token was sent; send the access token of your identity provider as"
            " Authorization: Bearer, or as your client's API key.",
        )
    tokens = {name: _token(name, value) for name, value in found}
    if len(found) == 1:
        return tokens.popitem()[1]
    names = [name.decode() for name, _ in found]
    if len(tokens) != len(found):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refusal(
            Reason.CONFLICTING_CREDENTIALS, f"The header {twice} was sent more than once."
        )
    if len(set(tokens.values())) > 1:
        raise Refusal(
            Reason.CONFLICTING_CREDENTIALS,
            f"The headers {' and '.join(names)} hold different credentials; unset one of them"
            " (Anthropic's SDK sends both when ANTHROPIC_API_KEY and ANTHROPIC_AUTH_TOKEN are set:"
            " keep the one that holds your token).",
        )
    return tokens.popitem()[1]


def _token(name: bytes, value: bytes) -> bytes:
    if name != b"authorization":
        return value.strip()
    match = _BEARER.fullmatch(value.strip())
    if match is None:
        raise Refusal(
            Reason.MALFORMED_TOKEN, "The Authorization header must be: Bearer, a space, the token."
        )
    return match[1]
