"""The JOSE cookbook (RFC 7520), and its companions for RFC 7797 and RFC 8037."""

import json
from pathlib import Path

import pytest

from rolecall.config import Limits
from rolecall.core import Refusal
from rolecall.identity.guard import open_jws
from rolecall.identity.keyset import import_keys

DATA = Path(__file__).parents[1] / "data" / "jose_cookbook"
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


def example(name):
    return json.loads((DATA / name).read_text("utf-8"))


def published(key):
    """A key as its owner would publish it."""
    return {name: value for name, value in key.items() if name not in PRIVATE}


def keys_of(name):
    keys = example(name)["input"]["key"]
    return {"keys": [published(key) for key in (keys if isinstance(keys, list) else [keys])]}


SIGNED = {
    "RFC 7520 4.1, RS256": "jws/4_1.rsa_v15_signature.json",
    "RFC 7520 4.2, PS384": "jws/4_2.rsa-pss_signature.json",
    "RFC 7520 4.3, ES512": "jws/4_3.ecdsa_signature.json",
    "RFC 8037 A.4, EdDSA": "curve25519/jws.json",
}


@pytest.mark.parametrize("name", SIGNED.values(), ids=SIGNED)
def test_asymmetric_signatures_are_verified(name, verify):
    whole = example(name)
    jws = open_jws(whole["output"]["compact"].encode(), Limits())
    assert jws.algorithm == whole["input"]["alg"]
    assert jws.payload.decode() == whole["input"]["payload"]
    (key,) = import_keys(keys_of(name)).named(jws.key_id)
    assert verify(jws.algorithm, key, jws.signing_input, jws.signature)
    assert not verify(jws.algorithm, key, jws.signing_input + b"x", jws.signature)


UNREADABLE = {
    "C03 JSON serialization, flattened": ("jws/4_1.rsa_v15_signature.json", "json_flat"),
    "C03 JSON serialization, general": ("jws/4_1.rsa_v15_signature.json", "json"),
    "C03 detached content": ("jws/4_5.signature_with_detached_content.json", "compact"),
    "C03 several signatures": ("jws/4_8.multiple_signatures.json", "json"),
    "C03 C06 b64: false": ("rfc7797/4.2.hmac-sha2_b64_false.json", "json_flat"),
}


@pytest.mark.parametrize(("name", "form"), UNREADABLE.values(), ids=UNREADABLE)
def test_c03_other_serializations_are_refused(name, form):
    output = example(name)["output"][form]
    text = output if isinstance(output, str) else json.dumps(output)
    with pytest.raises(Refusal):
        open_jws(text.encode(), Limits())


@pytest.mark.parametrize("name", sorted(path.name for path in (DATA / "jwe").iterdir()))
def test_c03_t14_encrypted_tokens_are_refused(name):
    for form in ("compact", "json", "json_flat"):
        output = example(f"jwe/{name}")["output"].get(form)
        if output is not None:
            text = output if isinstance(output, str) else json.dumps(output)
            with pytest.raises(Refusal):
                open_jws(text.encode(), Limits())


def test_c03_t14_a_signed_token_within_an_encrypted_one_is_refused():
    compact = example("6.nesting_signatures_and_encryption.json")["encrypt"]["output"]["compact"]
    with pytest.raises(Refusal):
        open_jws(compact.encode(), Limits())


@pytest.mark.parametrize("name", ["jwk/3_1.ec_public_key.json", "jwk/3_3.rsa_public_key.json"])
def test_public_keys_are_imported(name):
    assert import_keys({"keys": [example(name)]}).keys


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("jwk/3_2.ec_private_key.json", "private"),
        ("jwk/3_4.rsa_private_key.json", "private"),
        ("jwk/3_5.symmetric_key_mac_computation.json", "private"),
        ("jwk/3_6.symmetric_key_encryption.json", "private"),
    ],
)
def test_c13_c14_private_and_symmetric_keys_are_left_out(name, why):
    with pytest.raises(ValueError, match=why):
        import_keys({"keys": [example(name)]})


def test_c10_t02_a_symmetric_signature_is_verified_by_nothing(verify):
    whole = example("jws/4_4.hmac-sha2_integrity_protection.json")
    jws = open_jws(whole["output"]["compact"].encode(), Limits())
    for name in SIGNED.values():
        for key in import_keys(keys_of(name)).keys:
            assert not verify(jws.algorithm, key, jws.signing_input, jws.signature)
