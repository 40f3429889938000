"""The token's form, before any key is touched: what is not exactly a signed JWT ends here.

RFC 7515 (JWS compact serialization), RFC 7519 (JWT), RFC 8725 (best practices).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from rolecall.config import Limits
from rolecall.core import Reason, Refusal
from rolecall.identity import base64url
from rolecall.wire import strict_json

MAX_KEY_ID: Final = 512

MOST_HEADERS: Final = 128
"""Headers that are remembered."""

MOST_HEADER: Final = 2048
"""Bytes of the longest of them, in base64url; what is read of one can take twenty times as much."""

# none of these is understood, and each would change what the signature covers or means
_REFUSED_HEADERS: Final = ("crit", "b64", "zip", "enc", "cty")


Header = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS in compact form, taken apart. Nothing in it is to be believed yet."""

    algorithm: str
    key_id: str | None
    header: Header
    payload: bytes
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Presented:
    """A JWT whose form is right. Nothing in it is to be believed yet."""

    jws: Jws
    claims: dict[str, Any]


def open_token(token: bytes, limits: Limits) -> Presented:
    """Take a JWT apart: a JWS whose payload is a JSON object.

    Args:
        token: the bytes as they were sent.
        limits: a token that is longer than ``limits.token`` is refused unread.

    Raises:
        Refusal: ``malformed_token``.
    """
    jws = open_jws(token, limits)
    return Presented(jws, _object(jws.payload, "payload", limits.token_depth))


def open_jws(token: bytes, limits: Limits) -> Jws:
    """Take a JWS in compact form apart.

    Args:
        token: the bytes as they were sent.
        limits: a token that is longer than ``limits.token`` is refused unread.

    Raises:
        Refusal: ``malformed_token``.
    """
    if len(token) > limits.token:
        raise _malformed(f"it is longer than {limits.token} bytes")
    signing_input, _, signature = token.rpartition(b".")
    header_part, _, payload_part = signing_input.partition(b".")
    # what is left without base64url's letters are the two dots, and no segment is empty
    if token.translate(None, base64url.LETTERS) != b".." or not (
        header_part and payload_part and signature
    ):
        raise _malformed("it is not a signed JWT in compact form")
    read = _remembered_header if len(header_part) <= MOST_HEADER else _header
    header, algorithm, key_id = read(header_part, limits.token_header, limits.token_depth)
    return Jws(algorithm, key_id, header, _decode(payload_part), signing_input, _decode(signature))


def _header(part: bytes, max_bytes: int, max_depth: int) -> tuple[Header, str, str | None]:
    """A header, with its ``alg`` and ``kid``."""
    text = _decode(part)
    if len(text) > max_bytes:
        raise _malformed(f"its header is longer than {max_bytes} bytes")
    header = _object(text, "header", max_depth)
    for name in _REFUSED_HEADERS:
        if name in header:
            raise _malformed(f"its header holds {name}, which is not understood here")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise _malformed("its header has no alg")
    key_id = header.get("kid")
    if "kid" in header and not (isinstance(key_id, str) and 0 < len(key_id) <= MAX_KEY_ID):
        raise _malformed("its kid is not a string of a sensible length")
    return MappingProxyType(header), algorithm, key_id


# by all of its bytes, since the tokens of one key have the same one; it is to be believed no more
# for that
_remembered_header: Final = lru_cache(maxsize=MOST_HEADERS)(_header)


def _decode(segment: bytes) -> bytes:
    try:
        return base64url.decode_segment(segment)
    except ValueError:
        raise _malformed("its base64url is not canonical") from None


def _object(data: bytes, part: str, max_depth: int) -> dict[str, Any]:
    try:
        value = strict_json.loads(data, max_depth=max_depth)
    except Refusal as refusal:
        why = (
            "names a member twice"
            if refusal.reason is Reason.DUPLICATE_KEY
            else "is not strict JSON"
        )
        raise _malformed(f"its {part} {why}") from None
    if not isinstance(value, dict):
        raise _malformed(f"its {part} is not a JSON object")
    return value


def _malformed(why: str) -> Refusal:
    return Refusal(Reason.MALFORMED_TOKEN, f"The token cannot be used: {why}.")
