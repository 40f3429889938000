"""A token becomes a caller, or a refusal that says why and gives nothing away."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config import KeysFrom
from rolecall.core import STATUS, Caller, Refusal

from .parts.gate import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    KEYS_URL,
    NOW,
    SIGNER,
    Network,
    gate,
    refusal,
    settings,
    verdict,
)
from .parts.signing import Signer, b64, bare, key_set

OTHER = "https://other.example"
OTHER_KEYS_URL = "https://other.example/keys"
THEIRS = Signer("k1", name="theirs")


async def test_where_the_key_is_known_nobody_waits():
    async with gate() as verifier:
        with pytest.raises(StopIteration) as ended:
            verifier.authenticate(SIGNER.token(CLAIMS)).send(None)
    assert ended.value.value.subject == "john"


async def test_a_good_token_becomes_a_caller():
    claims = {
        **CLAIMS,
        "client_id": "chat-ui",
        "roles": ["user"],
        "groups": ["/ml"],
        "scope": "a b",
    }
    async with gate() as verifier:
        caller = await verifier.authenticate(SIGNER.token(claims))
    (role,) = caller.role_claims
    assert (role.path, role.value) == (("roles",), "user")
    assert caller == Caller(
        issuer=ISSUER,
        subject="john",
        client="chat-ui",
        kind="person",
        role_claims=(role,),
        scopes=frozenset({"a", "b"}),
        groups=frozenset({"/ml"}),
        claims=claims,
        expires=NOW + 300,
    )


def changed(header=None, **claims):
    return SIGNER.token({**CLAIMS, **claims}, header)


REASONS = {
    "no token": (b"secret", "malformed_token"),
    "a kid that is no string": (changed({"kid": 1}), "malformed_token"),
    "an extension": (changed({"crit": ["exp"]}), "malformed_token"),
    "a stranger's token": (changed(iss="https://evil.example"), "unknown_issuer"),
    "an unknown key": (changed({"kid": "other"}), "unknown_key"),
    "another's signature": (Signer(name="attacker").token(CLAIMS), "bad_signature"),
    "no signature at all": (bare({"alg": "none"}, CLAIMS, b"x"), "algorithm_not_allowed"),
    "another algorithm": (changed({"alg": "RS256"}), "algorithm_not_allowed"),
    "too old": (changed(exp=NOW - 60), "expired"),
    "too early": (changed(nbf=NOW + 61), "not_yet_valid"),
    "issued later": (changed(iat=NOW + 61), "not_yet_valid"),
    "for another": (changed(aud="another-api"), "wrong_audience"),
    "a logout token": (changed({"typ": "logout+jwt"}), "wrong_token_kind"),
    "an ID token": (changed(nonce="n-0S6_WzA2Mj"), "wrong_token_kind"),
    "bound to a key": (changed(cnf={"jkt": "thumbprint"}), "sender_mismatch"),
    "an exp that is none": (changed(exp="tomorrow"), "invalid_claim"),
    "nobody's": (changed(sub=""), "invalid_claim"),
}


@pytest.mark.parametrize(("token", "reason"), REASONS.values(), ids=REASONS)
async def test_each_fault_has_its_reason(token, reason):
    async with gate() as verifier:
        refused = await refusal(verifier, token)
    assert refused.reason == reason
    assert refused.status == 401
    assert refused.message.endswith(".")
    assert "\n" not in refused.message


async def test_an_issuer_without_keys_is_no_fault_of_the_token():
    async with gate(network=Network({})) as verifier:
        refused = await refusal(verifier, SIGNER.token(CLAIMS))
    assert (refused.reason, refused.status) == ("issuer_unavailable", 503)


LOUD = "<script>\r\n\x1b[31mloud' OR 1=1 --"
SAID = {
    "kid": changed({"kid": LOUD}),
    "alg": changed({"alg": LOUD}),
    "typ": changed({"typ": LOUD}),
    "iss": changed(iss=LOUD),
    "aud": changed(aud=LOUD),
    "aud in a list": changed(aud=[LOUD, 1]),
    "sub": changed(sub=[LOUD]),
    "exp": changed(exp=LOUD),
    "azp": changed(azp={LOUD: LOUD}),
    "token_use": changed(token_use="id", nonce=LOUD),
    "a name twice": SIGNER.token(
        f'{{"iss":{json.dumps(LOUD)},{json.dumps(LOUD)}:1,{json.dumps(LOUD)}:2}}'.encode()
    ),
    "a header's name twice": SIGNER.token(
        CLAIMS, f'{{{json.dumps(LOUD)}:1,{json.dumps(LOUD)}:2,"alg":"ES256"}}'.encode()
    ),
    "no JSON": SIGNER.token(LOUD.encode()),
    "no base64": LOUD.encode(),
}


@pytest.mark.parametrize("token", SAID.values(), ids=SAID)
async def test_nothing_of_the_token_stands_in_a_refusal_or_in_the_log(token, caplog):
    caplog.set_level("DEBUG")
    async with gate() as verifier:
        refused = await refusal(verifier, token)
    for text in (refused.message, caplog.text):
        for word in ("script", "loud", "OR 1=1", "\r", "\x1b", "\\r", "\\u001b"):
            assert word not in text


KEY_IDS = [
    "../../../../dev/null",
    "file:///dev/null",
    "https://evil.example/keys",
    "' UNION SELECT 'secret' --",
    "k1\x00",
    "k1 ",
    " k1",
    "K1",
    "k1/../k1",
    "%6b1",
    "\uff4b1",
    "k\u200b1",
    "k" * 512,
    "$(id)",
    "{k1}",
    "*",
]


@pytest.mark.parametrize("key_id", KEY_IDS)
async def test_c08_t05_a_kid_is_compared_and_nothing_else(key_id):
    async with gate() as verifier:
        assert await verdict(verifier, changed({"kid": key_id})) == "unknown_key"
        assert set(verifier.network.fetched) == {KEYS_URL}


# Two issuers: first the issuer, then the key


def two_issuers(**changes):
    network = Network({KEYS_URL: key_set(SIGNER), OTHER_KEYS_URL: key_set(THEIRS)})
    other = settings(OTHER, keys=KeysFrom(jwks_url=OTHER_KEYS_URL), **changes)
    return gate(settings(), other, network=network)


async def test_c16_t27_issuers_that_use_the_same_kid_are_kept_apart():
    async with two_issuers() as verifier:
        ours = await verifier.authenticate(SIGNER.token(CLAIMS))
        theirs = await verifier.authenticate(THEIRS.token({**CLAIMS, "iss": OTHER}))
        assert (ours.issuer, theirs.issuer) == (ISSUER, OTHER)


async def test_c16_t27_an_issuer_cannot_speak_for_another():
    async with two_issuers() as verifier:
        assert await verdict(verifier, THEIRS.token(CLAIMS)) == "bad_signature"
        assert await verdict(verifier, SIGNER.token({**CLAIMS, "iss": OTHER})) == "bad_signature"


async def test_c16_t27_a_key_is_sought_in_the_issuer_s_own_set_alone():
    only_theirs = Signer("only-theirs")
    async with two_issuers() as verifier:
        verifier.network.documents[OTHER_KEYS_URL] = key_set(THEIRS, only_theirs)
        assert await verdict(verifier, only_theirs.token(CLAIMS)) == "unknown_key"
        theirs = only_theirs.token({**CLAIMS, "iss": OTHER})
        assert await verdict(verifier, theirs) == "accepted"


async def test_each_issuer_has_its_own_audience_algorithms_and_leeway():
    async with two_issuers(audience=("theirs",), algorithms=("ES256",), leeway=0) as verifier:
        theirs = {**CLAIMS, "iss": OTHER, "aud": "theirs"}
        assert await verdict(verifier, THEIRS.token(theirs)) == "accepted"
        assert (
            await verdict(verifier, THEIRS.token({**theirs, "aud": AUDIENCE})) == "wrong_audience"
        )
        assert await verdict(verifier, THEIRS.token({**theirs, "exp": NOW})) == "expired"
        rsa = THEIRS.token(theirs, {"alg": "RS256"})
        assert await verdict(verifier, rsa) == "algorithm_not_allowed"
        assert await verdict(verifier, SIGNER.token({**CLAIMS, "exp": NOW})) == "accepted"


async def test_c25_the_same_subject_of_two_issuers_is_two_callers():
    async with two_issuers() as verifier:
        ours = await verifier.authenticate(SIGNER.token(CLAIMS))
        theirs = await verifier.authenticate(THEIRS.token({**CLAIMS, "iss": OTHER}))
    assert (ours.issuer, ours.subject) != (theirs.issuer, theirs.subject)


async def test_c25_a_client_that_is_named_as_a_person_is_another_caller():
    """RFC 9700 4.15: who can name a client freely could name it like somebody else."""
    async with gate() as verifier:
        person = await verifier.authenticate(SIGNER.token({**CLAIMS, "client_id": "ui"}))
        client = await verifier.authenticate(SIGNER.token({**CLAIMS, "client_id": "john"}))
    assert (person.subject, client.subject) == ("john", "john")
    assert person.identity == (ISSUER, "person", "john")
    assert client.identity == (ISSUER, "workload", "john")


# Whatever comes

FULL = {**CLAIMS, "roles": ["user"], "azp": "chat-ui", "groups": ["/ml/research"]}
SIGNERS = [SIGNER, Signer("k2", "RS256"), Signer("k3", "EdDSA")]


@pytest.mark.parametrize("signer", SIGNERS, ids=lambda signer: signer.algorithm)
async def test_a_token_of_which_any_byte_is_changed_is_refused(signer):
    token = signer.token(FULL)
    async with gate(network=Network({KEYS_URL: key_set(*SIGNERS)})) as verifier:
        assert await verdict(verifier, token) == "accepted"
        for place, byte in enumerate(token):
            for other in {byte ^ 1, byte ^ 32, byte ^ 128, *b"A_."}:
                if other != byte:
                    mutant = token[:place] + bytes([other]) + token[place + 1 :]
                    refused = await refusal(verifier, mutant)
                    assert refused.status == 401


async def test_a_token_of_which_any_byte_is_missing_or_doubled_is_refused():
    token = SIGNER.token(FULL)
    async with gate() as verifier:
        for place in range(len(token)):
            await refusal(verifier, token[:place])
            await refusal(verifier, token[place + 1 :])
            await refusal(verifier, token[:place] + token[place + 1 :])
            await refusal(verifier, token[: place + 1] + token[place:])
            await refusal(verifier, token[:place] + b"A" + token[place:])


async def test_parts_of_two_good_tokens_make_no_third():
    one, two = (SIGNER.token({**FULL, "sub": sub}).split(b".") for sub in ("john", "jane"))
    mixed = [b".".join(parts) for parts in ((one[0], one[1], two[2]), (one[0], two[1], one[2]))]
    async with gate() as verifier:
        for token in mixed:
            assert await verdict(verifier, token) == "bad_signature"


PIECES = st.lists(
    st.sampled_from(
        [*SIGNER.token(FULL).split(b"."), b".", b"", b64(b"{}"), b64(b'{"alg":"none"}')]
    )
    | st.binary(max_size=8),
    max_size=7,
).map(b"".join)
# a word of our own sentences, which Hypothesis knows from our code, would seem to be revealed
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).filter(
    lambda text: not (text.isascii() and text.isalpha() and len(text) > 4)
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("abz", max_size=3), below),
    max_leaves=4,
)
HEADER_NAMES = ["typ", "cty", "crit", "jwk", "jku", "x5u", "zip", "other"]
CLAIM_NAMES = [
    *("exp", "nbf", "iat", "aud", "sub", "jti", "typ", "azp", "client_id", "token_use", "nonce"),
    *("at_hash", "events", "cnf", "roles", "groups", "scope", "scp", "idtyp", "preferred_username"),
    *("appid", "cid"),
]

VERDICTS = {"accepted", *(reason.value for reason, status in STATUS.items() if status == 401)}


@given(token=PIECES)
async def test_no_heap_of_pieces_is_let_in(token):
    async with gate() as verifier:
        if token != SIGNER.token(FULL):
            refused = await refusal(verifier, token)
            assert refused.status == 401


@pytest.mark.parametrize("profile", ["generic", "keycloak", "entra"])
@given(
    header=st.dictionaries(st.sampled_from(HEADER_NAMES), VALUES, max_size=2),
    claims=st.dictionaries(st.sampled_from(CLAIM_NAMES), VALUES, max_size=4),
)
async def test_whatever_an_issuer_signs_is_a_caller_or_a_refusal(profile, header, claims):
    async with gate(settings(profile=profile)) as verifier:
        for whole in ({**CLAIMS, "typ": "Bearer", "azp": "ui"}, CLAIMS):
            token = SIGNER.token({**whole, **claims}, header)
            assert await verdict(verifier, token) in VERDICTS


# What an issuer signs that is no token of a caller

STATEMENT = {"iss": ISSUER, "anything": [1]}
NO_STATEMENTS = {
    "forged": (Signer("k1", name="attacker").token(STATEMENT), "bad_signature"),
    "of a key that nobody publishes": (Signer("k9").token(STATEMENT), "unknown_key"),
    "not signed": (bare({"alg": "none", "kid": "k1"}, STATEMENT, b"s"), "algorithm_not_allowed"),
    "of nobody": (SIGNER.token({}), "unknown_issuer"),
    "of somebody else": (SIGNER.token({"iss": f"{ISSUER}/"}), "unknown_issuer"),
    "no JWT": (b"opaque", "malformed_token"),
}


async def test_c16_what_an_issuer_has_signed_is_its_own_word():
    async with gate() as verifier:
        presented, issuer = await verifier.statement(SIGNER.token(STATEMENT))
    assert (presented.claims, issuer.issuer) == (STATEMENT, ISSUER)


@pytest.mark.parametrize(("token", "reason"), NO_STATEMENTS.values(), ids=NO_STATEMENTS)
async def test_c16_t27_nobody_else_speaks_for_an_issuer(token, reason):
    async with gate() as verifier:
        with pytest.raises(Refusal) as caught:
            await verifier.statement(token)
    assert caught.value.reason == reason


async def test_c30_a_banned_key_signs_no_statement():
    async with gate(settings(banned_keys=frozenset({"k1"}))) as verifier:
        with pytest.raises(Refusal) as caught:
            await verifier.statement(SIGNER.token(STATEMENT))
    assert caught.value.reason == "revoked"
