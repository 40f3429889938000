"""The token's form, before any key is touched: what is not exactly a signed JWT ends here.

RFC 7515 (JWS compact serialization), RFC 7519 (JWT), RFC 8725 (best practices).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from rolecall.config import Limits
from rolecall.core import Reason, Refusal
from rolecall.identity import base64url
from rolecall.wire import strict_json

MAX_KEY_ID: Final = 512

_COMPACT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# none of these is understood, and each would change what the signature covers or means
_REFUSED_HEADERS: Final = ("crit", "b64", "zip", "enc", "cty")


@dataclass(frozen=True, slots=True)
class Jws:
    """A JWS in compact form, taken apart. Nothing in it is to be believed yet."""

    algorithm: str
    key_id: str | None
    header: dict[str, Any]
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
    if not _COMPACT.fullmatch(token):
        raise _malformed("it is not a signed JWT in compact form")
    signing_input, _, signature = token.rpartition(b".")
    header_part, _, payload_part = signing_input.partition(b".")
    header_text = _decode(header_part)
    if len(header_text) > limits.token_header:
        raise _malformed(f"its header is longer than {limits.token_header} bytes")
    header = _object(header_text, "header", limits.token_depth)
    for name in _REFUSED_HEADERS:
        if name in header:
            raise _malformed(f"its header holds {name}, which is not understood here")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise _malformed("its header has no alg")
    key_id = header.get("kid")
    if "kid" in header and not (isinstance(key_id, str) and 0 < len(key_id) <= MAX_KEY_ID):
        raise _malformed("its kid is not a string of a sensible length")
    return Jws(algorithm, key_id, header, _decode(payload_part), signing_input, _decode(signature))


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
