"""Base64url as JOSE writes it (RFC 7515 section 2): no padding, and one text for one value."""

import binascii
import string
from typing import Final

LETTERS: Final = (string.ascii_letters + string.digits + "-_").encode()
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# what the last character may be when its low bits carry no data (RFC 4648 3.5)
_LAST_OF_TWO: Final = frozenset(b"AQgw")
_LAST_OF_THREE: Final = frozenset(b"AEIMQUYcgkosw048")
_PADDING: Final = (b"", b"", b"==", b"=")


def decode(segment: bytes) -> bytes:
    """Decode.

    Raises:
        ValueError: padding, another alphabet, or bits that carry no data and are not zero.
    """
    if segment.translate(None, LETTERS):
        raise ValueError("not base64url")
    return decode_segment(segment)


def decode_segment(segment: bytes) -> bytes:
    """Decode what is known to be of base64url's alphabet.

    Raises:
        ValueError: a length or a last character that no encoder writes.
    """
    rest = len(segment) % 4
    if (
        rest == 1
        or (rest == 2 and segment[-1] not in _LAST_OF_TWO)
        or (rest == 3 and segment[-1] not in _LAST_OF_THREE)
    ):
        raise ValueError("not canonical base64url")
    return binascii.a2b_base64(segment.translate(_TO_STANDARD) + _PADDING[rest])


def encode(data: bytes) -> bytes:
    """Encode."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=")
