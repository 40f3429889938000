"""One JWK: what a key must be before anything is verified with it (RFC 7517, 7518, 8037)."""

from math import prod

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from rolecall.identity.jwk import UnusableKey, read_key

from .parts.signing import Signer, b64, number, unb64

RSA = Signer("rsa", "RS256").jwk()
EC = Signer("ec", "ES256").jwk()
OKP = Signer("okp", "EdDSA").jwk()
MODULUS = Signer("rsa", "RS256").private.public_key().public_numbers().n
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)

# RFC 7638 section 3.1
THUMBPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
EXAMPLE_MODULUS = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def longer(coordinate):
    """The same number in 33 bytes (RFC 7518 6.2.1.2 has it in 32)."""
    return number(int.from_bytes(unb64(coordinate.encode())), 33)


def refused(entry):
    with pytest.raises(UnusableKey) as caught:
        read_key(entry)
    return caught.value


def test_a_thumbprint_is_that_of_rfc_7638():
    key = read_key({"kty": "RSA", "n": EXAMPLE_MODULUS, "e": "AQAB", "alg": "RS256", "kid": "x"})
    assert key.thumbprint == THUMBPRINT


def test_a_thumbprint_does_not_depend_on_how_a_number_is_spelt():
    zeros = {
        "n": number(MODULUS, 260),
        "e": number(65537, 8),
    }
    assert read_key({**RSA, **zeros}).thumbprint == read_key(RSA).thumbprint


ALARMING = {
    "C13 T09 RSA of 1024 bits": (
        Signer("w", "RS256", material=rsa.generate_private_key(65537, 1024)).jwk(),
        "less than 2048 bits",
    ),
    "C13 T09 e is 1": ({**RSA, "e": number(1)}, "exponent"),
    "C13 T09 e is 3": ({**RSA, "e": number(3)}, "exponent"),
    "C13 e is even": ({**RSA, "e": number(65538)}, "exponent"),
    "C13 e is longer than 64 bits": ({**RSA, "e": number(2**64 + 1)}, "exponent"),
    "C13 n is even": ({**RSA, "n": number(MODULUS - 1)}, "even"),
    "C13 private RSA": ({**RSA, "d": "AQAB"}, "private"),
    "C13 private EC": ({**EC, "d": "AQAB"}, "private"),
    "C13 private Ed25519": ({**OKP, "d": OKP["x"]}, "private"),
}
CALM = {
    "C14 symmetric": ({"kty": "oct", "k": "AAAA"}, "private"),
    "C13 RSA of 8200 bits": ({**RSA, "n": number(MODULUS << 6152 | 1)}, "more than 8192 bits"),
    "C13 a point off the curve": ({**EC, "x": number(5, 32)}, "not valid"),
    "C13 a coordinate with a zero before it": ({**EC, "x": longer(EC["x"])}, "length"),
    "C14 a curve of the future": ({**EC, "crv": "P-1024"}, "curve"),
    "C12 for encryption": ({**RSA, "use": "enc"}, "use"),
    "C12 to verify and encrypt": ({**RSA, "key_ops": ["verify", "encrypt"]}, "mix"),
    "C12 to verify twice": ({**RSA, "key_ops": ["verify", "verify"]}, "different"),
    "C12 to verify and a number": ({**RSA, "key_ops": ["verify", 1]}, "different"),
    "C12 key_ops null": ({**RSA, "key_ops": None}, "key_ops"),
    "C11 alg null": ({**RSA, "alg": None}, "alg"),
    "C16 an issuer that is no name": ({**RSA, "issuer": 1}, "issuer"),
}


@pytest.mark.parametrize(("entry", "why"), ALARMING.values(), ids=ALARMING)
def test_a_key_that_is_weak_or_no_secret_is_left_out_loudly(entry, why):
    assert refused(entry).alarming
    assert why in str(refused(entry))


@pytest.mark.parametrize(("entry", "why"), CALM.values(), ids=CALM)
def test_a_key_that_is_not_for_this_is_left_out_quietly(entry, why):
    assert not refused(entry).alarming
    assert any(word in str(refused(entry)) for word in why.split("|"))


@pytest.mark.parametrize(
    "operations", [["verify"], ["sign", "verify"], ["verify", "urn:example:audit"]]
)
def test_c12_operations_that_do_not_contradict_are_accepted(operations):
    assert read_key({**RSA, "key_ops": operations}).algorithms == {"RS256"}


SMALL_ORDER = {
    "0": 0,
    "1": 1,
    "-1": P - 1,
    "0, not reduced": P,
    "1, not reduced": P + 1,
    "order 8": ORDER_8,
    "order 8, negative": P - ORDER_8,
}


def square_of_x(y):
    """The square of x where y lies on -x² + y² = 1 + d·x²·y² (RFC 8032 5.1)."""
    return (y * y - 1) * pow(D * y * y + 1, -1, P) % P


def doubled(y):
    """The y of twice a point (RFC 8032 5.1.4); it depends on x by its square alone."""
    xx, yy = square_of_x(y), y * y
    return (yy + xx) * pow(1 - D * xx * yy, -1, P) % P


@pytest.mark.parametrize("y", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_the_points_named_here_are_of_small_order(y):
    assert doubled(doubled(doubled(y % P))) == 1


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", SMALL_ORDER.values(), ids=SMALL_ORDER)
def test_c13_t09_a_point_of_small_order_is_no_key(y, sign):
    x = (y | sign << 255).to_bytes(32, "little")
    error = refused({"kty": "OKP", "crv": "Ed25519", "x": b64(x).decode()})
    assert error.alarming
    assert "small order" in str(error)


def test_c13_t09_a_point_of_small_order_verifies_what_nobody_signed():
    """Why it is no key: with R the neutral element and S zero, every message is signed."""
    neutral = (1).to_bytes(32, "little")
    anybody = ed25519.Ed25519PublicKey.from_public_bytes(neutral)
    anybody.verify(neutral + bytes(32), b"whatever")


def test_c16_the_issuer_that_a_key_is_for_is_kept():
    assert read_key(RSA).issuer is None
    assert read_key({**RSA, "issuer": "https://one"}).issuer == "https://one"


def test_c13_t09_a_modulus_of_roca_s_form_is_recognised():
    """CVE-2017-15361; Wycheproof has a real one."""
    primes = [n for n in range(2, 702) if all(n % d for d in range(2, n))]
    product = prod(primes)
    modulus = ((1 << 2047) // product + 1) * product + pow(65537, 1234, product)
    error = refused({**RSA, "n": number(modulus | 1)})
    assert error.alarming
    assert "ROCA" in str(error)
