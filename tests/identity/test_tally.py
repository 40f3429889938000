"""What is counted: each look at a credential once, for the issuer that it belongs to."""

from hashlib import sha256

import pytest

from rolecall.config import KeysFrom, StaticKey
from rolecall.core import KEYS_ISSUER, Source
from rolecall.identity.tally import NOBODY, Tallies, Tally

from .parts.gate import CLAIMS, ISSUER, NOW, SIGNER, Network, gate, settings, verdict
from .parts.signing import Signer, key_set

OTHER = "https://other.example"
KEY = StaticKey(
    sha256(b"rolecall_k").digest(), "s", frozenset({"r"}), NOW + 10.0, Source("gw.yaml", 1)
)


def counted(verifier):
    return {
        issuer: (tally.accepted, tally.remembered, dict(tally.refused))
        for issuer, tally in verifier.tallies.items()
        if tally != Tally()
    }


CASES = {
    "good once": ([SIGNER.token(CLAIMS)], {ISSUER: (1, 0, {})}),
    "good again and again": ([SIGNER.token(CLAIMS)] * 5, {ISSUER: (1, 4, {})}),
    "forged": ([Signer(name="x").token(CLAIMS)] * 2, {ISSUER: (0, 0, {"bad_signature": 2})}),
    "of another algorithm": (
        [Signer("k1", "RS256").token(CLAIMS)],
        {ISSUER: (0, 0, {"algorithm_not_allowed": 1})},
    ),
    "expired and for another": (
        [SIGNER.token({**CLAIMS, "exp": 1}), SIGNER.token({**CLAIMS, "aud": "x"})],
        {ISSUER: (0, 0, {"expired": 1, "wrong_audience": 1})},
    ),
    "of no issuer": (
        [SIGNER.token({**CLAIMS, "iss": "https://evil.example/x"}), b"junk", b""],
        {NOBODY: (0, 0, {"unknown_issuer": 1, "malformed_token": 2})},
    ),
    "an issuer that is down": (
        [SIGNER.token({**CLAIMS, "iss": OTHER})],
        {OTHER: (0, 0, {"issuer_unavailable": 1})},
    ),
    "a static key": ([b"rolecall_k"] * 3, {KEYS_ISSUER: (1, 2, {})}),
    "a static key that is none": ([b"rolecall_x"], {KEYS_ISSUER: (0, 0, {"unknown_key": 1})}),
}


@pytest.mark.parametrize(("tokens", "expected"), CASES.values(), ids=CASES)
async def test_every_credential_is_counted_where_it_belongs(tokens, expected):
    issuers = (
        settings(algorithms=("ES256",)),
        settings(OTHER, keys=KeysFrom(jwks_url=f"{OTHER}/keys")),
    )
    async with gate(*issuers, keys=[KEY]) as verifier:
        for token in tokens:
            await verdict(verifier, token)
        assert counted(verifier) == expected


async def test_counts_go_on_when_the_configuration_is_reloaded():
    network = Network({settings().keys.jwks_url: key_set(SIGNER)})
    async with gate(network=network) as former, gate(network=network, started=False) as verifier:
        await verdict(former, SIGNER.token(CLAIMS))
        (before,) = former.issuers.sources.values()
        verifier.adopt(former)
        # a request that began with the former generation
        await verdict(former, SIGNER.token({**CLAIMS, "sub": "late"}))
        await verdict(verifier, SIGNER.token({**CLAIMS, "sub": "new"}))
        assert counted(verifier) == {ISSUER: (3, 0, {})}
        (after,) = verifier.issuers.sources.values()
        assert after.fetches is before.fetches


async def test_no_issuer_that_somebody_made_up_takes_room():
    async with gate() as verifier:
        for number in range(100):
            await verdict(verifier, SIGNER.token({**CLAIMS, "iss": f"https://{number}.example"}))
        assert [issuer for issuer, _ in verifier.tallies.items()] == [NOBODY]


def test_each_issuer_has_one_tally():
    tallies = Tallies()
    assert tallies.of("a") is tallies.of("a")
    assert tallies.of("a") is not tallies.of("b")
