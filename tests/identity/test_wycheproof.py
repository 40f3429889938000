"""Project Wycheproof's vectors for JWS, JWK and the signatures beneath them.

A vector goes the way of a token: its form is checked, its keys are imported as a key set, and the
signature is verified with those that its kid names. What is compared is accepted or refused.
"""

import json
from pathlib import Path

import pytest

from rolecall.config import Limits
from rolecall.core import Refusal
from rolecall.identity.guard import open_jws
from rolecall.identity.keyset import import_keys

from .parts.signing import number

DATA = Path(__file__).parents[1] / "data" / "wycheproof"

EMPTY = "an empty payload is no JWT: the guard wants a JSON object there"
TWO_ALGORITHMS = "the key's alg is PS256 and the token's PS384 (RFC 8725 3.1: one algorithm a key)"
NO_ES521 = "the key's alg is ES521, which does not exist (RFC 7518 3.1 has ES512)"
A_JWE = "a good JWE: tokens are never encrypted here"
SMALL_EXPONENT = "the public exponent is 3; keys have at least 65537 here"
# by file and tcId: valid in the vectors' eyes, refused here, and why. Nothing is the other way.
REFUSED = {
    "json_web_signature_test": {
        **dict.fromkeys((259, 264, 268, 272, 320, 325), EMPTY),
        **dict.fromkeys((346, 350), TWO_ALGORITHMS),
        **dict.fromkeys((347, 351), NO_ES521),
    },
    "json_web_key_test": {},
    "json_web_crypto_test": {67: A_JWE},
    "ecdsa_secp256r1_sha256_p1363_test": {},
    "ecdsa_secp384r1_sha384_p1363_test": {},
    "ecdsa_secp521r1_sha512_p1363_test": {},
    "ed25519_test": {},
    "rsa_signature_2048_sha256_test": dict.fromkeys((258, 259), SMALL_EXPONENT),
    "rsa_pss_2048_sha256_mgf1_32_test": {},
}
PRIMITIVES = {
    "ecdsa_secp256r1_sha256_p1363_test": "ES256",
    "ecdsa_secp384r1_sha384_p1363_test": "ES384",
    "ecdsa_secp521r1_sha512_p1363_test": "ES512",
    "ed25519_test": "EdDSA",
    "rsa_signature_2048_sha256_test": "RS256",
    "rsa_pss_2048_sha256_mgf1_32_test": "PS256",
}


def vectors(name):
    groups = json.loads((DATA / f"{name}.json").read_text("utf-8"))["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


def key_set_of(group):
    keys = group.get("public") or group["private"]
    return keys if "keys" in keys else {"keys": [keys]}


def is_symmetric(group):
    return any(key["kty"] == "oct" for key in key_set_of(group)["keys"])


def accepts(verify, token, keys):
    """Whether a JWS is taken, as a token would be."""
    text = token if isinstance(token, str) else json.dumps(token)
    try:
        jws = open_jws(text.encode(), Limits())
        usable = import_keys(keys).named(jws.key_id)
    except (Refusal, ValueError):
        return False
    return any(verify(jws.algorithm, key, jws.signing_input, jws.signature) for key in usable)


@pytest.mark.parametrize(
    "name", ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"]
)
def test_c10_c11_c12_c13_c15_jws_and_jwk(name, verify):
    differing = {
        test["tcId"]: test["result"]
        for group, test in vectors(name)
        if not is_symmetric(group)
        and accepts(verify, test.get("jws", test.get("jwe")), key_set_of(group))
        is not (test["result"] == "valid")
    }
    assert differing == dict.fromkeys(REFUSED[name], "valid")


@pytest.mark.parametrize(
    "name", ["json_web_signature_test", "json_web_key_test", "json_web_crypto_test"]
)
def test_c10_t02_t07_a_symmetric_key_verifies_nothing(name, verify):
    """The vectors known to be in error (tcId 367, 370, 372, 373) are all among these."""
    for group, test in vectors(name):
        if is_symmetric(group):
            token = test.get("jws", test.get("jwe"))
            assert not accepts(verify, token, key_set_of(group)), test["tcId"]


def test_c03_t14_jwe_is_refused_whatever_is_in_it(verify):
    for group, test in vectors("json_web_encryption_test"):
        assert not accepts(verify, test["jwe"], key_set_of(group)), test["tcId"]


def jwk_of(group):
    """The public key; where a group has it in hexadecimal alone, as a JWK."""
    given = group.get("publicKeyJwk") or group.get("keyJwk")
    if given is not None:
        return given
    public = group["publicKey"]
    size = (public["keySize"] + 7) // 8
    curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[public["curve"]]
    x, y = (number(int(public[member], 16), size) for member in ("wx", "wy"))
    return {"kty": "EC", "crv": curve, "x": x, "y": y}


def verified(verify, algorithm, group, test):
    try:
        (key,) = import_keys({"keys": [jwk_of(group)]}).keys
    except ValueError:
        return False
    return verify(algorithm, key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))


@pytest.mark.parametrize(("name", "algorithm"), PRIMITIVES.items(), ids=PRIMITIVES)
def test_c15_t15_signatures_alone(name, algorithm, verify):
    """A result of "acceptable" (a DigestInfo without NULL) is refused, as an invalid one is."""
    differing = {
        test["tcId"]: test["result"]
        for group, test in vectors(name)
        if verified(verify, algorithm, group, test) is not (test["result"] == "valid")
    }
    assert differing == dict.fromkeys(REFUSED[name], "valid")


def test_c11_c14_a_key_on_secp256k1_is_no_key():
    for group, _ in vectors("ecdsa_secp256k1_sha256_p1363_test"):
        key = group.get("publicKeyJwk") or {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}
        with pytest.raises(ValueError, match="curve"):
            import_keys({"keys": [key]})
