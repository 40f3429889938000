"""How and when a person has signed in, and what an issuer's tokens must say of it (RFC 9470)."""

import math

import pytest

from rolecall.config import Client, KeysFrom, Opaque
from rolecall.core import UNSAID, Authentication, Refusal, SignIn
from rolecall.identity.sign_in import sign_in

from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import AUDIENCE, CLAIMS, ISSUER, NOW, SIGNER, gate, settings, verdict

STEP_UP = "insufficient_user_authentication"
GOLD = Authentication(("gold", "urn:x:silver"))
RECENT = Authentication(max_age=300)
BOTH = Authentication(("gold",), 300)

SAID = {
    "both": ({"acr": "gold", "auth_time": 12}, SignIn("gold", 12.0, 60)),
    "how": ({"acr": "0"}, SignIn("0", None, 60)),
    "when, with a fraction": ({"auth_time": 12.5}, SignIn(None, 12.5, 60)),
    "at the beginning of time": ({"auth_time": 0}, SignIn(None, 0.0, 60)),
    "nothing": ({}, UNSAID),
    "null": ({"acr": None, "auth_time": None}, UNSAID),
    "an empty word": ({"acr": ""}, UNSAID),
    "a long word": ({"acr": "a" * 1025}, UNSAID),
    "a list": ({"acr": ["gold"], "auth_time": [12]}, UNSAID),
    "a number for a word, a word for a number": ({"acr": 1, "auth_time": "12"}, UNSAID),
    "truth": ({"acr": True, "auth_time": True}, UNSAID),
    "a time that is none": ({"auth_time": -1}, UNSAID),
    "a time beyond all calendars": ({"auth_time": 10**400}, UNSAID),
    "infinity": ({"auth_time": math.inf}, UNSAID),
}


@pytest.mark.parametrize(("claims", "said"), SAID.values(), ids=SAID)
def test_c35_a_value_of_another_type_says_nothing(claims, said):
    assert sign_in(claims, settings()) == said


CHECKED = {
    "nothing is demanded": (None, {}, "accepted"),
    "the class": (GOLD, {"acr": "urn:x:silver"}, "accepted"),
    "another class": (GOLD, {"acr": "bronze"}, STEP_UP),
    "a class in capitals": (GOLD, {"acr": "GOLD"}, STEP_UP),
    "several classes in one word": (GOLD, {"acr": "urn:x:silver gold"}, STEP_UP),
    "no class": (GOLD, {"auth_time": NOW}, STEP_UP),
    "exactly as old as may be": (RECENT, {"auth_time": NOW - 300}, "accepted"),
    "a second older": (RECENT, {"auth_time": NOW - 301}, STEP_UP),
    "a clock that is ahead": (RECENT, {"auth_time": NOW + 60}, "accepted"),
    "a clock that is too far ahead": (RECENT, {"auth_time": NOW + 61}, STEP_UP),
    "the time of issue alone": (RECENT, {"iat": NOW}, STEP_UP),
    "both": (BOTH, {"acr": "gold", "auth_time": NOW}, "accepted"),
    "the class alone": (BOTH, {"acr": "gold"}, STEP_UP),
    "the time alone": (BOTH, {"auth_time": NOW}, STEP_UP),
}


@pytest.mark.parametrize(("demand", "claims", "expected"), CHECKED.values(), ids=CHECKED)
async def test_c35_an_issuer_s_tokens_must_come_from_such_a_sign_in(demand, claims, expected):
    async with gate(settings(authentication=demand)) as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, **claims})) == expected


async def test_c35_the_leeway_is_the_issuer_s_own():
    token = SIGNER.token({**CLAIMS, "auth_time": NOW + 6})
    for leeway, expected in ((5, STEP_UP), (6, "accepted")):
        async with gate(settings(authentication=RECENT, leeway=leeway)) as verifier:
            assert await verdict(verifier, token) == expected


async def test_c35_a_remembered_token_is_refused_when_its_sign_in_has_grown_old():
    token = SIGNER.token({**CLAIMS, "auth_time": NOW - 270})
    async with gate(settings(authentication=RECENT)) as verifier:
        assert await verdict(verifier, token) == "accepted"
        verifier.clock.now += 29
        assert await verdict(verifier, token) == "accepted"
        assert verifier.tallies.of(ISSUER).remembered == 1
        verifier.clock.now += 2
        assert await verdict(verifier, token) == STEP_UP
        assert verifier.tallies.of(ISSUER).refused == {STEP_UP: 1}


async def test_c35_what_is_wrong_otherwise_is_said_first():
    async with gate(settings(authentication=BOTH)) as verifier:
        assert (
            await verdict(verifier, SIGNER.token({**CLAIMS, "aud": "elsewhere"}))
            == "wrong_audience"
        )


async def asked(said, **changes):
    """What comes of an opaque token of which its issuer says this: the caller, or the refusal."""
    async with authorization_server() as server:
        way = changes.pop("way", "introspection")
        client = Client("client_secret_basic", CLIENT_ID, SECRET)
        opaque = Opaque(getattr(server, way), client if way == "introspection" else None)
        server.tokens["opaque"] = said
        one = settings(keys=KeysFrom(), opaque=opaque, **changes)
        async with gate(one) as verifier:
            refusals = []
            for _ in range(2):
                try:
                    return await verifier.authenticate(b"opaque")
                except Refusal as refusal:
                    refusals.append(refusal)
            # the second is the answer that is remembered
            one, other = refusals
            assert (one.reason, one.authentication) == (other.reason, other.authentication)
            return one


GOOD = {"active": True, "sub": "john", "aud": AUDIENCE, "client_id": "chat-ui", "exp": NOW + 300}


async def test_c35_an_introspected_token_tells_of_its_sign_in():
    signed_in = {**GOOD, "acr": "gold", "auth_time": NOW - 100}
    caller = await asked(signed_in, authentication=BOTH)
    assert caller.sign_in == SignIn("gold", NOW - 100.0, 60)
    refusal = await asked({**signed_in, "auth_time": NOW - 400}, authentication=BOTH)
    assert (refusal.reason, refusal.authentication) == (STEP_UP, BOTH)


async def test_c35_an_answer_is_not_remembered_beyond_the_age_of_its_sign_in():
    async with authorization_server() as server:
        client = Client("client_secret_basic", CLIENT_ID, SECRET)
        opaque = Opaque(server.introspection, client)
        server.tokens["opaque"] = {**GOOD, "auth_time": NOW - 270}
        one = settings(keys=KeysFrom(), opaque=opaque, authentication=RECENT)
        async with gate(one) as verifier:
            assert await verdict(verifier, b"opaque") == "accepted"
            verifier.clock.now += 31
            assert await verdict(verifier, b"opaque") == STEP_UP


async def test_c35_so_does_userinfo_if_it_says_anything():
    person = {"sub": "john", "acr": "gold"}
    assert (await asked(person, way="userinfo", authentication=GOLD)).subject == "john"
    refusal = await asked({"sub": "john"}, way="userinfo", authentication=GOLD)
    assert refusal.reason == STEP_UP


async def test_c35_of_a_token_that_is_asked_about_the_signature_vouches_for_what_is_left_out():
    async with authorization_server() as server:
        client = Client("client_secret_basic", CLIENT_ID, SECRET)
        opaque = Opaque(server.introspection, client, tokens="all")
        token = SIGNER.token({**CLAIMS, "acr": "gold"})
        server.tokens[token.decode()] = {**GOOD, "auth_time": NOW}
        async with gate(settings(opaque=opaque, authentication=BOTH)) as verifier:
            caller = await verifier.authenticate(token)
    assert caller.sign_in == SignIn("gold", float(NOW), 60)
