"""JWK Sets (RFC 7517): a key that cannot be used is left out, and the others are not its business.

"Implementations SHOULD ignore JWKs within a JWK Set that use kty values that are not understood
by them, that are missing required members, or for which values are out of the supported ranges."
"""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from rolecall.identity.keyset import import_keys

from .parts.gate import CLAIMS, KEYS_URL, Network, gate, verdict
from .parts.signing import Signer, b64, key_set, number

GOOD = Signer("good", "ES256")
EC = Signer("ec", "ES256").jwk()
RSA = Signer("rsa", "RS256").jwk()
OKP = Signer("okp", "EdDSA").jwk()
MODULUS = Signer("rsa", "RS256").private.public_key().public_numbers().n


def short_rsa(bits=1024):
    weak = rsa.generate_private_key(65537, bits)
    return Signer("short", "RS256", material=weak).jwk()


def without(key, *names):
    return {name: value for name, value in key.items() if name not in names}


BAD_KEYS = {
    # no key at all
    "null": None,
    "a string": "key",
    "a number": 1,
    "a list": [],
    "an empty object": {},
    # kty
    "kty missing": without(RSA, "kty"),
    "kty null": {**RSA, "kty": None},
    "kty a list": {**RSA, "kty": ["RSA"]},
    "kty an object": {**RSA, "kty": {}},
    "kty in lower case": {**RSA, "kty": "rsa"},
    "kty symmetric": {"kty": "oct", "kid": "s", "alg": "HS256", "k": b64(b"s" * 32).decode()},
    "kty of the future": {"kty": "AKP", "kid": "pq", "alg": "ML-DSA-44", "pub": "AAAA"},
    "kty of another curve's": {**EC, "kty": "OKP"},
    # kid
    "kid a number": {**RSA, "kid": 1},
    "kid a list": {**RSA, "kid": []},
    "kid an object": {**RSA, "kid": {}},
    # use, key_ops, alg
    "use enc": {**RSA, "use": "enc"},
    "use null": {**RSA, "use": None},
    "use a list": {**RSA, "use": ["sig"]},
    "key_ops encrypt": {**RSA, "key_ops": ["encrypt", "wrapKey"]},
    "key_ops empty": {**RSA, "key_ops": []},
    "key_ops a string": {**RSA, "key_ops": "verify"},
    "key_ops an object": {**RSA, "key_ops": {"verify": True}},
    "key_ops within a list": {**RSA, "key_ops": [["verify"]]},
    "use sig, key_ops encrypt": {**RSA, "use": "sig", "key_ops": ["encrypt"]},
    "use enc, key_ops verify": {**RSA, "use": "enc", "key_ops": ["verify"]},
    "alg for encryption": {**RSA, "alg": "RSA-OAEP"},
    "alg symmetric": {**RSA, "alg": "HS256"},
    "alg none": {**RSA, "alg": "none"},
    "alg empty": {**RSA, "alg": ""},
    "alg a number": {**RSA, "alg": 256},
    "alg a list": {**RSA, "alg": ["RS256"]},
    "alg an object": {**RSA, "alg": {}},
    "alg of another kty": {**RSA, "alg": "ES256"},
    "alg of another curve": {**EC, "alg": "ES384"},
    # private members are not published by anybody who still has a secret
    "d": {**RSA, "d": "AQAB"},
    "d null": {**EC, "d": None},
    "d of Ed25519": {**OKP, "d": OKP["x"]},
    "p": {**RSA, "p": "AQAB"},
    "oth": {**RSA, "oth": []},
    "k": {**RSA, "k": "AAAA"},
    # RSA
    "RSA of 1024 bits": short_rsa(),
    "RSA of 2040 bits": {**RSA, "n": number(MODULUS >> 8 | 1)},
    "e 0": {**RSA, "e": number(0)},
    "e 1": {**RSA, "e": number(1)},
    "e 2": {**RSA, "e": number(2)},
    "e 3": {**RSA, "e": number(3)},
    "e even": {**RSA, "e": number(65538)},
    "e beyond n": {**RSA, "e": number(MODULUS + 2)},
    "e missing": without(RSA, "e"),
    "e empty": {**RSA, "e": ""},
    "e a number": {**RSA, "e": 65537},
    "e null": {**RSA, "e": None},
    "n missing": without(RSA, "n"),
    "n empty": {**RSA, "n": ""},
    "n a number": {**RSA, "n": 5},
    "n a list": {**RSA, "n": []},
    "n no base64url": {**RSA, "n": "!!!"},
    "n padded": {**RSA, "n": RSA["n"] + "=="},
    "n beyond ASCII": {**RSA, "n": "é"},
    # EC
    "crv missing": without(EC, "crv"),
    "crv null": {**EC, "crv": None},
    "crv a list": {**EC, "crv": ["P-256"]},
    "crv an object": {**EC, "crv": {}},
    "crv unknown": {**without(EC, "alg"), "crv": "secp256k1"},
    "crv of another length": {**without(EC, "alg"), "crv": "P-384"},
    "crv of another kty": {**without(EC, "alg"), "crv": "Ed25519"},
    "a point off the curve": {**EC, "x": number(5, 32)},
    "the point at infinity": {**EC, "x": number(0, 32), "y": number(0, 32)},
    "x beyond the field": {**EC, "x": number(2**256 - 1)},
    "x cut short": {**EC, "x": EC["x"][:-4]},
    "x a number": {**EC, "x": 5},
    "y missing": without(EC, "y"),
    "y null": {**EC, "y": None},
    # OKP
    "Ed448": {**without(OKP, "alg"), "crv": "Ed448"},
    "X25519": {**without(OKP, "alg"), "crv": "X25519"},
    "Ed25519 of 3 bytes": {**OKP, "x": "AAAA"},
    "Ed25519 of 33 bytes": {**OKP, "x": number(2**263, 33)},
    "Ed25519 of nothing": {**OKP, "x": ""},
    "Ed25519 with x null": {**OKP, "x": None},
}


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
def test_c12_c13_c14_t07_t08_t09_a_bad_key_is_left_out_and_the_good_one_beside_it_stays(bad):
    for keys, place in (((bad, GOOD), 0), ((GOOD, bad), 1)):
        imported = import_keys(key_set(*keys))
        assert [key.key_id for key in imported.keys] == ["good"]
        assert len(imported.skipped) == 1
        assert imported.skipped[0].startswith(f"key {place}: ")


def test_all_bad_keys_together_do_not_spoil_a_good_one():
    imported = import_keys(key_set(*BAD_KEYS.values(), GOOD))
    assert [key.key_id for key in imported.keys] == ["good"]
    assert len(imported.skipped) == len(BAD_KEYS)


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
def test_c12_c13_c14_a_set_of_a_bad_key_alone_is_no_key_set(bad):
    with pytest.raises(ValueError, match="no usable key"):
        import_keys(key_set(bad))


async def test_k08_a_good_key_beside_all_bad_ones_signs_callers_in():
    network = Network({KEYS_URL: key_set(*BAD_KEYS.values(), GOOD)})
    async with gate(network=network) as verifier:
        assert await verdict(verifier, GOOD.token(CLAIMS)) == "accepted"


WEAK = {
    "RSA of 1024 bits": (Signer("w", "RS256", material=rsa.generate_private_key(65537, 1024)), {}),
    "RSA with e = 3": (Signer("w", "RS256", material=rsa.generate_private_key(3, 2048)), {}),
    "use enc": (Signer("w", "RS256"), {"use": "enc"}),
    "alg RSA-OAEP": (Signer("w", "RS256"), {"alg": "RSA-OAEP"}),
    "key_ops encrypt": (Signer("w", "ES256"), {"key_ops": ["encrypt"]}),
    "private members": (Signer("w", "ES256"), {"d": "AQAB"}),
}


@pytest.mark.parametrize(("signer", "members"), WEAK.values(), ids=WEAK)
async def test_c12_c13_t08_t09_a_right_signature_of_a_key_that_was_left_out_counts_for_nothing(
    signer, members
):
    network = Network({KEYS_URL: key_set(signer.jwk(**members), GOOD)})
    async with gate(network=network) as verifier:
        assert await verdict(verifier, signer.token(CLAIMS)) == "unknown_key"


# What good keys look like

ALL_RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
GOOD_KEYS = {
    "RSA with alg": (RSA, {"RS256"}),
    "RSA without alg, as Entra publishes": (without(RSA, "alg"), ALL_RSA),
    "P-256 without alg": (without(EC, "alg"), {"ES256"}),
    "Ed25519 as EdDSA": ({**OKP, "alg": "EdDSA"}, {"EdDSA", "Ed25519"}),
    "Ed25519 as Ed25519": ({**OKP, "alg": "Ed25519"}, {"EdDSA", "Ed25519"}),
    "without use": (without(EC, "use"), {"ES256"}),
    "without kid": (without(EC, "kid"), {"ES256"}),
    "key_ops verify": ({**without(EC, "use"), "key_ops": ["verify"]}, {"ES256"}),
    "key_ops sign and verify": ({**EC, "key_ops": ["sign", "verify"]}, {"ES256"}),
    "unknown members": ({**EC, "issuer": "https://x", "cloud": {"a": [1]}}, {"ES256"}),
    "certificates that are none": ({**RSA, "x5c": 5, "x5t": None, "x5u": {}}, {"RS256"}),
}


@pytest.mark.parametrize(("key", "algorithms"), GOOD_KEYS.values(), ids=GOOD_KEYS)
def test_a_good_key_is_imported_for_its_algorithms(key, algorithms):
    (imported,) = import_keys(key_set(key)).keys
    assert imported.key_id == key.get("kid")
    assert imported.algorithms == algorithms


def test_which_key_it_is_does_not_depend_on_its_name():
    one, two = import_keys(key_set(EC, {**without(EC, "alg", "use"), "kid": "renamed"})).keys
    assert one.thumbprint == two.thumbprint


NO_KEY_SETS = {
    "null": None,
    "a list": [],
    "a string": "<html>",
    "an object without keys": {},
    "keys null": {"keys": None},
    "keys an object": {"keys": {"good": GOOD.jwk()}},
    "no key": {"keys": []},
    "a key by itself": GOOD.jwk(),
    "1,001 keys": {"keys": [GOOD.jwk()] * 1001},
}


@pytest.mark.parametrize("document", NO_KEY_SETS.values(), ids=NO_KEY_SETS)
def test_what_is_no_key_set_is_refused_whole(document):
    with pytest.raises(ValueError, match=r"^it "):
        import_keys(document)


# Which key a token means


async def test_t06_a_token_without_kid_means_the_only_key():
    async with gate(network=Network({KEYS_URL: key_set(GOOD)})) as verifier:
        assert await verdict(verifier, GOOD.token(CLAIMS, {"kid": None})) == "accepted"


async def test_keys_that_were_left_out_do_not_count_for_a_token_without_kid():
    network = Network({KEYS_URL: key_set({**RSA, "use": "enc"}, GOOD)})
    async with gate(network=network) as verifier:
        assert await verdict(verifier, GOOD.token(CLAIMS, {"kid": None})) == "accepted"


@pytest.mark.parametrize("others", [1, 2])
async def test_t06_a_token_without_kid_means_none_of_several_keys(others):
    keys = [GOOD, *(Signer(f"other-{n}") for n in range(others))]
    async with gate(network=Network({KEYS_URL: key_set(*keys)})) as verifier:
        assert await verdict(verifier, GOOD.token(CLAIMS, {"kid": None})) == "unknown_key"


async def test_a_kid_must_be_the_key_s_own_even_if_there_is_only_one_key():
    for signer in (GOOD, Signer("good", material=GOOD.private)):
        async with gate(network=Network({KEYS_URL: key_set(signer.jwk(kid=None))})) as verifier:
            assert await verdict(verifier, signer.token(CLAIMS)) == "unknown_key"


async def test_c12_why_a_key_was_left_out_is_logged_from_the_first_fetch_on_and_once(caplog):
    caplog.set_level("DEBUG", "rolecall.identity")
    published = key_set(GOOD, Signer("enc", name="good").jwk(use="enc"))
    async with gate(network=Network({KEYS_URL: published})) as verifier:
        (source,) = verifier.issuers.sources.values()
        await source.refresh()
    assert caplog.text.count("key 1: its use is not sig") == 1


async def test_k09_what_is_wrong_with_a_published_key_is_said_once(caplog):
    published = Signer("same", name="twin-0").jwk(d="AQAB"), GOOD, Signer("good", name="twin-1")
    async with gate(network=Network({KEYS_URL: key_set(*published)})) as verifier:
        (source,) = verifier.issuers.sources.values()
        await source.refresh()
    said = [record.message.partition(": ")[2] for record in caplog.records]
    assert said == [
        "key 0: it holds private members",
        "key 2: its kid is also that of another key",
    ]


@pytest.mark.parametrize("place", [0, 1, 2, 3])
async def test_k09_keys_that_share_a_kid_are_tried_in_turn(place):
    twins = [Signer("same", name=f"twin-{n}") for n in range(4)]
    async with gate(network=Network({KEYS_URL: key_set(*twins)})) as verifier:
        assert await verdict(verifier, twins[place].token(CLAIMS)) == "accepted"
        stranger = Signer("same", name="stranger")
        assert await verdict(verifier, stranger.token(CLAIMS)) == "bad_signature"


async def test_k09_at_most_four_keys_are_tried():
    twins = [Signer("same", name=f"twin-{n}") for n in range(5)]
    async with gate(network=Network({KEYS_URL: key_set(*twins)})) as verifier:
        assert await verdict(verifier, twins[4].token(CLAIMS)) == "bad_signature"


async def test_twins_of_two_algorithms_are_each_used_with_their_own():
    twins = [Signer("same", "RS256"), Signer("same", "ES256")]
    async with gate(network=Network({KEYS_URL: key_set(*twins)})) as verifier:
        for twin in twins:
            assert await verdict(verifier, twin.token(CLAIMS)) == "accepted"


# Whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=4), below),
    max_leaves=4,
)
MEMBERS = st.sampled_from(
    ["kty", "kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "d", "x5c", "other"]
)


@given(
    key=st.sampled_from([RSA, EC, OKP]),
    changes=st.dictionaries(MEMBERS, JSON, min_size=1, max_size=3),
)
def test_any_change_to_a_key_leaves_the_good_one_usable(key, changes):
    imported = import_keys(key_set({**key, **changes}, GOOD))
    assert imported.keys[-1].key_id == "good"
    assert len(imported.keys) + len(imported.skipped) == 2


@given(JSON)
def test_any_document_is_a_key_set_or_refused(document):
    for whole in (document, {"keys": document}, {"keys": [document]}):
        with pytest.raises(ValueError, match=r"^it "):
            import_keys(whole)
