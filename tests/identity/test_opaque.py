"""Opaque tokens: whose they are is asked of their issuer, seldom, in time, and of nobody else."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config import Client, KeysFrom, Limits, Opaque
from rolecall.core import Actor
from rolecall.identity import ProvenRequest
from rolecall.identity.opaque import MOST_ASKED, looks_signed
from tests.parts.clock import when_due
from tests.parts.waiting import until

from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import AUDIENCE, CLAIMS, ISSUER, NOW, SIGNER, gate, settings, verdict
from .parts.key_server import DEADLINE, ENDLESS, FAULTS, key_server
from .parts.proofs import URL, bound, proof
from .parts.signing import Signer, b64, bare

BASIC = Client("client_secret_basic", CLIENT_ID, SECRET)
OTHER = "https://other.example"
GOOD = {
    "active": True,
    "iss": ISSUER,
    "sub": "john",
    "aud": AUDIENCE,
    "client_id": "chat-ui",
    "exp": NOW + 300,
    "iat": NOW - 10,
    "token_type": "Bearer",
    "scope": "llm:invoke",
    "roles": ["user"],
}
TOKEN = "opaque-of-john"
REFUSED, LATER = "revoked", "issuer_unavailable"


def of(server, issuer=ISSUER, **changes):
    """An issuer whose opaque tokens this server knows."""
    return settings(
        issuer,
        keys=KeysFrom(),
        opaque=Opaque(endpoint=server.introspection, client=BASIC, **changes),
    )


@asynccontextmanager
async def asking(limits=None, **changes):
    """A verifier and the server that it asks; John's token is good."""
    async with (
        authorization_server() as server,
        gate(of(server, **changes), limits=limits) as verifier,
    ):
        server.tokens[TOKEN] = GOOD
        verifier.server = server
        yield verifier


async def answered(said, **changes):
    """The verdict on a token of which the server says this."""
    async with asking(**changes) as verifier:
        verifier.server.tokens[TOKEN] = said
        return await verdict(verifier, TOKEN.encode())


async def test_an_active_token_is_a_caller():
    async with asking() as verifier:
        caller = await verifier.authenticate(TOKEN.encode())
    assert (caller.issuer, caller.subject, caller.client) == (ISSUER, "john", "chat-ui")
    assert (caller.kind, caller.expires, caller.scopes) == ("person", NOW + 300, {"llm:invoke"})
    assert [claim.value for claim in caller.role_claims] == ["user"]
    assert "active" not in caller.claims


async def test_c38_c42_an_issuer_says_whose_key_a_token_is_bound_to():
    said = {**GOOD, "token_type": "DPoP", "cnf": bound()}
    token = TOKEN.encode()
    async with authorization_server() as server, gate(replace(of(server), dpop="optional")) as door:
        server.tokens[TOKEN] = said
        assert await verdict(door, token) == "sender_mismatch"
        for _ in range(2):
            request = ProvenRequest("POST", URL, (proof(token, NOW),))
            caller, _ = await door.authenticate_bound(token, request)
        assert caller.subject == "john"
        assert await verdict(door, token) == "sender_mismatch"
        assert len(server.asked) == 3


@pytest.mark.parametrize(
    "said", [{"token_type": "DPoP"}, {"cnf": {}}, {"cnf": {"x5t#S256": "x" * 43}}], ids=repr
)
async def test_c38_c42_an_issuer_that_does_not_say_which_key_is_not_believed(said):
    async with authorization_server() as server, gate(replace(of(server), dpop="optional")) as door:
        server.tokens[TOKEN] = {**GOOD, **said}
        assert await verdict(door, TOKEN.encode()) == "sender_mismatch"


async def test_a_client_of_its_own_is_a_workload():
    said = {**GOOD, "client_id": "batch"}
    del said["sub"]
    async with asking() as verifier:
        verifier.server.tokens[TOKEN] = said
        caller = await verifier.authenticate(TOKEN.encode())
    assert (caller.subject, caller.client, caller.kind) == ("batch", "batch", "workload")


async def test_c38_c47_an_issuer_says_who_acts_with_a_token():
    async with asking() as verifier:
        verifier.server.tokens[TOKEN] = {**GOOD, "act": {"client_id": "agent"}}
        caller = await verifier.authenticate(TOKEN.encode())
    assert (caller.subject, caller.actor) == ("john", Actor(ISSUER, client="agent"))
    assert await answered({**GOOD, "act": "agent"}) == "invalid_claim"


def without(*names, **changes):
    return {name: value for name, value in {**GOOD, **changes}.items() if name not in names}


# Checklist 37 and 38, and K12: an endpoint that lies
ANSWERS = {
    "active": (GOOD, "accepted"),
    "active without iss": (without("iss"), "accepted"),
    "active without exp": (without("exp"), "accepted"),
    "active without token_type": (without("token_type"), "accepted"),
    "a list of audiences": ({**GOOD, "aud": ["x", AUDIENCE]}, "accepted"),
    "bearer in lower case": ({**GOOD, "token_type": "bearer"}, "accepted"),
    "not active": ({"active": False}, REFUSED),
    "not active, with claims": ({**GOOD, "active": False}, REFUSED),
    "active as a string": ({**GOOD, "active": "true"}, REFUSED),
    "active as a number": ({**GOOD, "active": 1}, REFUSED),
    "active as a list": ({**GOOD, "active": [True]}, REFUSED),
    "active null": ({**GOOD, "active": None}, REFUSED),
    "nothing said": ({}, REFUSED),
    "claims alone": (without("active"), REFUSED),
    "another issuer": ({**GOOD, "iss": "https://evil.example"}, "unknown_issuer"),
    "almost the issuer": ({**GOOD, "iss": f"{ISSUER}/"}, "unknown_issuer"),
    "an issuer that is none": ({**GOOD, "iss": None}, "unknown_issuer"),
    "another audience": ({**GOOD, "aud": "another-api"}, "wrong_audience"),
    "no audience": (without("aud"), "wrong_audience"),
    "an audience that is none": ({**GOOD, "aud": [AUDIENCE, 1]}, "invalid_claim"),
    "expired": ({**GOOD, "exp": NOW - 61}, "expired"),
    "exp as digits": ({**GOOD, "exp": str(NOW + 300)}, "invalid_claim"),
    "exp true": ({**GOOD, "exp": True}, "invalid_claim"),
    "exp null": ({**GOOD, "exp": None}, "invalid_claim"),
    "not yet valid": ({**GOOD, "nbf": NOW + 61}, "not_yet_valid"),
    "issued in the future": ({**GOOD, "iat": NOW + 61}, "not_yet_valid"),
    "a refresh token": ({**GOOD, "token_type": "refresh_token"}, "wrong_token_kind"),
    "a refresh token of Hydra": ({**GOOD, "token_use": "refresh_token"}, "wrong_token_kind"),
    "an access token of Hydra": ({**GOOD, "token_use": "access_token"}, "accepted"),
    "an ID token": ({**GOOD, "token_use": "id_token"}, "wrong_token_kind"),
    "a type that is none": ({**GOOD, "token_type": ["Bearer"]}, "wrong_token_kind"),
    "a use that has no hash": ({**GOOD, "token_use": [["access"]]}, "wrong_token_kind"),
    "bound by DPoP": ({**GOOD, "token_type": "DPoP"}, "sender_mismatch"),
    "bound to a key": ({**GOOD, "cnf": {"jkt": "x"}}, "sender_mismatch"),
    "nobody's": ({**GOOD, "sub": ""}, "invalid_claim"),
    "somebody's name alone": (without("sub", username="john"), "invalid_claim"),
    "nobody's and no client's": (without("sub", "client_id"), "invalid_claim"),
    "a subject that is none": ({**GOOD, "sub": ["john"]}, "invalid_claim"),
    # the endpoint is at fault, and not the token
    "no object": ([GOOD], LATER),
    "null": (None, LATER),
    "HTML": (b"<!doctype html>", LATER),
    "nothing": (b"", LATER),
    "active twice": (b'{"active":false,"active":true,"sub":"john"}', LATER),
    "sub twice": (json.dumps(GOOD)[:-1].encode() + b',"sub":"admin"}', LATER),
    "deep": (b'{"active":true,"x":' + b"[" * 5000 + b"]" * 5000 + b"}", LATER),
    "large": (b'{"active":true,"x":"' + b"x" * 1_100_000 + b'"}', LATER),
    "a token that it does not introspect": (
        web.json_response({"error": "unsupported_token_type"}, status=400),
        LATER,
    ),
    "a client that it does not know": (web.json_response({"error": "x"}, status=401), LATER),
    "a client that may not ask": (web.json_response({"error": "x"}, status=403), LATER),
    "created": (web.json_response(GOOD, status=201), LATER),
    "500": (web.json_response(GOOD, status=500), LATER),
    "503": (web.Response(status=503), LATER),
    "a redirect": (web.Response(status=307, headers={"location": "/introspect"}), LATER),
    "a compressed answer": (web.Response(body=b"x", headers={"content-encoding": "gzip"}), LATER),
}


@pytest.mark.parametrize(("said", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_c37_c38_k12_an_answer_is_believed_only_as_it_should_be(said, expected):
    assert await answered(said) == expected


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_c40_k12_an_endpoint_that_fails_is_a_503_within_its_deadline(fault):
    async with key_server() as server:
        server.fault = fault
        opaque = Opaque(endpoint=f"{server.url}/introspect", client=BASIC, timeout=DEADLINE)
        async with gate(settings(keys=KeysFrom(), opaque=opaque)) as verifier:
            asking = asyncio.create_task(verdict(verifier, TOKEN.encode()))
            await until(lambda: server.asked)
            if fault in ENDLESS:
                await when_due(DEADLINE, asking)
            assert await asking in {LATER, REFUSED}
            (lookups,) = [opaque.lookups for opaque in verifier.issuers.opaque]
            assert lookups.made == 1
            # what says in good JSON that it knows nothing is no failure
            assert lookups.failed == (server.fault not in map(FAULTS.get, SAYS_NOTHING))


SAYS_NOTHING = ("an empty object", "no keys", "keys of no use")


async def test_c40_an_endpoint_that_is_not_there_is_a_503_and_the_next_token_is_asked_about():
    async with asking() as verifier:
        server = verifier.server
        server.tokens[TOKEN] = web.Response(status=500)
        assert await verdict(verifier, TOKEN.encode()) == LATER
        server.tokens[TOKEN] = GOOD
        assert await verdict(verifier, TOKEN.encode()) == "accepted"


async def test_an_outage_of_the_endpoint_leaves_signed_tokens_and_remembered_ones_alone():
    async with authorization_server() as server:
        server.tokens[TOKEN] = GOOD
        issuers = (settings(), of(server, OTHER))
        async with gate(*issuers) as verifier:
            server.tokens[TOKEN] = {**GOOD, "iss": OTHER}
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
            server.gate = asyncio.Event()
            waiting = asyncio.create_task(verdict(verifier, b"another-opaque-token"))
            assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
            server.gate.set()
            assert await waiting == REFUSED


# Checklist 39: what is remembered


async def test_c39_a_good_answer_is_remembered_by_the_whole_token_for_its_ttl():
    async with asking(ttl=60) as verifier:
        for later, asked in ((0, 1), (59, 1), (60, 2), (119, 2), (120, 3)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
            assert len(verifier.server.asked) == asked


async def test_k11_t30_tokens_that_begin_alike_are_each_asked_about():
    """CVE-2026-35030: userinfo was remembered by the token's first 20 characters."""
    begin = "A" * 20
    async with asking() as verifier:
        verifier.server.tokens[begin + "john"] = GOOD
        verifier.server.tokens[begin + "jane"] = {**GOOD, "sub": "jane"}
        for name in ("john", "jane", "john"):
            assert (await verifier.authenticate((begin + name).encode())).subject == name
        assert await verdict(verifier, begin.encode()) == REFUSED
        assert len(verifier.server.asked) == 3


async def test_k11_t30_a_token_is_not_refused_for_one_that_begins_alike():
    begin = "A" * 40
    async with asking(negative_ttl=60) as verifier:
        verifier.server.tokens[begin + "john"] = GOOD
        assert await verdict(verifier, (begin + "made-up").encode()) == REFUSED
        assert await verdict(verifier, (begin + "john").encode()) == "accepted"


async def test_k11_t30_tokens_that_begin_alike_are_asked_about_apart_at_the_same_time():
    begin = "A" * 40
    async with asking() as verifier:
        verifier.server.tokens[begin + "john"] = GOOD
        verifier.server.gate = asyncio.Event()
        both = [
            asyncio.create_task(verdict(verifier, (begin + name).encode()))
            for name in ("john", "made-up")
        ]
        await until(lambda: len(verifier.server.asked) == 2)
        verifier.server.gate.set()
        assert await asyncio.gather(*both) == ["accepted", REFUSED]


async def test_c39_a_good_answer_is_never_remembered_beyond_exp():
    async with asking(ttl=600) as verifier:
        for later, expected in ((0, "accepted"), (299, "accepted"), (361, "expired")):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, TOKEN.encode()) == expected
        assert len(verifier.server.asked) == 2


async def test_c39_a_bad_answer_is_remembered_briefly():
    async with asking(negative_ttl=5) as verifier:
        for later, asked in ((0, 1), (4.9, 1), (5, 2), (9.9, 2), (10, 3)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, b"made-up") == REFUSED
            assert len(verifier.server.asked) == asked
        verifier.server.tokens["made-up"] = GOOD
        verifier.clock.now = NOW + 15
        assert await verdict(verifier, b"made-up") == "accepted"


async def test_a_refusal_of_ours_is_remembered_with_its_own_reason():
    async with asking() as verifier:
        verifier.server.tokens[TOKEN] = {**GOOD, "aud": "x"}
        for _ in range(3):
            assert await verdict(verifier, TOKEN.encode()) == "wrong_audience"
        assert len(verifier.server.asked) == 1


async def test_what_is_remembered_has_its_bounds():
    async with asking(limits=Limits(refused_tokens=10), negative_ttl=60) as verifier:
        made_up = [f"made-up-{number}".encode() for number in range(30)]
        for token in made_up:
            assert await verdict(verifier, token) == REFUSED
        (opaque,) = verifier.issuers.opaque
        assert len(opaque._refused) == 10
        assert len(opaque._askings) == 0
        asked = len(verifier.server.asked)
        # the newest are remembered, and the oldest made room
        for token in (*made_up[20:], made_up[19]):
            assert await verdict(verifier, token) == REFUSED
        assert len(verifier.server.asked) == asked + 1


@pytest.mark.parametrize("said", [None, {**GOOD, "aud": "x"}], ids=["inactive", "not for us"])
async def test_of_a_refused_token_its_refusal_is_remembered_and_not_the_token(said):
    async with asking(negative_ttl=60) as verifier:
        if said is not None:
            verifier.server.tokens["made-up"] = said
        assert await verdict(verifier, b"made-up") != "accepted"
        (opaque,) = verifier.issuers.opaque
        ((_, refusal),) = opaque._refused.values()
        # a traceback has frames, and those the token
        assert refusal.__traceback__ is None
        assert refusal.__context__ is None


async def test_500_requests_with_one_token_ask_once():
    async with asking() as verifier:
        verdicts = await asyncio.gather(*(verdict(verifier, TOKEN.encode()) for _ in range(500)))
        assert set(verdicts) == {"accepted"}
        assert verifier.server.asked == [TOKEN]


async def test_a_flood_of_made_up_tokens_is_asked_about_in_bounded_number():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        flood = [
            asyncio.create_task(verdict(verifier, f"made-up-{number}".encode()))
            for number in range(MOST_ASKED + 100)
        ]
        await until(lambda: sum(task.done() for task in flood) == 100)
        verifier.server.gate.set()
        verdicts = await asyncio.gather(*flood)
        assert (verdicts.count(REFUSED), verdicts.count(LATER)) == (MOST_ASKED, 100)
        assert await verdict(verifier, TOKEN.encode()) == "accepted"


async def test_tokens_that_were_good_before_are_asked_about_beside_a_flood():
    async with asking(ttl=60) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "accepted"
        verifier.clock.now = NOW + 60
        verifier.server.gate = asyncio.Event()
        flood = [
            asyncio.create_task(verdict(verifier, f"made-up-{number}".encode()))
            for number in range(MOST_ASKED)
        ]
        known = asyncio.create_task(verdict(verifier, TOKEN.encode()))
        await asyncio.sleep(0)
        assert await verdict(verifier, b"never-seen") == LATER
        verifier.server.gate.set()
        assert await known == "accepted"
        assert set(await asyncio.gather(*flood)) == {REFUSED}


async def test_an_outage_is_logged_once_and_so_is_its_end(caplog):
    caplog.set_level("INFO")
    async with asking() as verifier:
        caplog.clear()
        for said in (web.Response(status=500), GOOD):
            for number in range(5):
                verifier.server.tokens[f"token-{number}"] = said
                await verdict(verifier, f"token-{number}".encode())
        lines = [record.getMessage() for record in caplog.records]
    assert [line.split(": ")[1] for line in lines if line.startswith("issuer")] == [
        "tokens cannot be looked up",
        "tokens can be looked up again",
    ]


async def test_a_request_that_is_cancelled_does_not_end_the_asking_of_the_others():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        first, second = (
            asyncio.create_task(verifier.authenticate(TOKEN.encode())) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        verifier.server.gate.set()
        assert (await second).subject == "john"
        assert verifier.server.asked == [TOKEN]


async def test_a_verifier_stops_while_it_asks():
    async with asking() as verifier:
        verifier.server.gate = asyncio.Event()
        waiting = asyncio.create_task(verifier.authenticate(TOKEN.encode()))
        await until(lambda: verifier.server.asked)
        await verifier.stop()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        verifier.server.gate.set()


async def test_a_verifier_that_retired_still_answers_those_that_began_with_it():
    async with asking() as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "accepted"
        verifier.retire()
        verifier.server.tokens["late"] = GOOD
        assert await verdict(verifier, b"late") == "accepted"


# Whose token is it?


async def test_each_prefix_belongs_to_one_issuer_and_nobody_else_is_asked():
    async with authorization_server() as one, authorization_server() as other:
        issuers = (
            of(one, prefix="ory_"),
            of(other, OTHER, prefix="ory_at_"),
        )
        one.tokens["ory_x"] = GOOD
        other.tokens["ory_at_x"] = {**GOOD, "iss": OTHER}
        async with gate(*issuers) as verifier:
            assert (await verifier.authenticate(b"ory_x")).issuer == ISSUER
            assert (await verifier.authenticate(b"ory_at_x")).issuer == OTHER
            assert await verdict(verifier, b"ory_at_unknown") == REFUSED
            assert await verdict(verifier, b"something-else") == "malformed_token"
        assert (one.asked, other.asked) == (["ory_x"], ["ory_at_x", "ory_at_unknown"])


async def test_what_has_no_issuer_s_prefix_belongs_to_the_one_without():
    async with authorization_server() as one, authorization_server() as other:
        issuers = (of(one), of(other, OTHER, prefix="v2.local."))
        async with gate(*issuers) as verifier:
            # two dots, and still opaque: its issuer's configuration says so
            assert await verdict(verifier, b"v2.local.x") == REFUSED
            assert await verdict(verifier, b"opaque") == REFUSED
        assert (one.asked, other.asked) == (["opaque"], ["v2.local.x"])


NEVER_ASKED = {
    "a signed token that is good": (SIGNER.token(CLAIMS), "accepted"),
    "a forged one": (Signer(name="attacker").token(CLAIMS), "bad_signature"),
    "an expired one": (SIGNER.token({**CLAIMS, "exp": 1}), "expired"),
    "one without a signature": (bare({"alg": "none"}, CLAIMS), "malformed_token"),
    "one of a stranger": (SIGNER.token({**CLAIMS, "iss": "https://x.example"}), "unknown_issuer"),
    "one of the issuer of opaque tokens": (
        SIGNER.token({**CLAIMS, "iss": OTHER}),
        "unknown_issuer",
    ),
    "one with a segment more": (SIGNER.token(CLAIMS) + b".x", "malformed_token"),
    "one with a padded signature": (SIGNER.token(CLAIMS) + b"=", "malformed_token"),
    "one with a space before": (b" " + SIGNER.token(CLAIMS), "malformed_token"),
    "one cut after its payload": (SIGNER.token(CLAIMS).rpartition(b".")[0], "malformed_token"),
    "one cut, whose header has a space": (b64(b'{ "alg":"ES256"}') + b".e30", "malformed_token"),
    "one cut, whose header has a line": (b64(b'{\n"alg":"ES256"}') + b".e30", "malformed_token"),
    "one cut, of four parts": (b64(b'{"alg":"ES256"}') + b".e30.x.x", "malformed_token"),
    "three words with dots": (b"a.b.c", "malformed_token"),
    "a static key that is none": (b"rolecall_" + b"a" * 64, "unknown_key"),
    "a token that is too long": (b"x" * 20_000, "malformed_token"),
    "characters that no token has": (b"op aq ue", "malformed_token"),
    "a line break": (b"opaque\r\nx-admin: 1", "malformed_token"),
    "bytes": (bytes(range(128, 256)), "malformed_token"),
    "an equals sign within": (b"opaque=token", "malformed_token"),
    "nothing": (b"", "malformed_token"),
}


@pytest.mark.parametrize(("token", "expected"), NEVER_ASKED.values(), ids=NEVER_ASKED)
async def test_what_is_signed_or_no_token_at_all_is_never_asked_about(token, expected):
    async with authorization_server() as server, gate(settings(), of(server, OTHER)) as verifier:
        assert await verdict(verifier, token) == expected
        assert server.asked == []


async def test_an_encrypted_token_is_opaque_to_us():
    token = b"eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn"
    async with asking() as verifier:
        verifier.server.tokens[token.decode()] = GOOD
        assert await verdict(verifier, token) == "accepted"


@given(st.binary(min_size=1), st.binary(min_size=1), st.binary(min_size=1))
def test_whatever_has_three_segments_looks_signed(header, claims, signature):
    segments = (part.replace(b".", b"") for part in (header, claims, signature))
    assert looks_signed(b".".join(segments))


async def test_without_opaque_tokens_a_token_that_is_not_signed_is_malformed():
    async with gate() as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "malformed_token"


async def test_an_issuer_may_have_signed_tokens_and_opaque_ones():
    async with authorization_server() as server:
        server.tokens[TOKEN] = GOOD
        both = replace(of(server), keys=settings().keys)
        async with gate(both) as verifier:
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
            assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"


async def test_an_issuer_of_opaque_tokens_alone_has_no_keys_to_wait_for():
    async with asking() as verifier:
        assert verifier.ready
        (state,) = verifier.state()
        assert (state.keys, state.error) == (None, None)
        assert state.looked_up_at == verifier.server.introspection


# Userinfo (OpenID Connect Core 5.3)

PERSON = {"sub": "john", "roles": ["user"], "email": "john@example.com"}
DESCRIPTIONS = {
    "a person": (PERSON, "accepted"),
    "a person, with the issuer": ({**PERSON, "iss": ISSUER}, "accepted"),
    "a person, for us": ({**PERSON, "aud": AUDIENCE}, "accepted"),
    "another issuer's": ({**PERSON, "iss": OTHER}, "unknown_issuer"),
    "for another": ({**PERSON, "aud": "another-api"}, "wrong_audience"),
    "nobody": ({"roles": ["user"]}, "invalid_claim"),
    "a subject that is none": ({**PERSON, "sub": 1}, "invalid_claim"),
    "a bad token": (web.json_response({"error": "invalid_token"}, status=401), REFUSED),
    "a token that it cannot read": (web.json_response({}, status=400), REFUSED),
    "an endpoint that is not there": (web.Response(status=404), LATER),
    "a token of too little scope": (web.json_response({}, status=403), REFUSED),
    "a failure": (web.Response(status=500), LATER),
    "an outage": (web.Response(status=502), LATER),
    "too many questions": (web.Response(status=429), LATER),
    "a redirect": (web.Response(status=302, headers={"location": "/"}), LATER),
    "a signed answer": (b"eyJhbGciOiJSUzI1NiJ9.e30.x", LATER),
    "sub twice": (b'{"sub":"john","sub":"admin"}', LATER),
}


def described(server, **changes):
    opaque = Opaque(endpoint=server.userinfo, client=None, ttl=60)
    return settings(keys=KeysFrom(), opaque=opaque, **changes)


@pytest.mark.parametrize(("said", "expected"), DESCRIPTIONS.values(), ids=DESCRIPTIONS)
async def test_userinfo_is_believed_only_as_it_should_be(said, expected):
    async with authorization_server() as server, gate(described(server)) as verifier:
        server.tokens[TOKEN] = said
        assert await verdict(verifier, TOKEN.encode()) == expected
        assert server.asked == [TOKEN]


async def test_c25_userinfo_speaks_of_a_person_whatever_it_says():
    async with authorization_server() as server, gate(described(server)) as verifier:
        server.tokens[TOKEN] = {**PERSON, "client_id": "john", "azp": "john"}
        assert (await verifier.authenticate(TOKEN.encode())).kind == "person"


async def test_userinfo_speaks_of_a_person_until_it_is_asked_again():
    async with authorization_server() as server, gate(described(server)) as verifier:
        server.tokens[TOKEN] = PERSON
        caller = await verifier.authenticate(TOKEN.encode())
        assert (caller.subject, caller.kind, caller.client) == ("john", "person", None)
        assert caller.expires == NOW + 60
        server.tokens[TOKEN] = web.Response(status=401)
        for later, expected in ((59, "accepted"), (60, REFUSED)):
            verifier.clock.now = NOW + later
            assert await verdict(verifier, TOKEN.encode()) == expected


WHO = {
    "the right claim": ({"require": ((("dept",), ("ml",)),)}, {"dept": "ml"}, "accepted"),
    "another claim": ({"require": ((("dept",), ("ml",)),)}, {"dept": "hr"}, "invalid_claim"),
    "no such claim": ({"require": ((("dept",), ("ml",)),)}, {}, "invalid_claim"),
    "our mail": (
        {"email_domains": ("acme.example",)},
        {"email": "j@acme.example", "email_verified": True},
        "accepted",
    ),
    "another's mail": (
        {"email_domains": ("acme.example",)},
        {"email": "j@evil.example", "email_verified": True},
        "invalid_claim",
    ),
    "an alias of the issuer": ({"aliases": (OTHER,)}, {"iss": OTHER}, "accepted"),
}


@pytest.mark.parametrize("way", ["introspection", "userinfo"])
@pytest.mark.parametrize(("demand", "said", "expected"), WHO.values(), ids=WHO)
async def test_what_is_demanded_of_signed_tokens_is_demanded_of_opaque_ones(
    way, demand, said, expected
):
    async with authorization_server() as server:
        issuer = of(server) if way == "introspection" else described(server)
        async with gate(replace(issuer, **demand)) as verifier:
            server.tokens[TOKEN] = {**without("iss"), **said}
            assert await verdict(verifier, TOKEN.encode()) == expected


async def test_userinfo_names_no_client_and_so_none_that_is_accepted():
    async with (
        authorization_server() as server,
        gate(described(server, clients=("chat-ui",))) as verifier,
    ):
        server.tokens[TOKEN] = PERSON
        assert await verdict(verifier, TOKEN.encode()) == "wrong_audience"
