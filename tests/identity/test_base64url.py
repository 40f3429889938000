"""Base64url without padding, canonical (RFC 7515 section 2, RFC 4648 sections 3.5 and 5)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.identity import base64url


@given(st.binary(max_size=70))
def test_what_is_encoded_is_decoded(data):
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=")
    assert base64url.decode(text) == data


@given(st.text("AEIMQUYcgkosw048BCDab-_", max_size=12))
def test_one_value_has_one_text(text):
    try:
        value = base64url.decode(text.encode())
    except ValueError:
        return
    assert base64url.encode(value) == text.encode()


@pytest.mark.parametrize(
    "text",
    [b"A", b"AAAAA", b"AB", b"AAB", b"AA==", b"AAA=", b"+/+/", b"AA AA", b"AAAA\n", b"\xc3\xa9"],
)
def test_c02_t13_what_no_encoder_writes_is_refused(text):
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text)
