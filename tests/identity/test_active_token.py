"""Signed tokens whose issuer is asked about each: what is asked, and what counts of the answer."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from rolecall.config import Client, Opaque
from rolecall.identity import ProvenRequest
from tests.parts.waiting import until

from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import AUDIENCE, CLAIMS, ISSUER, KEYS_URL, NOW, SIGNER, gate, settings, verdict
from .parts.proofs import URL, bound, proof
from .parts.signing import Signer, bare, key_set

BASIC = Client("client_secret_basic", CLIENT_ID, SECRET)
# as Keycloak's lightweight tokens are: neither for whom nor about whom
LIGHT = {"iss": ISSUER, "iat": NOW - 10, "exp": NOW + 300, "jti": "j1", "azp": "chat-ui"}
TOKEN = SIGNER.token(LIGHT)
GOOD = {**LIGHT, "active": True, "sub": "john", "aud": AUDIENCE, "roles": ["user"]}
REFUSED, LATER = "revoked", "issuer_unavailable"


@asynccontextmanager
async def asking(way="introspection", said=GOOD, token=TOKEN, **changes):
    """A verifier and the server that it asks about signed tokens."""
    async with authorization_server() as server:
        opaque = Opaque(
            endpoint=getattr(server, way),
            client=BASIC if way == "introspection" else None,
            tokens="all",
        )
        server.tokens[token.decode()] = said
        async with gate(settings(opaque=opaque, **changes)) as verifier:
            verifier.server = server
            yield verifier


async def test_what_a_token_leaves_out_its_issuer_says():
    async with asking() as verifier:
        caller = await verifier.authenticate(TOKEN)
    assert (caller.issuer, caller.subject, caller.client) == (ISSUER, "john", "chat-ui")
    assert [claim.value for claim in caller.role_claims] == ["user"]
    assert caller.expires == NOW + 300


def but(*names, **changes):
    return {name: value for name, value in {**GOOD, **changes}.items() if name not in names}


ANSWERS = {
    "all": (GOOD, "accepted"),
    "what the token says itself left out": (but("iss", "exp", "iat", "jti", "azp"), "accepted"),
    "not active": ({"active": False}, REFUSED),
    "not active, with claims": ({**GOOD, "active": False}, REFUSED),
    "an empty name": (but(sub=""), "invalid_claim"),
    "another token": (but(jti="j2"), "invalid_claim"),
    "another time": (but(exp=NOW + 3000), "invalid_claim"),
    "another issuer": (but(iss="https://evil.example"), "invalid_claim"),
    "another audience": (but(aud="another-api"), "wrong_audience"),
    "no audience": (but("aud"), "wrong_audience"),
    "nobody": (but("sub"), "invalid_claim"),
    "a refresh token": (but(token_type="refresh_token"), "wrong_token_kind"),
    "an outage": (web.Response(status=500), LATER),
}


@pytest.mark.parametrize(("said", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_c37_an_answer_is_believed_where_it_speaks_of_this_token(said, expected):
    async with asking(said=said) as verifier:
        assert await verdict(verifier, TOKEN) == expected
        assert verifier.server.asked == [TOKEN.decode()]


async def test_roles_are_those_of_the_answer_and_not_those_of_the_token():
    token = SIGNER.token({**CLAIMS, "roles": ["admin"]})
    said = {"active": True, "sub": "john", "roles": ["user"]}
    async with asking(said=said, token=token) as verifier:
        caller = await verifier.authenticate(token)
        assert [claim.value for claim in caller.role_claims] == ["user"]
        verifier.server.tokens[token.decode()] = {"active": True, "sub": "john"}
        verifier.clock.now = NOW + 60
        assert not (await verifier.authenticate(token)).role_claims


WHOLE = {
    **CLAIMS,
    "jti": "j1",
    "sid": "s1",
    "azp": "chat-ui",
    "client_id": "chat-ui",
    "nbf": NOW - 10,
    "typ": "Bearer",
}


@pytest.mark.parametrize("name", WHOLE)
async def test_c38_what_the_signature_vouches_for_stays_where_the_answer_leaves_it_out(name):
    token = SIGNER.token(WHOLE)
    async with asking(said={"active": True}, token=token) as verifier:
        caller = await verifier.authenticate(token)
    assert caller.claims[name] == WHOLE[name]


@pytest.mark.parametrize("name", ["iss", "sub", "jti", "sid", "exp"])
@pytest.mark.parametrize("way", ["introspection", "userinfo"])
async def test_c38_an_answer_about_another_token_is_none(way, name):
    token = SIGNER.token(WHOLE)
    other = WHOLE["exp"] + 1 if name == "exp" else "https://other.example"
    async with asking(way, said={"active": True, name: other}, token=token) as verifier:
        assert await verdict(verifier, token) == "invalid_claim"


async def test_c39_a_confirmed_token_is_never_remembered_beyond_exp():
    token = SIGNER.token({**LIGHT, "exp": NOW + 30})
    said = {name: value for name, value in GOOD.items() if name != "exp"}
    async with asking(said=said, token=token) as verifier:
        for later, asked in ((0, 1), (29, 1), (30, 2), (31, 3)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, token) == "accepted"
            assert len(verifier.server.asked) == asked


NEVER_ASKED = {
    "forged": (Signer(name="attacker").token(LIGHT), "bad_signature"),
    "without a signature": (bare({"alg": "none"}, LIGHT), "malformed_token"),
    "expired": (SIGNER.token({**LIGHT, "exp": NOW - 61}), "expired"),
    "of tomorrow": (SIGNER.token({**LIGHT, "nbf": NOW + 600}), "not_yet_valid"),
    "good for a year": (SIGNER.token({**LIGHT, "exp": NOW + 31_536_000}), "invalid_claim"),
    "an ID token": (SIGNER.token({**LIGHT, "at_hash": "h"}), "wrong_token_kind"),
    "a refresh token": (SIGNER.token({**LIGHT, "typ": "Refresh"}), "wrong_token_kind"),
    "bound to a key": (SIGNER.token({**LIGHT, "cnf": bound()}), "sender_mismatch"),
    "a stranger's": (SIGNER.token({**LIGHT, "iss": "https://x.example"}), "unknown_issuer"),
}


@pytest.mark.parametrize("way", ["introspection", "userinfo"])
@pytest.mark.parametrize(("token", "expected"), NEVER_ASKED.values(), ids=NEVER_ASKED)
async def test_nobody_is_asked_about_a_token_that_is_refused_here(way, token, expected):
    async with asking(way, token=token, max_lifetime=86_400) as verifier:
        assert await verdict(verifier, token) == expected
        assert verifier.server.asked == []


async def test_c42_a_token_stays_bound_whatever_the_answer_leaves_out():
    token = SIGNER.token({**LIGHT, "cnf": bound()})
    async with asking(token=token, dpop="optional") as verifier:
        assert await verdict(verifier, token) == "sender_mismatch"
        request = ProvenRequest("POST", URL, (proof(token, NOW),))
        caller, _ = await verifier.authenticate_bound(token, request)
        assert caller.subject == "john"
        verifier.server.tokens[token.decode()] = {**GOOD, "cnf": {"jkt": "x" * 43}}
        verifier.clock.now = NOW + 60
        assert await verdict(verifier, token) == "invalid_claim"


ACTOR = {"sub": "agent", "act": {"sub": "before"}}
ACTORS = {
    # as Keycloak leaves it: keycloak/keycloak#53029
    "left out of the answer": (ACTOR, {}, ["agent", "before"]),
    "in both": (ACTOR, {"act": ACTOR}, ["agent", "before"]),
    "in the answer alone": (None, {"act": ACTOR}, ["agent", "before"]),
    "another": (ACTOR, {"act": {"sub": "other"}}, "invalid_claim"),
    "taken back": (ACTOR, {"act": None}, "invalid_claim"),
    "no longer whole": (ACTOR, {"act": {"sub": "agent"}}, "invalid_claim"),
    "misnamed": (None, {"act": {"sub": 1}}, "invalid_claim"),
}


@pytest.mark.parametrize("way", ["introspection", "userinfo"])
@pytest.mark.parametrize(("signed", "said", "expected"), ACTORS.values(), ids=ACTORS)
async def test_c38_c47_who_acts_with_a_token_stays_whatever_the_answer_leaves_out(
    way, signed, said, expected
):
    token = SIGNER.token({**LIGHT, "aud": AUDIENCE} | ({"act": signed} if signed else {}))
    async with asking(way, said={**GOOD, **said}, token=token) as verifier:
        if isinstance(expected, str):
            assert await verdict(verifier, token) == expected
        else:
            caller = await verifier.authenticate(token)
            assert [actor.subject for actor in caller.actors] == expected


async def test_c39_a_token_is_asked_about_again_when_its_ttl_is_over():
    async with asking() as verifier:
        for later, expected in ((0, "accepted"), (59, "accepted"), (60, REFUSED)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, TOKEN) == expected
            verifier.server.tokens[TOKEN.decode()] = {"active": False}
        assert len(verifier.server.asked) == 2


async def test_c30_a_key_that_is_withdrawn_while_its_token_is_asked_about_ends_it():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verdict(verifier, TOKEN))
        await until(lambda: verifier.server.asked)
        verifier.network.documents[KEYS_URL] = key_set(Signer("other"))
        (source,) = verifier.issuers.sources.values()
        await source.refresh()
        verifier.server.gate.set()
        assert await waiting == "unknown_key"
        assert await verdict(verifier, TOKEN) == "unknown_key"


async def test_c30_a_key_that_is_withdrawn_ends_what_was_confirmed_before():
    async with asking() as verifier:
        assert await verdict(verifier, TOKEN) == "accepted"
        verifier.network.documents[KEYS_URL] = key_set(Signer("other"))
        (source,) = verifier.issuers.sources.values()
        await source.refresh()
        assert await verdict(verifier, TOKEN) == "unknown_key"
        assert len(verifier.server.asked) == 1


PERSON = {"sub": "john", "roles": ["user"]}
DESCRIPTIONS = {
    "a person": (LIGHT, PERSON, "accepted"),
    "a person, and the token's audience": ({**LIGHT, "aud": AUDIENCE}, PERSON, "accepted"),
    "a token for another": ({**LIGHT, "aud": "another-api"}, PERSON, "wrong_audience"),
    "another person": ({**LIGHT, "sub": "jane"}, PERSON, "invalid_claim"),
    "the client": ({**LIGHT, "azp": "another-ui"}, PERSON, "wrong_audience"),
    "nothing": (LIGHT, web.json_response({}, status=401), REFUSED),
    "active: a claim like any other": (LIGHT, {**PERSON, "active": False}, "accepted"),
}


@pytest.mark.parametrize(("claims", "said", "expected"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
async def test_userinfo_adds_to_what_a_token_says(claims, said, expected):
    token = SIGNER.token(claims)
    async with asking("userinfo", said, token, clients=("chat-ui",)) as verifier:
        assert await verdict(verifier, token) == expected


async def test_opaque_tokens_of_the_same_issuer_are_asked_about_as_ever():
    async with asking() as verifier:
        verifier.server.tokens["opaque"] = GOOD
        assert await verdict(verifier, b"opaque") == "accepted"


async def test_other_issuers_are_not_asked():
    async with authorization_server() as server:
        opaque = Opaque(endpoint=server.introspection, client=BASIC, tokens="all")
        other = settings("https://other.example", opaque=opaque)
        async with gate(settings(), replace(other, audience=("x",))) as verifier:
            assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
        assert server.asked == []
