"""RFC 7515 compact serialization and RFC 7519, taken at their word, before any key is touched."""

import base64
import json
import string
import tracemalloc

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rolecall.config import Limits
from rolecall.core import Reason, Refusal
from rolecall.identity.guard import MOST_HEADERS, Presented, open_token

from .parts.signing import b64, bare

HEADER = {"alg": "ES256", "kid": "k1", "typ": "JWT"}
CLAIMS = {"iss": "https://login.example.com", "sub": "john"}
GOOD = bare(HEADER, CLAIMS, b"s" * 64)
HEADER_PART, CLAIMS_PART, SIGNATURE_PART = GOOD.split(b".")
ALPHABET = (string.ascii_letters + string.digits + "-_").encode()


def opened(sent, **limits):
    return open_token(sent, Limits(**limits))


def refused(sent, **limits):
    with pytest.raises(Refusal) as caught:
        open_token(sent, Limits(**limits))
    assert caught.value.reason is Reason.MALFORMED_TOKEN
    return caught.value.message


def test_a_token_in_good_form_is_taken_apart():
    presented = opened(GOOD)
    assert presented.jws.algorithm == "ES256"
    assert presented.jws.key_id == "k1"
    assert presented.jws.header == HEADER
    assert presented.claims == CLAIMS
    assert presented.jws.signing_input == HEADER_PART + b"." + CLAIMS_PART
    assert presented.jws.signature == b"s" * 64


# Form

FLATTENED = {
    "protected": HEADER_PART.decode(),
    "payload": CLAIMS_PART.decode(),
    "signature": SIGNATURE_PART.decode(),
}
GENERAL = {
    "payload": CLAIMS_PART.decode(),
    "signatures": [
        {"protected": HEADER_PART.decode(), "signature": SIGNATURE_PART.decode()},
    ],
}
FORMS = {
    "nothing": b"",
    "a word": b"secret",
    "dots alone": b"..",
    "one segment": HEADER_PART,
    "two segments": HEADER_PART + b"." + CLAIMS_PART,
    "an empty header": b"." + CLAIMS_PART + b"." + SIGNATURE_PART,
    "an empty payload (detached)": HEADER_PART + b".." + SIGNATURE_PART,
    "an empty signature": HEADER_PART + b"." + CLAIMS_PART + b".",
    "a trailing dot": GOOD + b".",
    "a leading dot": b"." + GOOD,
    "a fourth segment": GOOD + b".AAAA",
    "five segments, as a JWE has": GOOD + b".AAAA.AAAA",
    "five segments with an empty key, as direct encryption has": HEADER_PART + b"..AAAA.AAAA.AAAA",
    "flattened JSON serialization": json.dumps(FLATTENED).encode(),
    "general JSON serialization": json.dumps(GENERAL).encode(),
    "a compact token that JSON surrounds (CVE-2022-39227)": b'{"' + GOOD + b'":1}',
    "the scheme before it": b"Bearer " + GOOD,
    "in quotes": b'"' + GOOD + b'"',
    "a space before": b" " + GOOD,
    "a space after": GOOD + b" ",
    "a space within": GOOD.replace(b".", b". ", 1),
    "a tab after": GOOD + b"\t",
    "a line feed after": GOOD + b"\n",
    "a carriage return and a line feed within": GOOD[:20] + b"\r\n" + GOOD[20:],
    "a NUL after": GOOD + b"\x00",
    "a NUL within": GOOD[:20] + b"\x00" + GOOD[20:],
    "padding after the signature": GOOD + b"==",
    "padding after the header": GOOD.replace(b".", b"=.", 1),
    "the standard alphabet's plus": GOOD[:-4] + b"+AAA",
    "the standard alphabet's slash": GOOD[:-4] + b"/AAA",
    "percent-encoding": GOOD.replace(b".", b"%2E"),
    "a fullwidth full stop": GOOD.replace(b".", "\uff0e".encode()),
    "letters beyond ASCII": GOOD[:-4] + "éé".encode(),
    "bytes that are no text": b"\xff\xfe\xfd",
    "two tokens": GOOD + b"," + GOOD,
}


@pytest.mark.parametrize("token", FORMS.values(), ids=FORMS)
def test_c01_c03_t13_t14_what_is_not_three_segments_of_base64url_is_refused(token):
    assert "compact form" in refused(token)


# Base64url: one text for one value (RFC 7515 section 2, RFC 4648 3.5)


def other_spellings(segment):
    """Every text of the same length that a lenient decoder reads as the same bytes."""
    padding = b"=" * (-len(segment) % 4)
    value = base64.urlsafe_b64decode(segment + padding)
    return [
        other
        for last in ALPHABET
        if (other := segment[:-1] + bytes([last])) != segment
        and base64.urlsafe_b64decode(other + padding) == value
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 64])
def test_c02_t13_bits_that_carry_no_data_must_be_zero_in_the_signature(size):
    signature = b64(b"\xa5" * size)
    token = HEADER_PART + b"." + CLAIMS_PART + b"."
    assert opened(token + signature).jws.signature == b"\xa5" * size
    assert len(other_spellings(signature)) == {1: 15, 2: 3, 0: 0}[size % 3]
    for other in other_spellings(signature):
        assert "canonical" in refused(token + other)


@pytest.mark.parametrize("spaces", [0, 1, 2])
def test_c02_t13_bits_that_carry_no_data_must_be_zero_in_header_and_payload(spaces):
    part = b64(json.dumps(HEADER).encode() + b" " * spaces)
    for other in other_spellings(part):
        assert "canonical" in refused(b".".join((other, CLAIMS_PART, SIGNATURE_PART)))
        assert "canonical" in refused(b".".join((HEADER_PART, other, SIGNATURE_PART)))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_c02_t13_a_length_that_no_encoder_writes_is_refused(place):
    segments = [b64(json.dumps({"alg": "ES256"}).encode()) for _ in range(3)]
    whole = len(segments[place]) // 4 * 4
    segments[place] = segments[place][:whole] + b"A"
    assert "canonical" in refused(b".".join(segments))


@given(signature=st.binary(min_size=1, max_size=200))
def test_any_bytes_may_be_a_signature_and_arrive_as_they_are(signature):
    assert opened(bare(HEADER, CLAIMS, signature)).jws.signature == signature


# JSON (RFC 8259), strict

DEEP = b'{"alg":"ES256","x":' + b"[" * 64 + b"]" * 64 + b"}"
TEXTS = {
    "a name twice": b'{"alg":"none","alg":"ES256"}',
    "a name twice, escaped": b'{"alg":"none","\\u0061lg":"ES256"}',
    "a name twice, deeper": b'{"alg":"ES256","x":{"y":[{"roles":1,"roles":2}]}}',
    "NaN": b'{"alg":"ES256","x":NaN}',
    "Infinity": b'{"alg":"ES256","x":-Infinity}',
    "a number beyond a double": b'{"alg":"ES256","x":1e400}',
    "a number beyond a double, with a short exponent": b'{"alg":"ES256","x":1'
    + b"0" * 250
    + b"e99}",
    "a number of 5,000 digits": b'{"alg":"ES256","x":' + b"9" * 5000 + b"}",
    "a byte order mark": b'\xef\xbb\xbf{"alg":"ES256"}',
    "UTF-16 with a byte order mark": '{"alg":"ES256"}'.encode("utf-16"),
    "UTF-16, little-endian": '{"alg":"ES256"}'.encode("utf-16-le"),
    "UTF-16, big-endian": '{"alg":"ES256"}'.encode("utf-16-be"),
    "UTF-32": '{"alg":"ES256"}'.encode("utf-32-le"),
    "invalid UTF-8": b'{"alg":"ES256","x":"\xff"}',
    "overlong UTF-8": b'{"alg":"ES256","x":"\xc0\xae"}',
    "a surrogate in UTF-8": b'{"alg":"ES256","x":"\xed\xa0\x80"}',
    "a lone surrogate": b'{"alg":"ES256","x":"\\ud800"}',
    "a second value": b'{"alg":"ES256"}{}',
    "a trailing letter": b'{"alg":"ES256"}x',
    "a trailing NUL": b'{"alg":"ES256"}\x00',
    "a trailing comma": b'{"alg":"ES256",}',
    "a comment": b'{"alg":"ES256"/* none */}',
    "single quotes": b"{'alg':'ES256'}",
    "a raw line feed in a string": b'{"alg":"ES\n256"}',
    "65 levels": DEEP,
    "100,000 levels": b"[" * 100_000,
    "an object cut short": b'{"alg":"ES256"',
    "an array": b'["alg","ES256"]',
    "an array with the object": b'[{"alg":"ES256"}]',
    "null": b"null",
    "a string": b'"alg"',
    "a number": b"1",
    "true": b"true",
    "a space": b" ",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_c04_c05_t12_t22_t23_a_header_that_is_not_a_strict_json_object_is_refused(text):
    assert "header" in refused(bare(text, CLAIMS, b"s"), token=1_000_000, token_header=1_000_000)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_c04_c05_t12_t22_t23_a_payload_that_is_not_a_strict_json_object_is_refused(text):
    assert "payload" in refused(bare(HEADER, text, b"s"), token=1_000_000, token_header=1_000_000)


def test_sixty_four_levels_are_read():
    assert opened(bare(HEADER, DEEP.replace(b"[]", b"1"), b"s"))


def test_white_space_around_the_json_is_no_fault():
    assert opened(bare(b' {"alg": "ES256"}\n', b"\r\n\t{}", b"s"))


def test_a_header_that_is_remembered_is_nobody_s_to_change():
    first, second = (opened(bare(HEADER, {"n": n}, b"s")) for n in (1, 2))
    assert (first.claims, second.claims) == ({"n": 1}, {"n": 2})
    assert first.jws.header == second.jws.header == HEADER
    with pytest.raises(TypeError):
        first.jws.header["alg"] = "none"


@pytest.mark.parametrize("length", [1500, 4000, 40_000])
def test_headers_take_little_memory_whatever_they_hold(length):
    """What is read of a header that nests takes twenty times as much as its text."""
    nested = b",".join([b"[[],[]]"] * (length // 8))
    tracemalloc.start()
    for number in range(2 * MOST_HEADERS):
        text = b'{"alg":"ES256","n":%d,"x":[%s]}' % (number, nested)
        opened(bare(text, CLAIMS, b"s"), token=1 << 20, token_header=1 << 16)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 8 << 20


# Sizes


def test_c09_a_token_may_be_as_long_as_the_limit_and_no_longer():
    assert opened(GOOD, token=len(GOOD))
    assert refused(GOOD, token=len(GOOD) - 1)


def test_c09_t24_a_token_that_is_too_long_is_not_looked_at():
    assert "longer" in refused(b"\x00" * 101, token=100)


def test_c09_t24_a_header_is_at_most_4096_bytes():
    text = json.dumps(HEADER).encode()
    assert opened(bare(text.ljust(4096), CLAIMS, b"s"))
    assert "header" in refused(bare(text.ljust(4097), CLAIMS, b"s"))


def test_c09_the_limits_of_header_and_depth_can_be_set():
    header = bare({**HEADER, "x": "y" * 100}, CLAIMS, b"s")
    assert opened(header)
    assert "longer than 128 bytes" in refused(header, token_header=128)
    nested = bare(HEADER, {**CLAIMS, "x": {"y": [1]}}, b"s")
    assert opened(nested, token_depth=3)
    assert "payload" in refused(nested, token_depth=2)


# Members of the header

NOT_UNDERSTOOD = {
    "crit": [["exp"], ["b64"], ["alg"], ["exp", "exp"], [1], [], "exp", None, {}],
    "b64": [False, True, None],
    "zip": ["DEF", "", None],
    "enc": ["A128GCM", None],
    "cty": ["JWT", "jwt", "", None],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in NOT_UNDERSTOOD.items() for value in values],
)
def test_c03_c06_t10_t11_what_would_change_the_meaning_of_the_signature_is_refused(name, value):
    assert f"holds {name}" in refused(bare({**HEADER, name: value}, CLAIMS, b"s"))


def test_c07_members_that_mean_nothing_here_are_read_over():
    header = {**HEADER, "nonce": "n", "signer": "arn:x", "x5t": "t", "x5c": ["c"]}
    assert opened(bare(header, CLAIMS, b"s")).jws.header == header


@pytest.mark.parametrize("algorithm", [None, 1, True, [], ["ES256"], {}, {"alg": "ES256"}])
def test_alg_is_a_string(algorithm):
    assert "alg" in refused(bare({**HEADER, "alg": algorithm}, CLAIMS, b"s"))


def test_alg_is_required():
    assert "alg" in refused(bare({"kid": "k1"}, CLAIMS, b"s"))


@pytest.mark.parametrize("key_id", [None, 1, 0, True, False, [], ["k1"], {}, "", "k" * 513])
def test_c08_t05_a_kid_is_a_string_of_a_sensible_length(key_id):
    assert "kid" in refused(bare({**HEADER, "kid": key_id}, CLAIMS, b"s"))


@pytest.mark.parametrize("key_id", ["k", "k" * 512, "../../dev/null", "' OR 1=1 --", "k\x00", "鍵"])
def test_c08_t05_a_kid_is_a_name_and_nothing_else(key_id):
    assert opened(bare({**HEADER, "kid": key_id}, CLAIMS, b"s")).jws.key_id == key_id


def test_a_token_need_not_name_a_key():
    assert opened(bare({"alg": "ES256"}, CLAIMS, b"s")).jws.key_id is None


# Whatever comes


def outcome(token):
    """The token taken apart, or the reason of its refusal; anything else that is raised fails."""
    try:
        return opened(token)
    except Refusal as caught:
        return caught.reason


@given(token=st.binary(max_size=300))
@example(token=b".." * 100)
def test_any_bytes_are_opened_or_refused(token):
    assert isinstance(outcome(token), Presented) or outcome(token) is Reason.MALFORMED_TOKEN


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
@example(b"{}", b"{}", b"{}")
@example(b'{"alg":""}', b"{}", b"s")
def test_any_three_segments_are_opened_or_refused(header, claims, signature):
    presented = outcome(bare(header, claims, signature))
    if isinstance(presented, Presented):
        assert json.loads(header)["alg"] == presented.jws.algorithm
    else:
        assert presented is Reason.MALFORMED_TOKEN


@given(data=st.data())
def test_c02_t13_two_texts_are_never_one_token(data):
    """No change of a token's text leaves all three parts as they were (T13)."""
    place = data.draw(st.integers(0, len(GOOD) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    assume(changed != GOOD)
    presented, whole = outcome(changed), opened(GOOD)
    if isinstance(presented, Presented):
        assert (presented.jws.signing_input, presented.jws.signature) != (
            whole.jws.signing_input,
            whole.jws.signature,
        )
