"""What is remembered stays within its bounds, and no flood of bad tokens pushes out a good one."""

from dataclasses import replace

import pytest

from rolecall.config import Client, KeysFrom, Limits, Opaque
from rolecall.core import Refusal
from rolecall.identity import ProvenRequest

from .parts import proofs
from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    NOW,
    SIGNER,
    Clock,
    Network,
    gate,
    key_set,
    settings,
    verdict,
)
from .parts.signing import Signer

SMALL = Limits(remembered_tokens=64, refused_tokens=64, unknown_keys=16, proofs=64)
GOOD = [SIGNER.token({**CLAIMS, "sub": f"user-{number}"}) for number in range(50)]
BASIC = Client("client_secret_basic", CLIENT_ID, SECRET)
STRANGER = Signer(name="attacker")
OPAQUE = "https://opaque.example.com"
ACTIVE = {"active": True, "iss": OPAQUE, "sub": "ada", "aud": AUDIENCE, "exp": NOW + 300}

FLOODS = {
    "a forged signature": lambda n: STRANGER.token({**CLAIMS, "jti": f"{n}"}),
    "an unknown key": lambda n: SIGNER.token(CLAIMS, {"kid": f"random-{n}"}),
    "an unknown issuer": lambda n: SIGNER.token({**CLAIMS, "iss": f"https://{n}.example"}),
    "expired": lambda n: SIGNER.token({**CLAIMS, "exp": NOW - 100 - n}),
    "another audience": lambda n: SIGNER.token({**CLAIMS, "aud": f"{n}"}),
    "another header each": lambda n: STRANGER.token(CLAIMS, {"n": n}),
    "no token at all": lambda n: b"%d.." % n,
    "opaque": lambda n: b"made-up-%d" % n,
}


def sizes(verifier):
    """How much each table holds, beside its bound."""
    (opaque,) = verifier.issuers.opaque
    return {
        "remembered": (verifier.memory, SMALL.remembered_tokens),
        "refused": (len(opaque._refused), SMALL.refused_tokens),
        "known": (len(opaque._known), SMALL.remembered_tokens),
        "proofs": (len(verifier.replays), SMALL.proofs),
        **{
            f"unknown keys of {place}": (len(source._unknown), SMALL.unknown_keys)
            for place, source in verifier.issuers.sources.items()
        },
    }


def within(verifier):
    return {what: found for what, found in sizes(verifier).items() if found[0] > found[1]} == {}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_a_flood_of_bad_tokens_leaves_those_that_are_remembered_alone(flood):
    async with authorization_server() as server:
        asked = Opaque(endpoint=server.introspection, client=BASIC, negative_ttl=60)
        opaque = settings(OPAQUE, keys=KeysFrom(), opaque=asked)
        async with gate(settings(), opaque, limits=SMALL) as verifier:
            for token in GOOD:
                assert await verdict(verifier, token) == "accepted"
            tally = verifier.tallies.of(ISSUER)
            before = tally.remembered
            for number in range(200):
                assert await verdict(verifier, flood(number)) != "accepted"
                assert within(verifier)
            for token in GOOD:
                assert await verdict(verifier, token) == "accepted"
            assert tally.remembered == before + len(GOOD)
            assert tally.accepted == len(GOOD)


async def test_a_flood_of_unknown_keys_does_not_hide_a_new_key():
    network, clock = Network({}), Clock()
    network.documents = {settings().keys.jwks_url: key_set(SIGNER)}
    keys = replace(settings().keys, unknown_key_cooldown=1)
    async with gate(settings(keys=keys), network=network, clock=clock, limits=SMALL) as verifier:
        (source,) = verifier.issuers.sources.values()
        source._clock = clock
        for number in range(100):
            clock.now = NOW + number
            await verdict(verifier, SIGNER.token(CLAIMS, {"kid": f"random-{number}"}))
        assert len(source._unknown) == SMALL.unknown_keys
        later = Signer("k2")
        network.documents = {settings().keys.jwks_url: key_set(SIGNER, later)}
        clock.now = NOW + 101
        assert await verdict(verifier, later.token(CLAIMS)) == "accepted"


async def test_good_tokens_take_the_room_of_good_ones_alone():
    async with gate(limits=SMALL) as verifier:
        for number in range(200):
            assert await verdict(verifier, SIGNER.token({**CLAIMS, "jti": f"{number}"})) == (
                "accepted"
            )
            assert verifier.memory <= SMALL.remembered_tokens
        assert verifier.memory == SMALL.remembered_tokens


async def test_long_tokens_take_the_bytes_of_all_and_no_more():
    limits = Limits(remembered_bytes=1 << 20)
    async with gate(limits=limits) as verifier:
        long = [SIGNER.token({**CLAIMS, "x": f"{number}" * 5000}) for number in range(100, 300)]
        for token in long:
            await verdict(verifier, token)
        assert verifier.memory < (1 << 20) / len(long[0]) + 1
        assert verifier._verdicts._bytes <= 1 << 20


async def test_each_issuer_has_its_own_room_for_refused_tokens():
    async with authorization_server() as server:
        one = Opaque(endpoint=server.introspection, client=BASIC, prefix="a_", negative_ttl=60)
        issuers = [
            settings(f"https://{name}.example", keys=KeysFrom(), opaque=replace(one, prefix=name))
            for name in ("a_", "b_")
        ]
        async with gate(*issuers, limits=SMALL) as verifier:
            await verdict(verifier, b"a_0")
            for number in range(200):
                await verdict(verifier, b"b_%d" % number)
            asked = len(server.asked)
            assert await verdict(verifier, b"a_0") == "revoked"
            assert len(server.asked) == asked


# Through a reload


async def test_a_reload_with_less_room_keeps_to_it_from_then_on():
    large = Limits()
    async with authorization_server() as server:
        server.tokens = {f"good-{n}": {**ACTIVE, "sub": f"user-{n}"} for n in range(100)}
        opaque = Opaque(endpoint=server.introspection, client=BASIC, ttl=60)
        both = settings(), settings(OPAQUE, keys=KeysFrom(), opaque=opaque)
        async with gate(*both, limits=large) as former, gate(*both, limits=SMALL) as verifier:
            for name in server.tokens:
                assert await verdict(former, name.encode()) == "accepted"
            verifier.adopt(former)
            assert within(verifier)
            # those that were good last are known to have been
            (now,) = verifier.issuers.opaque
            (before,) = former.issuers.opaque
            assert list(now._known) == list(before._known)[-SMALL.remembered_tokens :]


async def test_a_reload_with_less_room_for_proofs_refuses_new_ones_and_forgets_none():
    bound = settings(dpop="required")
    token = SIGNER.token({**CLAIMS, "cnf": proofs.bound()})
    sent = [proofs.proof(token, NOW) for _ in range(8)]

    async def outcome(verifier, proof):
        request = ProvenRequest("POST", proofs.URL, (proof,))
        try:
            await verifier.authenticate_bound(token, request)
        except Refusal as refusal:
            return refusal.reason.value
        return "accepted"

    async with gate(bound) as former:
        for proof in sent[:5]:
            assert await outcome(former, proof) == "accepted"
        async with gate(bound, limits=Limits(proofs=3)) as verifier:
            verifier.adopt(former)
            for proof in sent[:5]:
                assert await outcome(verifier, proof) == "invalid_dpop_proof"
            assert await outcome(verifier, sent[5]) == "rate_limit_exceeded"
            # those that began before the reload note theirs in the same place
            assert await outcome(former, sent[0]) == "invalid_dpop_proof"
            async with gate(bound, limits=Limits(proofs=6)) as roomier:
                roomier.adopt(verifier)
                assert await outcome(roomier, sent[5]) == "accepted"
                assert await outcome(roomier, sent[6]) == "rate_limit_exceeded"
                assert await outcome(roomier, sent[0]) == "invalid_dpop_proof"
