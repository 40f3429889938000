"""What is remembered of a token: all of it, for a minute at most, and not against its key."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Caller
from rolecall.identity.payload import Payload
from rolecall.identity.signature import verify
from rolecall.identity.tally import Tally
from rolecall.identity.verdicts import LONGEST, Verdict, Verdicts

from .parts.gate import CLAIMS, ISSUER, NOW, SIGNER, Clock, gate, verdict

ROOMY = 1 << 20
JOHN = Caller(ISSUER, "john", expires=NOW + 300)


def of_john(key="key", life=LONGEST):
    return Verdict(JOHN, NOW + life, key)


def remembering(life=LONGEST, token=b"token"):
    verdicts = Verdicts(8, ROOMY)
    verdicts.remember(token, of_john(life=life), Tally(), NOW)
    return verdicts


@pytest.mark.parametrize(
    ("life", "later", "found"),
    [
        (60, 0, True),
        (60, 59.5, True),
        (60, 60, False),
        (60, 299, False),
        (30, 29.5, True),
        (30, 30, False),
        (0, 0, False),
        (-30, 0, False),
    ],
)
def test_a_verdict_is_believed_as_long_as_it_says(life, later, found):
    assert remembering(life).find(b"token", NOW + later) == (JOHN if found else None)


@pytest.mark.parametrize("life", [0, -30])
def test_a_verdict_that_is_over_already_takes_no_room(life):
    assert len(remembering(life)) == 0


def test_k11_tokens_that_begin_alike_are_not_alike():
    """CVE-2026-35030: a cache whose key was the first 20 characters."""
    verdicts = remembering(token=b"A" * 20 + b"john")
    for other in (b"A" * 20, b"A" * 20 + b"jane", b"A" * 20 + b"john ", b"B" + b"A" * 19 + b"john"):
        assert verdicts.find(other, NOW) is None


@given(one=st.binary(), other=st.binary())
def test_k11_a_verdict_is_found_by_the_very_same_bytes_alone(one, other):
    assert remembering(token=one).find(other, NOW) == (JOHN if one == other else None)


def test_the_oldest_verdict_makes_room():
    verdicts = Verdicts(3, ROOMY)
    for name in (b"a", b"b", b"c", b"a", b"d"):
        verdicts.remember(name, of_john(), Tally(), NOW)
    remembered = {name for name in (b"a", b"b", b"c", b"d") if verdicts.find(name, NOW)}
    assert remembered == {b"a", b"c", b"d"}


def test_a_thousand_tokens_take_the_room_of_the_limit():
    verdicts = Verdicts(100, ROOMY)
    names = [str(number).encode() for number in range(1000)]
    for name in names:
        verdicts.remember(name, of_john(), Tally(), NOW)
    assert [name for name in names if verdicts.find(name, NOW)] == names[900:]


def test_long_tokens_take_no_more_room_than_short_ones():
    verdicts = Verdicts(100, most_bytes=1000)
    names = [bytes([number]) * 300 for number in range(10)]
    for name in names:
        verdicts.remember(name, of_john(), Tally(), NOW)
    assert [name for name in names if verdicts.find(name, NOW)] == names[-3:]
    # what was said of an opaque token counts, and not its own length
    verdicts.remember(b"opaque", replace(of_john(), size=900), Tally(), NOW)
    assert len(verdicts) == 1
    # one that has no room at all takes none from the others
    verdicts.remember(b"x" * 1001, of_john(), Tally(), NOW)
    assert verdicts.find(b"opaque", NOW) == JOHN
    assert len(verdicts) == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["one", "two"]), st.booleans())))
def test_room_is_given_back_whatever_happens(steps):
    verdicts = Verdicts(5, most_bytes=40)
    for number, key, forget in steps:
        if forget:
            verdicts.forget(frozenset({key}))
        else:
            verdicts.remember(bytes(number) + b"x", of_john(key), Tally(), NOW)
        assert verdicts._bytes == sum(entry.size for entry in verdicts._verdicts.values())
        assert len(verdicts) <= 5
        assert verdicts._bytes <= 40


def test_what_a_key_has_signed_is_forgotten_with_the_key():
    verdicts = Verdicts(8, ROOMY)
    for key in ("one", "two", "three"):
        verdicts.remember(key.encode(), of_john(key), Tally(), NOW)
    verdicts.forget(frozenset({"one", "three", "never seen"}))
    assert [verdicts.find(key, NOW) for key in (b"one", b"two", b"three")] == [None, JOHN, None]


def test_of_what_a_token_says_its_text_is_remembered():
    said = {"sub": "john", "sid": "1", "roles": ["gold"]}
    claims = Payload(json.dumps(said).encode(), said)
    verdicts = Verdicts(8, ROOMY)
    verdicts.remember(
        b"token", replace(of_john(), caller=replace(JOHN, claims=claims)), Tally(), NOW
    )
    assert claims["roles"] is not said["roles"]
    read = claims["roles"]
    # whoever asks for a claim of all of them leaves them as they were
    verdicts.forget_callers(lambda caller: caller.claims["sid"] == "2")
    assert claims["roles"] is not read
    found = verdicts.find(b"token", NOW)
    assert found is not None
    assert found.claims == said


# Seen through the verifier


class Counting:
    """The signature step, counted."""

    def __init__(self):
        self.count = 0

    def __call__(self, algorithm, key, signing_input, signature):
        self.count += 1
        return verify(algorithm, key, signing_input, signature)


async def test_a_token_is_verified_once_a_minute():
    counting = Counting()
    token = SIGNER.token(CLAIMS)
    async with gate(verify_signature=counting) as verifier:
        for later, count in ((0, 1), (30, 1), (59.5, 1), (60, 2), (119.5, 2), (120, 3)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, token) == "accepted"
            assert counting.count == count


async def test_a_remembered_token_expires_like_any_other():
    token = SIGNER.token({**CLAIMS, "exp": NOW + 30})
    async with gate() as verifier:
        for later, expected in ((0, "accepted"), (89.5, "accepted"), (90, "expired")):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, token) == expected


async def test_a_token_in_its_leeway_is_verified_each_time():
    counting = Counting()
    token = SIGNER.token({**CLAIMS, "exp": NOW - 10})
    async with gate(verify_signature=counting) as verifier:
        for count in (1, 2, 3):
            assert await verdict(verifier, token) == "accepted"
            assert counting.count == count


async def test_a_refused_token_is_not_remembered():
    token = SIGNER.token({**CLAIMS, "nbf": NOW + 61})
    async with gate(clock=Clock()) as verifier:
        assert await verdict(verifier, token) == "not_yet_valid"
        verifier.clock.now = NOW + 1
        assert await verdict(verifier, token) == "accepted"


async def test_k11_a_remembered_token_lends_nothing_to_its_likes():
    token = SIGNER.token(CLAIMS)
    signing_input, _, signature = token.rpartition(b".")
    async with gate() as verifier:
        assert await verdict(verifier, token) == "accepted"
        other = SIGNER.token({**CLAIMS, "sub": "jane"})
        assert (await verifier.authenticate(other)).subject == "jane"
        assert (await verifier.authenticate(token)).subject == "john"
        assert await verdict(verifier, token[:20]) == "malformed_token"
        assert await verdict(verifier, signing_input + b".AAAA") == "bad_signature"
        stolen = other.rpartition(b".")[0] + b"." + signature
        assert await verdict(verifier, stolen) == "bad_signature"


async def test_callers_who_hold_the_same_share_it():
    said = {**CLAIMS, "roles": ["gold", "silver"], "groups": ["/ml"], "scope": "openid email"}
    async with gate() as verifier:
        one = await verifier.authenticate(SIGNER.token(said))
        other = await verifier.authenticate(SIGNER.token({**said, "sub": "jane"}))
    assert one.subject != other.subject
    for name in ("role_claims", "groups", "scopes", "teams"):
        assert getattr(one, name) is getattr(other, name), name
