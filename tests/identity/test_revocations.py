"""What is revoked is refused from the next request on, whoever was remembered."""

from hashlib import sha256

import pytest

from rolecall.config import StaticKey
from rolecall.core import KEYS_ISSUER, Caller, Revocation, Source
from rolecall.identity import fingerprint
from rolecall.identity.revocations import Revocations

from .parts.gate import CLAIMS, ISSUER, KEYS_URL, NOW, SIGNER, Network, gate, settings, verdict
from .parts.signing import Signer, key_set

OTHER = "https://other.example"
HERS = {
    **CLAIMS,
    "sub": "jane",
    "jti": "t1",
    "sid": "s1",
    "azp": "chat-ui",
    "client_id": "chat-ui",
}
ISSUED = HERS["iat"]

CONCERNED = {
    "its jti": {"jti": "t1"},
    "its session": {"sid": "s1"},
    "its subject": {"sub": "jane"},
    "its client": {"client": "chat-ui"},
    "issued before": {"issued_before": ISSUED + 1},
    "its subject, issued before": {"sub": "jane", "issued_before": ISSUED + 0.5},
    "all of its names": {"jti": "t1", "sid": "s1", "sub": "jane", "client": "chat-ui"},
}
NOT_CONCERNED = {
    "another jti": {"jti": "t2"},
    "the jti as a session": {"sid": "t1"},
    "the subject as a client": {"client": "jane"},
    "another case": {"sub": "Jane"},
    "an empty name": {"jti": ""},
    "issued at that moment": {"issued_before": ISSUED},
    "its subject, issued after": {"sub": "jane", "issued_before": ISSUED - 100},
    "its session, another's subject": {"sid": "s1", "sub": "john"},
    "its subject at another client": {"sub": "jane", "client": "batch"},
    "its subject at another issuer": {"issuer": OTHER, "sub": "jane"},
    "all of another issuer": {"issuer": OTHER, "issued_before": NOW},
}


async def test_a_client_is_known_by_every_name_that_its_token_has_for_it():
    named = {"azp": "ui", "client_id": "chat-ui", "cid": "app"}
    for profile, claims in (("generic", HERS | named), ("okta", HERS | named)):
        for client, expected in (
            ("ui", "revoked"),
            ("chat-ui", "revoked"),
            ("app", "accepted" if profile == "generic" else "revoked"),
        ):
            about = [entry(client=client)]
            async with gate(settings(profile=profile), revocations=about) as verifier:
                assert await verdict(verifier, SIGNER.token(claims)) == expected


@pytest.mark.parametrize("issued", [None, True, "2026-01-01", {}])
def test_whoever_was_issued_a_token_at_no_known_time_was_so_before(issued):
    claims = {} if issued is None else {"iat": issued}
    caller = Caller(ISSUER, "jane", claims=claims)
    assert Revocations([entry(sub="jane", issued_before=1.0)]).concern(caller)


async def test_of_several_entries_about_one_name_each_counts():
    about = [
        entry(sub="jane", issued_before=ISSUED - 100),
        entry(sub="jane", client="batch"),
        entry(sub="jane", client="chat-ui"),
    ]
    for entries, expected in ((about, "revoked"), (about[:2], "accepted")):
        async with gate(revocations=entries) as verifier:
            assert await verdict(verifier, SIGNER.token(HERS)) == expected


def entry(**fields):
    return Revocation(**{"issuer": ISSUER, **fields})


@pytest.mark.parametrize("fields", CONCERNED.values(), ids=CONCERNED)
async def test_what_the_configuration_revokes_is_refused(fields):
    async with gate(revocations=[entry(**fields)]) as verifier:
        assert await verdict(verifier, SIGNER.token(HERS)) == "revoked"
        assert verifier.memory == 0


@pytest.mark.parametrize("fields", NOT_CONCERNED.values(), ids=NOT_CONCERNED)
async def test_nothing_else_is_refused(fields):
    async with gate(revocations=[entry(**fields)]) as verifier:
        assert await verdict(verifier, SIGNER.token(HERS)) == "accepted"


@pytest.mark.parametrize("fields", CONCERNED.values(), ids=CONCERNED)
async def test_a_remembered_token_is_refused_from_the_next_request_on(fields):
    token, his = SIGNER.token(HERS), SIGNER.token({**CLAIMS, "iat": NOW})
    async with gate() as verifier:
        await verifier.authenticate(token)
        await verifier.authenticate(his)
        verifier.revoke([entry(**fields)])
        assert verifier.remembered(fingerprint(token)) is None
        assert await verdict(verifier, token) == "revoked"
        assert verifier.remembered(fingerprint(his)) is not None


ACTED = {**HERS, "act": {"sub": "agent", "client_id": "helper", "act": {"sub": "before"}}}
ACTING = {
    "its subject": ({"sub": "agent"}, "revoked"),
    "its client": ({"client": "helper"}, "revoked"),
    "its subject, issued before": ({"sub": "agent", "issued_before": ISSUED + 1}, "revoked"),
    "its subject, issued after": ({"sub": "agent", "issued_before": ISSUED}, "accepted"),
    "its subject at the client that the token was issued to": (
        {"sub": "agent", "client": "chat-ui"}, "revoked"
    ),
    "its subject in the session that the token is of": (
        {"sub": "agent", "sid": "s1"}, "revoked"
    ),
    "its subject in a session that the token does not tell": (
        {"sub": "agent", "sid": "s2"}, "revoked"
    ),
    "the subject that it acts for in another session": ({"sub": "jane", "sid": "s2"}, "accepted"),
    "another session": ({"sid": "s2"}, "accepted"),
    "its subject as a client": ({"client": "agent"}, "accepted"),
    "its client as a subject": ({"sub": "helper"}, "accepted"),
    "its subject at another issuer": ({"issuer": OTHER, "sub": "agent"}, "accepted"),
    "the subject that it acts for": ({"sub": "jane"}, "revoked"),
    "whoever acted before": ({"sub": "before"}, "accepted"),
}  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), ACTING.values(), ids=ACTING)
async def test_c47_whoever_is_revoked_does_not_act_for_others_either(fields, expected):
    token = SIGNER.token(ACTED)
    async with gate(revocations=[entry(**fields)]) as verifier:
        assert await verdict(verifier, token) == expected
    async with gate() as verifier:
        caller = await verifier.authenticate(token)
        verifier.revoke([entry(**fields)])
        remembered = verifier.remembered(fingerprint(token))
        assert (remembered is None, verifier.revokes(caller)) == (expected == "revoked",) * 2


async def test_c47_an_actor_of_another_issuer_is_not_this_one_s_to_revoke():
    acted = {**HERS, "act": {"sub": "agent", "client_id": "helper", "iss": OTHER}}
    revoked = [entry(sub="agent"), entry(client="helper"), entry(issuer=OTHER, sub="agent")]
    async with gate(revocations=revoked) as verifier:
        assert await verdict(verifier, SIGNER.token(acted)) == "accepted"


async def test_what_is_taken_back_is_accepted_again():
    token = SIGNER.token(HERS)
    async with gate(revocations=[entry(jti="t9")]) as verifier:
        twice = [entry(sub="jane"), entry(sub="jane")]
        verifier.revoke(twice)
        verifier.reinstate(twice[:1])
        assert await verdict(verifier, token) == "revoked"
        verifier.reinstate(twice[1:])
        assert await verdict(verifier, token) == "accepted"


class SlowNetwork(Network):
    """Something happens while a document is fetched."""

    def __init__(self, documents, meanwhile):
        super().__init__(documents)
        self.meanwhile = meanwhile

    async def fetch(self, url, reach):
        document = await super().fetch(url, reach)
        self.meanwhile()
        return document


async def test_a_token_that_was_being_verified_meanwhile_is_refused():
    def meanwhile():
        if network.documents[KEYS_URL] != key_set():
            verifier.revoke([entry(sub="jane")])

    network = SlowNetwork({KEYS_URL: key_set()}, meanwhile)
    async with gate(network=network) as verifier:
        network.documents[KEYS_URL] = key_set(SIGNER)
        assert await verdict(verifier, SIGNER.token(HERS)) == "revoked"
        assert len(network.fetched) == 2


async def test_a_token_that_does_not_say_when_it_was_issued_was_issued_before():
    claims = {name: value for name, value in HERS.items() if name != "iat"}
    async with gate(revocations=[entry(issued_before=1)]) as verifier:
        assert await verdict(verifier, SIGNER.token(claims)) == "revoked"


async def test_a_subject_is_known_by_sub_and_by_the_claim_that_names_the_caller():
    claims = {**HERS, "oid": "0001"}
    for name in ("jane", "0001"):
        issuer = settings(subject=("oid",))
        async with gate(issuer, revocations=[entry(sub=name)]) as verifier:
            assert await verdict(verifier, SIGNER.token(claims)) == "revoked"


async def test_a_token_that_does_not_say_its_session_is_of_any_of_its_subject_s():
    claims = {name: value for name, value in HERS.items() if name != "sid"}
    for fields, reason in (
        ({"sid": "s1", "sub": "jane"}, "revoked"),
        ({"sid": "s1", "sub": "john"}, "accepted"),
        ({"sid": "s1"}, "accepted"),
    ):
        async with gate(revocations=[entry(**fields)]) as verifier:
            assert await verdict(verifier, SIGNER.token(claims)) == reason


async def test_an_alias_is_the_same_issuer():
    issuer = settings(aliases=(OTHER,))
    async with gate(issuer, revocations=[entry(sub="jane")]) as verifier:
        assert await verdict(verifier, SIGNER.token({**HERS, "iss": OTHER})) == "revoked"


async def test_a_static_key_is_revoked_by_its_subject():
    secret = "rolecall_" + "5a" * 32
    digest = sha256(secret.encode()).digest()
    key = StaticKey(digest, "nightly", frozenset({"batch"}), NOW + 99.0, Source("a.yaml", 1))
    async with gate(keys=[key]) as verifier:
        assert await verdict(verifier, secret.encode()) == "accepted"
        verifier.revoke([Revocation(KEYS_ISSUER, sub="nightly")])
        assert await verdict(verifier, secret.encode()) == "revoked"


async def test_a_revoked_token_with_a_bad_signature_is_no_more_than_that():
    async with gate(revocations=[entry(jti="t1")]) as verifier:
        forged = Signer(name="attacker").token(HERS)
        assert await verdict(verifier, forged) == "bad_signature"


@pytest.mark.parametrize("odd", [None, 1, ["s1"], {"s1": 1}, True])
def test_a_claim_of_another_type_is_nobody_s_name(odd):
    caller = Caller(ISSUER, "jane", claims={"sid": odd, "jti": odd, "azp": odd, "iat": odd})
    revocations = Revocations([entry(sid="s1"), entry(jti="1"), entry(client="s1")])
    assert not revocations.concern(caller)
    assert Revocations([entry(sub="jane")]).concern(caller)
