"""Static keys: found by their hash, with roles of their own, and no way to or from a token."""

import math
import sys
from hashlib import sha256

import pytest

from rolecall.config import StaticKey
from rolecall.core import KEYS_ISSUER, Caller, Refusal, Source

from .parts.gate import CLAIMS, NOW, SIGNER, gate, refusal, verdict
from .parts.signing import Signer

KEY = "rolecall_" + "5a" * 32
MASTER = "sk-1234"


def key(secret=KEY, subject="nightly", roles=("batch",), expires=NOW + 1000.0):
    digest = sha256(secret.encode()).digest()
    return StaticKey(digest, subject, frozenset(roles), expires, Source("rolecall.yaml", 1))


async def test_a_key_is_a_caller_with_the_roles_that_stand_beside_it():
    async with gate(keys=[key()]) as verifier:
        caller = await verifier.authenticate(KEY.encode())
    assert caller == Caller(
        issuer=KEYS_ISSUER,
        subject="nightly",
        kind="workload",
        roles=frozenset({"batch"}),
        expires=NOW + 1000,
    )


async def test_a_key_s_roles_are_not_role_claims():
    """What maps the claims of tokens to roles has no say in a key's roles."""

    def complete(caller):
        pytest.fail("a static key was completed")

    async with gate(keys=[key()], complete=complete) as verifier:
        assert (await verifier.authenticate(KEY.encode())).role_claims == ()


async def test_a_master_key_is_proxy_admin_and_no_more():
    keys = [key(MASTER, "master_key", ["proxy_admin"], math.inf), key()]
    async with gate(keys=keys) as verifier:
        caller = await verifier.authenticate(MASTER.encode())
    assert (caller.subject, caller.roles) == ("master_key", {"proxy_admin"})


NOT_THE_KEY = {
    "another": KEY[:-1] + "b",
    "a part": KEY[:-1],
    "more": KEY + "a",
    "another case": KEY.upper(),
    "the prefix alone": "rolecall_",
    "its hash": sha256(KEY.encode()).hexdigest(),
    "its hash as configured": "sha256:" + sha256(KEY.encode()).hexdigest(),
    "its hash with the prefix": "rolecall_" + sha256(KEY.encode()).hexdigest(),
}


@pytest.mark.parametrize("sent", NOT_THE_KEY.values(), ids=NOT_THE_KEY)
async def test_what_is_not_the_very_key_opens_nothing(sent):
    async with gate(keys=[key()]) as verifier:
        refused = await refusal(verifier, sent.encode())
    like_a_key = sent.startswith("rolecall_")
    assert refused.reason == ("unknown_key" if like_a_key else "malformed_token")
    assert refused.status == 401


def steps(verifier, credential):
    """Every line of ours that is run about a credential, up to its refusal."""
    taken = []

    def note(frame, event, _):
        if "/rolecall/" not in frame.f_code.co_filename:
            return None
        taken.append((event, frame.f_code.co_qualname, frame.f_lineno))
        return note

    asking = verifier.authenticate(credential)
    before = sys.gettrace()
    sys.settrace(note)
    try:
        with pytest.raises(Refusal):
            asking.send(None)
    finally:
        sys.settrace(before)
    return taken


async def test_t30_a_guess_takes_the_same_steps_however_much_of_it_is_right():
    """CVE-2016-7036: what is compared from left to right tells how much was guessed."""
    guesses = [KEY[:right] + "x" * (len(KEY) - right) for right in (9, 10, 40, len(KEY) - 1)]
    async with gate(keys=[key()]) as verifier:
        first, *others = [steps(verifier, guess.encode()) for guess in guesses]
        assert len(first) > 5
        assert others == [first] * 3


@pytest.mark.parametrize(
    ("later", "expected"),
    [(0, "accepted"), (999, "accepted"), (1000, "expired"), (5000, "expired")],
)
async def test_a_key_expires_to_the_second(later, expected):
    async with gate(keys=[key()]) as verifier:
        assert await verdict(verifier, KEY.encode()) == "accepted"
        verifier.clock.now = NOW + later
        assert await verdict(verifier, KEY.encode()) == expected


async def test_a_key_that_is_remembered_expires_all_the_same():
    async with gate(keys=[key(expires=NOW + 30.0)]) as verifier:
        for later, expected in ((0, "accepted"), (29, "accepted"), (30, "expired")):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, KEY.encode()) == expected


async def test_the_bytes_of_a_key_s_hash_open_nothing():
    async with gate(keys=[key()]) as verifier:
        assert await verdict(verifier, sha256(KEY.encode()).digest()) == "malformed_token"


async def test_a_key_that_never_expires_does_not():
    async with gate(keys=[key(expires=math.inf)]) as verifier:
        verifier.clock.now = NOW * 2
        assert await verdict(verifier, KEY.encode()) == "accepted"


async def test_a_key_needs_no_issuer_and_an_issuer_no_key():
    async with gate(keys=[key()]) as verifier:
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
    async with gate() as verifier:
        assert await verdict(verifier, KEY.encode()) == "unknown_key"


async def test_a_failed_token_is_not_tried_as_a_key_nor_a_failed_key_as_a_token():
    forged = Signer(name="attacker").token(CLAIMS)
    async with gate(keys=[key()]) as verifier:
        assert await verdict(verifier, forged) == "bad_signature"
        assert await verdict(verifier, KEY.encode() + b"." + forged) == "unknown_key"
        assert verifier.network.fetched == [verifier.network.fetched[0]]


async def test_no_token_can_claim_to_be_of_the_keys_issuer():
    token = SIGNER.token({**CLAIMS, "iss": KEYS_ISSUER})
    async with gate(keys=[key()]) as verifier:
        assert await verdict(verifier, token) == "unknown_issuer"
