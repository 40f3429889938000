"""Algorithms: only asymmetric ones, only the key's own, and only keys that the issuer publishes."""

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from rolecall.config.settings import ALGORITHMS
from rolecall.identity.keyset import import_keys

from .parts.gate import CLAIMS, KEYS_URL, SIGNER, Network, gate, settings, verdict
from .parts.signing import HASHES, Signer, b64, bare, key_set, unb64

RSA = Signer("rsa", "RS256")
ATTACKER = Signer("k1", "ES256", name="attacker")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


pytestmark = pytest.mark.usefixtures("verify")


def trusting(*keys):
    return Network({KEYS_URL: key_set(*keys)})


# What is accepted


@pytest.mark.parametrize("said", ["with alg", "without alg"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_every_algorithm_that_can_be_allowed_is_verified(algorithm, said):
    signer = Signer("k1", algorithm)
    key = signer.jwk() if said == "with alg" else signer.jwk(alg=None)
    async with gate(network=trusting(key)) as verifier:
        assert await verdict(verifier, signer.token(CLAIMS)) == "accepted"


@pytest.mark.parametrize("key", ["EdDSA", "Ed25519", None])
@pytest.mark.parametrize("token", ["EdDSA", "Ed25519"])
async def test_c11_eddsa_and_ed25519_are_two_names_of_one_algorithm(key, token):
    signer = Signer("k1", "Ed25519")
    async with gate(network=trusting(signer.jwk(alg=key))) as verifier:
        assert await verdict(verifier, signer.token(CLAIMS, {"alg": token})) == "accepted"


# No signature, or one that anybody can make


@pytest.mark.parametrize("listed", ["as configured", "wrongly in the list"])
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", "none ", "", "NULL"])
async def test_c10_t01_none_is_no_algorithm(algorithm, listed):
    allowed = ALGORITHMS if listed == "as configured" else (*ALGORITHMS, algorithm)
    header = {"alg": algorithm, "kid": "k1"}
    async with gate(settings(algorithms=allowed)) as verifier:
        assert await verdict(verifier, bare(header, CLAIMS)) == "malformed_token"
        assert await verdict(verifier, bare(header, CLAIMS, b"x")) == "algorithm_not_allowed"
        assert await verdict(verifier, SIGNER.token(CLAIMS, header)) == "algorithm_not_allowed"


def public_secrets(signer):
    """What an attacker knows of a public key, in the spellings that libraries have taken."""
    public = signer.private.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    secrets = {
        "PEM": pem,
        "PEM without its last line feed": pem.strip(),
        "PEM behind a space (CVE-2023-48223)": b" " + pem,
        "DER": public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "JWK (CVE-2026-48526)": json.dumps(signer.jwk()).encode(),
        "JWK, compact": json.dumps(signer.jwk(), separators=(",", ":"), sort_keys=True).encode(),
        "the key ID": signer.kid.encode(),
        "nothing": b"",
    }
    if signer.algorithm == "RS256":
        secrets["PKCS 1 (CVE-2017-11424)"] = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.PKCS1
        )
        secrets["the modulus"] = unb64(signer.jwk()["n"].encode())
    return secrets


@pytest.mark.parametrize("listed", ["as configured", "wrongly in the list"])
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("signer", [RSA, SIGNER], ids=["RSA", "EC"])
async def test_c10_t02_a_public_key_is_no_secret(signer, algorithm, listed):
    allowed = ALGORITHMS if listed == "as configured" else (*ALGORITHMS, algorithm)
    key = signer.jwk(alg=None)
    async with gate(settings(algorithms=allowed), network=trusting(key)) as verifier:
        for secret in public_secrets(signer).values():
            token = bare({"alg": algorithm, "kid": signer.kid}, CLAIMS)
            signing_input = token.rpartition(b".")[0]
            digest = hmac.digest(secret, signing_input, f"sha{algorithm[2:]}")
            forged = signing_input + b"." + b64(digest)
            assert await verdict(verifier, forged) == "algorithm_not_allowed"


async def test_c14_t07_a_symmetric_key_in_the_set_verifies_nothing():
    secret = {"kty": "oct", "kid": "secret", "alg": "HS256", "k": b64(b"s" * 32).decode()}
    signing_input = bare({"alg": "HS256", "kid": "secret"}, CLAIMS).rpartition(b".")[0]
    forged = signing_input + b"." + b64(hmac.digest(b"s" * 32, signing_input, hashlib.sha256))
    allowed = settings(algorithms=(*ALGORITHMS, "HS256"))
    async with gate(allowed, network=trusting(secret, SIGNER)) as verifier:
        assert await verdict(verifier, forged) == "unknown_key"


# Another algorithm than the key's or the issuer's

UNKNOWN = ["es256", "ES256 ", "ES256\x00", "ES-256", "ES256K", "Ed448", "RS1", "dir", "RSA-OAEP"]


@pytest.mark.parametrize("algorithm", UNKNOWN)
async def test_c10_t01_algorithms_are_compared_exactly(algorithm):
    async with gate() as verifier:
        token = SIGNER.token(CLAIMS, {"alg": algorithm})
        assert await verdict(verifier, token) == "algorithm_not_allowed"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512", "ES256"])
async def test_c11_t03_a_key_is_used_with_its_own_algorithm_alone(algorithm):
    signer = RSA if algorithm != "ES256" else Signer("rsa", "ES256")
    async with gate(network=trusting(RSA)) as verifier:
        token = signer.token(CLAIMS, {"alg": algorithm}, algorithm=algorithm)
        assert await verdict(verifier, token) == "algorithm_not_allowed"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_c11_t03_a_signature_is_made_with_the_algorithm_that_is_said(algorithm):
    async with gate(network=trusting(RSA.jwk(alg=None))) as verifier:
        said, made = {"alg": "RS256"}, algorithm
        assert await verdict(verifier, RSA.token(CLAIMS, said, algorithm=made)) == "bad_signature"
        said, made = {"alg": algorithm}, "RS256"
        assert await verdict(verifier, RSA.token(CLAIMS, said, algorithm=made)) == "bad_signature"


async def test_c10_t03_an_issuer_may_be_held_to_one_algorithm():
    signer = Signer("k1", "PS256")
    async with gate(
        settings(algorithms=("RS256",)), network=trusting(signer.jwk(alg=None))
    ) as verifier:
        assert await verdict(verifier, signer.token(CLAIMS)) == "algorithm_not_allowed"
        assert await verdict(verifier, signer.token(CLAIMS, algorithm="RS256")) == (
            "algorithm_not_allowed"
        )


@pytest.mark.parametrize(
    ("curve", "algorithm"),
    [("ES256", "ES384"), ("ES384", "ES256"), ("ES512", "ES256"), ("ES384", "ES512")],
)
async def test_c11_t03_an_elliptic_curve_has_one_algorithm(curve, algorithm):
    signer = Signer("k1", curve)
    async with gate(network=trusting(signer.jwk(alg=None))) as verifier:
        assert await verdict(verifier, signer.token(CLAIMS, {"alg": algorithm})) == (
            "algorithm_not_allowed"
        )


# Keys that the token brings along

EMBEDDED = {
    "jwk (CVE-2018-0114)": {"jwk": ATTACKER.jwk()},
    "jku": {"jku": "https://evil.example/keys"},
    "x5u": {"x5u": "https://evil.example/certificate"},
    "x5c": {"x5c": ["MIIB"]},
    "x5t": {"x5t": "dGh1bWI"},
    "x5t#S256": {"x5t#S256": "dGh1bWI"},
    "all of them": {
        "jwk": ATTACKER.jwk(),
        "jku": "https://evil.example/keys",
        "x5u": "https://evil.example/certificate",
        "x5c": ["MIIB"],
    },
}


@pytest.mark.parametrize("header", EMBEDDED.values(), ids=EMBEDDED)
async def test_c07_t04_a_key_in_the_token_is_neither_used_nor_fetched(header):
    async with gate() as verifier:
        assert await verdict(verifier, ATTACKER.token(CLAIMS, header)) == "bad_signature"
        without_kid = ATTACKER.token(CLAIMS, {**header, "kid": None})
        assert await verdict(verifier, without_kid) == "bad_signature"
        assert await verdict(verifier, SIGNER.token(CLAIMS, header)) == "accepted"
        # once more for the token that names no key
        assert verifier.network.fetched == [KEYS_URL] * 2


# ECDSA signatures are r and s, each of the curve's length (RFC 7518 3.4)


def integers(signature):
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")


def pair(r, s):
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


ECDSA = {
    "r and s are 0 (CVE-2022-21449)": lambda _: pair(0, 0),
    "r is 0": lambda good: pair(0, integers(good)[1]),
    "s is 0": lambda good: pair(integers(good)[0], 0),
    "r and s are the order": lambda _: pair(P256_ORDER, P256_ORDER),
    "r and s are 1": lambda _: pair(1, 1),
    "all bits are set": lambda _: b"\xff" * 64,
    "DER": lambda good: encode_dss_signature(*integers(good)),
    "63 bytes": lambda good: good[:63],
    "65 bytes": lambda good: good + b"\x00",
    "65 bytes, zero first": lambda good: b"\x00" + good,
    "r and s of 33 bytes": lambda good: b"\x00" + good[:32] + b"\x00" + good[32:],
    "s and r": lambda good: good[32:] + good[:32],
    "twice": lambda good: good + good,
    "one byte": lambda _: b"\x00",
}


@pytest.mark.parametrize("change", ECDSA.values(), ids=ECDSA)
async def test_c15_t15_an_ecdsa_signature_in_another_form_is_bad(change):
    signing_input, _, signature = SIGNER.token(CLAIMS).rpartition(b".")
    token = signing_input + b"." + b64(change(unb64(signature)))
    async with gate() as verifier:
        assert await verdict(verifier, token) == "bad_signature"


async def test_c15_t15_the_other_s_of_an_ecdsa_signature_is_the_same_caller():
    """ECDSA cannot tell s from n - s; nothing here identifies a token by its signature."""
    token = SIGNER.token(CLAIMS)
    signing_input, _, signature = token.rpartition(b".")
    r, s = integers(unb64(signature))
    other = signing_input + b"." + b64(pair(r, P256_ORDER - s))
    async with gate() as verifier:
        assert await verifier.authenticate(token) == await verifier.authenticate(other)


async def test_c15_an_ed25519_signature_is_not_malleable():
    signer = Signer("k1", "EdDSA")
    signing_input, _, signature = signer.token(CLAIMS).rpartition(b".")
    good = unb64(signature)
    s = int.from_bytes(good[32:], "little") + ED25519_ORDER
    other = signing_input + b"." + b64(good[:32] + s.to_bytes(32, "little"))
    async with gate(network=trusting(signer)) as verifier:
        assert await verdict(verifier, other) == "bad_signature"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_c15_an_rsa_signature_has_the_length_of_the_key(algorithm):
    signer = Signer("k1", algorithm)
    signing_input, _, signature = signer.token(CLAIMS).rpartition(b".")
    good = unb64(signature)
    async with gate(network=trusting(signer)) as verifier:
        for other in (good[:-1], good + b"\x00", b"\x00" + good, good * 2, b"\x00" * 256, b"\x00"):
            token = signing_input + b"." + b64(other)
            assert await verdict(verifier, token) == "bad_signature"


KEYS = {
    algorithm: import_keys(key_set(Signer("k1", algorithm).jwk(alg=None))).keys[0]
    for algorithm in ("RS256", "ES256", "ES384", "ES512", "EdDSA")
}


@settings_of_hypothesis(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    algorithm=st.sampled_from([*ALGORITHMS, "none", "HS256", ""]),
    key=st.sampled_from(list(KEYS.values())),
    signature=st.binary(max_size=300) | st.sampled_from([b"\x00" * 64, b"\x00" * 256]),
)
def test_no_signature_raises_and_none_is_right_by_chance(verify, algorithm, key, signature):
    assert verify(algorithm, key, b"signed", signature) is False


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
@pytest.mark.parametrize("salt", [0, 20, padding.PSS.MAX_LENGTH])
async def test_c15_a_pss_salt_is_as_long_as_the_hash(algorithm, salt):
    signer = Signer("k1", algorithm)
    signing_input = signer.token(CLAIMS).rpartition(b".")[0]
    digest = HASHES[algorithm[2:]]()
    signature = signer.private.sign(signing_input, padding.PSS(padding.MGF1(digest), salt), digest)
    async with gate(network=trusting(signer)) as verifier:
        token = signing_input + b"." + b64(signature)
        assert await verdict(verifier, token) == "bad_signature"
