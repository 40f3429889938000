"""Proofs of possession (RFC 9449): who sends a bound token shows its key, at each request."""

import hashlib

import pytest

from rolecall.config import Limits
from rolecall.core import Reason, Refusal
from rolecall.identity import fingerprint
from rolecall.identity.dpop import (
    PROOF_ALGORITHMS,
    ProvenRequest,
    check_proof,
)
from rolecall.identity.nonces import SLOT

from .parts import gate
from .parts.gate import CLAIMS, ISSUER, NOW, SIGNER, settings
from .parts.proofs import HOLDER, MISSING, URL, bound, proof, public, thumbprint
from .parts.signing import Signer, b64, unb64

TOKEN = SIGNER.token({**CLAIMS, "cnf": bound()})
UNBOUND = SIGNER.token(CLAIMS)
OTHER = Signer("other-holder", "ES256")


def request(*proofs, method="POST", url=URL):
    return ProvenRequest(method, url, proofs)


def check(*proofs, jkt=None, token=TOKEN, now=NOW, **said):
    """The ``jti`` of a good proof, or the reason that a bad one is refused for."""
    try:
        return check_proof(
            request(*proofs, **said),
            token,
            jkt or thumbprint(HOLDER),
            now=now,
            limits=Limits(),
            verify=gate.VERIFY,
        ).jti
    except Refusal as refusal:
        return refusal.reason


SIGNERS = [Signer("h", algorithm) for algorithm in PROOF_ALGORITHMS]


@pytest.mark.parametrize("signer", SIGNERS, ids=PROOF_ALGORITHMS)
def test_c41_a_proof_of_any_listed_algorithm_is_good(verify, signer):
    good = proof(TOKEN, NOW, signer=signer, jti="one")
    assert check(good, jkt=thumbprint(signer)) == "one"


SAME_URL = {
    "as it is": URL,
    "with a query": f"{URL}?a=b",
    "with a fragment": f"{URL}#a",
    "with the port of its scheme": URL.replace("example/", "example:443/"),
    "in upper case": URL.replace("https://gateway.example", "HTTPS://GATEWAY.EXAMPLE"),
    "escaped without need": URL.replace("chat", "%63hat"),
}


@pytest.mark.parametrize("url", SAME_URL.values(), ids=SAME_URL)
def test_c41_a_url_may_be_written_otherwise(url):
    assert check(proof(TOKEN, NOW, jti="one", htu=url)) == "one"


@pytest.mark.parametrize("away", [-60, 0, 60, 0.5])
def test_c41_a_proof_is_of_this_minute(away):
    assert check(proof(TOKEN, NOW, jti="one", iat=NOW + away)) == "one"


def test_c41_a_truth_value_is_no_time_even_where_it_would_be_now():
    assert check(proof(TOKEN, NOW, iat=True), now=1) is Reason.INVALID_DPOP_PROOF
    assert check(proof(TOKEN, NOW, jti="one", iat=1), now=1) == "one"


def private(signer):
    number = signer.private.private_numbers().private_value
    return public(signer, d=b64(number.to_bytes(32, "big")).decode())


SECRET = b"a-published-secret-of-32-bytes!!"
BAD = {
    "another URL": {"htu": URL + "/x"},
    "a slash more": {"htu": URL + "/"},
    "another case of the path": {"htu": URL.replace("chat", "Chat")},
    "plain http": {"htu": URL.replace("https", "http")},
    "plain http at our port": {
        "htu": URL.replace("https", "http").replace("example/", "example:443/")
    },
    "another port": {"htu": URL.replace("example/", "example:8443/")},
    "port 0": {"htu": URL.replace("example/", "example:0/")},
    "another host": {"htu": URL.replace("gateway", "evil")},
    "our host as a user": {"htu": URL.replace("https://", "https://gateway.example@")},
    "a path alone": {"htu": "/v1/chat/completions"},
    "no URL": {"htu": MISSING},
    "a URL that is none": {"htu": "https://[/v1"},
    "a port that is none": {"htu": "https://gateway.example:x/v1/chat/completions"},
    "a list of URLs": {"htu": [URL]},
    "another method": {"htm": "GET"},
    "a method in lower case": {"htm": "post"},
    "no method": {"htm": MISSING},
    "another token": {"ath": b64(hashlib.sha256(UNBOUND).digest()).decode()},
    "no token": {"ath": MISSING},
    "a padded hash": {"ath": b64(hashlib.sha256(TOKEN).digest()).decode() + "="},
    "old": {"iat": NOW - 61},
    "from the future": {"iat": NOW + 61},
    "iat of the smallest int64": {"iat": -(2**63)},
    "iat beyond all numbers": {"iat": 10**400},
    "iat as text": {"iat": str(NOW)},
    "iat as a truth value": {"iat": True},
    "no iat": {"iat": MISSING},
    "no jti": {"jti": MISSING},
    "an empty jti": {"jti": ""},
    "a number as jti": {"jti": 1},
    "a long jti": {"jti": "j" * 513},
    "no typ": {"header": {"typ": None}},
    "an access token's typ": {"header": {"typ": "at+jwt"}},
    "no key": {"header": {"jwk": None}},
    "a key that is text": {"header": {"jwk": "x"}},
    "a private key": {"header": {"jwk": private(HOLDER)}},
    "a key off its curve": {"header": {"jwk": public(HOLDER, x=b64(bytes(31) + b"5").decode())}},
    "a secret": {"header": {"jwk": {"kty": "oct", "k": b64(SECRET).decode()}}},
    "no signature algorithm": {"header": {"alg": "none"}},
    "a symmetric algorithm": {"header": {"alg": "HS256"}},
    "another algorithm than the key's": {"header": {"alg": "ES384"}},
    "an algorithm that is not listed": {"signer": Signer("h", "RS512")},
    "another's signature": {"signer": OTHER, "header": {"jwk": public(HOLDER)}},
    "crit": {"header": {"crit": ["x"], "x": 1}},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD)
def test_c41_t29_a_proof_of_anything_else_is_none(verify, changes):
    assert check(proof(TOKEN, NOW, **changes)) is Reason.INVALID_DPOP_PROOF


def test_c41_t29_there_is_exactly_one_proof():
    assert check() is Reason.INVALID_DPOP_PROOF
    assert check(proof(TOKEN, NOW), proof(TOKEN, NOW)) is Reason.INVALID_DPOP_PROOF
    for text in (b"", b"x", b"a.b.c", TOKEN, proof(TOKEN, NOW) + b", " + proof(TOKEN, NOW)):
        assert check(text) is Reason.INVALID_DPOP_PROOF


def test_c41_t29_a_proof_of_another_key_than_the_token_s_is_none():
    theirs = proof(TOKEN, NOW, signer=OTHER)
    assert check(theirs) is Reason.SENDER_MISMATCH


def test_c41_t29_a_changed_signature_is_none():
    head, _, signature = proof(TOKEN, NOW).rpartition(b".")
    turned = bytes([unb64(signature)[0] ^ 1]) + unb64(signature)[1:]
    assert check(head + b"." + b64(turned)) is Reason.INVALID_DPOP_PROOF


async def outcome(verifier, token, proofs=None):
    """``accepted`` or the reason of the refusal; without proofs the token is a bearer token."""
    try:
        if proofs is None:
            await verifier.authenticate(token)
        else:
            await verifier.authenticate_bound(token, request(*proofs))
    except Refusal as refusal:
        return refusal.reason.value
    return "accepted"


@pytest.mark.parametrize(
    ("dpop", "token", "scheme", "expected"),
    [
        (None, UNBOUND, "Bearer", "accepted"),
        (None, UNBOUND, "DPoP", "sender_mismatch"),
        (None, TOKEN, "Bearer", "sender_mismatch"),
        (None, TOKEN, "DPoP", "sender_mismatch"),
        ("optional", UNBOUND, "Bearer", "accepted"),
        ("optional", UNBOUND, "DPoP", "sender_mismatch"),
        ("optional", TOKEN, "Bearer", "sender_mismatch"),
        ("optional", TOKEN, "DPoP", "accepted"),
        ("required", UNBOUND, "Bearer", "sender_mismatch"),
        ("required", UNBOUND, "DPoP", "sender_mismatch"),
        ("required", TOKEN, "Bearer", "sender_mismatch"),
        ("required", TOKEN, "DPoP", "accepted"),
    ],
)
async def test_c42_t29_token_and_scheme_go_together(dpop, token, scheme, expected):
    async with gate.gate(settings(dpop=dpop)) as verifier:
        for _ in range(2):
            proofs = [proof(token, NOW)] if scheme == "DPoP" else None
            assert await outcome(verifier, token, proofs) == expected


@pytest.mark.parametrize("cnf", [{}, {"x5t#S256": "x" * 43}, {**bound(), "x": 1}, None])
async def test_c42_a_token_that_is_bound_otherwise_is_refused(cnf):
    token = SIGNER.token({**CLAIMS, "cnf": cnf})
    async with gate.gate(settings(dpop="optional")) as verifier:
        assert await outcome(verifier, token) == "sender_mismatch"
        assert await outcome(verifier, token, [proof(token, NOW)]) == "sender_mismatch"


async def test_c42_c45_t29_a_bound_token_is_never_remembered_as_a_bearer_token():
    async with gate.gate(settings(dpop="optional")) as verifier:
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW)]) == "accepted"
        assert verifier.memory == 1
        assert verifier.remembered(fingerprint(TOKEN)) is None
        assert verifier.remembered(fingerprint(b"DPoP " + TOKEN)) is None
        assert await outcome(verifier, TOKEN) == "sender_mismatch"
        assert await outcome(verifier, TOKEN, []) == "invalid_dpop_proof"


async def test_c45_a_remembered_token_still_needs_a_proof_of_its_own():
    checked = []

    def counting(algorithm, key, *rest):
        checked.append(key.key_id)
        return gate.VERIFY(algorithm, key, *rest)

    async with gate.gate(settings(dpop="required"), verify_signature=counting) as verifier:
        for _ in range(3):
            assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW)]) == "accepted"
        assert checked == [SIGNER.kid, None, None, None]
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW, htm="GET")]) == (
            "invalid_dpop_proof"
        )


async def test_c41_t29_a_proof_is_good_once():
    async with gate.gate(settings(dpop="required")) as verifier:
        once = proof(TOKEN, NOW)
        assert await outcome(verifier, TOKEN, [once]) == "accepted"
        for later in (0, 30, 60):
            verifier.clock.now = NOW + later
            assert await outcome(verifier, TOKEN, [once]) == "invalid_dpop_proof"
        verifier.clock.now = NOW + 61
        assert await outcome(verifier, TOKEN, [once]) == "invalid_dpop_proof"
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW + 61)]) == "accepted"


async def test_c41_a_proof_that_was_refused_is_not_noted():
    async with gate.gate(settings(dpop="required")) as verifier:
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW, jti="a", htm="GET")]) == (
            "invalid_dpop_proof"
        )
        assert len(verifier.replays) == 0
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW, jti="a")]) == "accepted"


async def test_t29_a_reload_forgets_no_proof():
    once = proof(TOKEN, NOW)
    async with gate.gate(settings(dpop="required")) as former:
        assert await outcome(former, TOKEN, [once]) == "accepted"
        async with gate.gate(settings(dpop="required")) as verifier:
            verifier.adopt(former)
            assert await outcome(verifier, TOKEN, [once]) == "invalid_dpop_proof"


def nonces(**changes):
    return settings(dpop="required", dpop_nonce=True, **changes)


async def test_c43_a_proof_needs_a_nonce_where_its_issuer_wants_one():
    async with gate.gate(nonces()) as verifier:
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW)]) == "use_dpop_nonce"
        nonce = verifier.fresh_nonce()
        good = proof(TOKEN, NOW, nonce=nonce)
        assert await outcome(verifier, TOKEN, [good]) == "accepted"
        assert await outcome(verifier, TOKEN, [good]) == "invalid_dpop_proof"


async def test_c43_no_nonce_is_wanted_of_another_issuer_s_proofs():
    other = "https://other.example"
    token = SIGNER.token({**CLAIMS, "iss": other, "cnf": bound()})
    async with gate.gate(nonces(), settings(other, dpop="required")) as verifier:
        assert await outcome(verifier, token, [proof(token, NOW)]) == "accepted"
        assert await outcome(verifier, token, [proof(token, NOW, nonce="any")]) == "accepted"
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW)]) == "use_dpop_nonce"


async def test_c43_a_nonce_makes_no_other_fault_good_and_its_lack_is_told_last():
    async with gate.gate(nonces()) as verifier:
        nonce = verifier.fresh_nonce()
        for changes in ({}, {"nonce": nonce}):
            wrong = proof(TOKEN, NOW, htm="GET", **changes)
            assert await outcome(verifier, TOKEN, [wrong]) == "invalid_dpop_proof"
            theirs = proof(TOKEN, NOW, signer=OTHER, **changes)
            assert await outcome(verifier, TOKEN, [theirs]) == "sender_mismatch"


async def test_c43_a_proof_that_lacks_a_nonce_takes_no_room():
    async with gate.gate(nonces()) as verifier:
        await outcome(verifier, TOKEN, [proof(TOKEN, NOW)])
        assert len(verifier.replays) == 0


async def test_c43_t29_a_proof_that_was_made_before_its_time_is_refused():
    async with gate.gate(nonces()) as verifier:
        nonce = verifier.fresh_nonce()
        later = NOW + 3600
        ahead = proof(TOKEN, later, nonce=nonce)
        verifier.clock.now = later
        token = SIGNER.token({**CLAIMS, "exp": later + 300, "cnf": bound()})
        ahead = proof(token, later, nonce=nonce)
        assert await outcome(verifier, token, [ahead]) == "use_dpop_nonce"


async def test_c43_a_client_is_told_the_next_nonce_before_its_own_runs_out():
    async with gate.gate(nonces()) as verifier:
        nonce = verifier.fresh_nonce()
        told = []
        for _ in range(3):
            held = request(proof(TOKEN, verifier.clock.now, nonce=nonce))
            _, fresh = await verifier.authenticate_bound(TOKEN, held)
            told.append(fresh)
            nonce = fresh or nonce
            verifier.clock.now += SLOT if fresh is None else 0
        assert told[0] is None
        assert told[1] == verifier.nonces.current(NOW + SLOT)
        assert told[2] is None


async def test_c43_a_reload_keeps_the_nonces():
    async with gate.gate(nonces()) as former, gate.gate(nonces()) as verifier:
        nonce = former.fresh_nonce()
        verifier.adopt(former)
        assert await outcome(verifier, TOKEN, [proof(TOKEN, NOW, nonce=nonce)]) == "accepted"


async def test_refused_proofs_are_counted_with_their_issuer():
    async with gate.gate(settings(dpop="required")) as verifier:
        await outcome(verifier, TOKEN, [])
        await outcome(verifier, TOKEN)
        tally = dict(verifier.tallies.items())[ISSUER]
        assert tally.refused == {Reason.INVALID_DPOP_PROOF: 1, Reason.SENDER_MISMATCH: 1}
