"""The token's form, before any key is touched: what is not exactly a signed JWT ends here.

RFC 7515 (JWS compact serialization), RFC 7519 (JWT), RFC 8725 (best practices).
"""

import binascii
import re
from dataclasses import dataclass
from typing import Any, Final

from rolecall.core import Reason, Refusal
from rolecall.wire import strict_json

MAX_HEADER: Final = 4096
MAX_KEY_ID: Final = 512

_COMPACT: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
# what the last character may be when its low bits carry no data (RFC 4648 3.5)
_LAST_OF_TWO: Final = frozenset(b"AQgw")
_LAST_OF_THREE: Final = frozenset(b"AEIMQUYcgkosw048")
# none of these is understood, and each would change what the signature covers or means
_REFUSED_HEADERS: Final = ("crit", "b64", "zip", "enc", "cty")


@dataclass(frozen=True, slots=True)
class Presented:
    """A token whose form is right. Nothing in it is to be believed yet."""

    algorithm: str
    key_id: str | None
    header: dict[str, Any]
    claims: dict[str, Any]
    signing_input: bytes
    signature: bytes


def open_token(token: bytes, *, max_bytes: int) -> Presented:
    """Take a JWS in compact form apart.

    Args:
        token: the bytes as they were sent.
        max_bytes: a longer token is refused unread.

    Raises:
        Refusal: ``malformed_token``.
    """
    if len(token) > max_bytes:
        raise _malformed(f"it is longer than {max_bytes} bytes")
    if not _COMPACT.fullmatch(token):
        raise _malformed("it is not a signed JWT in compact form")
    signing_input, _, signature = token.rpartition(b".")
    header_part, _, claims_part = signing_input.partition(b".")
    header = _object(_decode(header_part), "header", MAX_HEADER)
    claims = _object(_decode(claims_part), "payload", max_bytes)
    for name in _REFUSED_HEADERS:
        if name in header:
            raise _malformed(f"its header holds {name}, which is not understood here")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise _malformed("its header has no alg")
    key_id = header.get("kid")
    if "kid" in header and not (isinstance(key_id, str) and 0 < len(key_id) <= MAX_KEY_ID):
        raise _malformed("its kid is not a string of a sensible length")
    return Presented(algorithm, key_id, header, claims, signing_input, _decode(signature))


def _decode(segment: bytes) -> bytes:
    """Base64url without padding, canonical: one text for one value (RFC 7515 section 2)."""
    rest = len(segment) % 4
    if (
        rest == 1
        or (rest == 2 and segment[-1] not in _LAST_OF_TWO)
        or (rest == 3 and segment[-1] not in _LAST_OF_THREE)
    ):
        raise _malformed("its base64url is not canonical")
    return binascii.a2b_base64(segment.translate(_TO_STANDARD) + b"=" * (-len(segment) % 4))


def _object(data: bytes, part: str, max_bytes: int) -> dict[str, Any]:
    if len(data) > max_bytes:
        raise _malformed(f"its {part} is longer than {max_bytes} bytes")
    try:
        value = strict_json.loads(data)
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
