"""Answers of an introspection endpoint that must be signed (RFC 9701), and every way they fail."""

import hashlib
import hmac
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config import Client, Limits, Opaque
from rolecall.identity import Pace
from rolecall.identity.documents import Answer, FetchError
from rolecall.identity.keyset import import_keys
from rolecall.identity.signature import verify
from rolecall.identity.signed_answer import SignedAnswers, read
from rolecall.identity.signing_key import SigningIssuer

from .parts.at_once import at_once
from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import (
    AUDIENCE,
    CALM,
    CLAIMS,
    ISSUER,
    KEYS_URL,
    LEEWAY,
    NOW,
    SIGNER,
    Network,
    gate,
    settings,
    verdict,
)
from .parts.signing import Signer, b64, bare, key_set

BASIC = Client("client_secret_basic", CLIENT_ID, SECRET)
MEDIA_TYPE = "application/token-introspection+jwt"
TYP = "token-introspection+jwt"
TOKEN = "opaque-of-john"
GOOD = {
    "active": True,
    "iss": ISSUER,
    "sub": "john",
    "aud": AUDIENCE,
    "client_id": "chat-ui",
    "exp": NOW + 300,
    "roles": ["user"],
}
WHOLE = {"iss": ISSUER, "aud": CLIENT_ID, "iat": NOW, "token_introspection": GOOD}
NEXT, ATTACKER = Signer("k2"), Signer(name="attacker")
REFUSED, LATER = "revoked", "issuer_unavailable"


def answer(body, kind=MEDIA_TYPE):
    return web.Response(body=body, headers={"content-type": kind})


def signed(*without, signer=SIGNER, header=None, kind=MEDIA_TYPE, **changes):
    """A good answer but for the changes."""
    claims = {name: value for name, value in {**WHOLE, **changes}.items() if name not in without}
    return answer(signer.token(claims, {"typ": TYP, **(header or {})}), kind)


def saying(**changes):
    return signed(token_introspection={**GOOD, **changes})


@asynccontextmanager
async def asking(said, *, pace=CALM, way=BASIC, tokens="opaque", **changes):
    """A verifier, and the server that says this of the token."""
    async with authorization_server() as server:
        opaque = Opaque(
            endpoint=server.introspection, client=way, signed_response=True, tokens=tokens
        )
        issuer = settings(opaque=opaque, **changes)
        async with gate(issuer, pace=pace, network=Network({KEYS_URL: key_set(SIGNER)})) as found:
            server.tokens[TOKEN] = said
            found.server = server
            yield found


async def test_a_signed_answer_is_asked_for_and_believed():
    async with asking(signed()) as verifier:
        caller = await verifier.authenticate(TOKEN.encode())
        assert (caller.issuer, caller.subject, caller.client) == (ISSUER, "john", "chat-ui")
        assert caller.expires == NOW + 300
        assert "token_introspection" not in caller.claims
        assert verifier.server.accepted == [MEDIA_TYPE]


async def test_plain_answers_are_asked_for_as_ever():
    async with authorization_server() as server:
        server.tokens[TOKEN] = GOOD
        opaque = Opaque(endpoint=server.introspection, client=BASIC)
        async with gate(settings(opaque=opaque)) as verifier:
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
    assert server.accepted == ["application/json"]


def hs256(secret):
    signing_input = bare({"typ": TYP, "alg": "HS256", "kid": "k1"}, WHOLE).rpartition(b".")[0]
    return signing_input + b"." + b64(hmac.digest(secret, signing_input, hashlib.sha256))


def twice(name, value):
    """The payload of a good answer in which a member stands twice."""
    return f"{json.dumps(WHOLE)[:-1]}, {json.dumps(name)}: {json.dumps(value)}}}".encode()


def segments(parts):
    """Good base64url of anything, with dots between."""
    return b".".join(b64(part) for part in parts)


async def nothing(_):
    """Nobody publishes another key."""


TAMPERED = SIGNER.token(WHOLE, {"typ": TYP}).split(b".")
TAMPERED[1] = b64(json.dumps({**WHOLE, "token_introspection": {**GOOD, "sub": "admin"}}).encode())
PUBLIC = json.dumps(SIGNER.jwk()).encode()
NESTED = b64(b'{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}') + b".a2V5.aXY.Y2lwaGVy.dGFn"
ANSWERS = {
    "good": (signed(), "accepted"),
    "a parameter of the media type": (signed(kind=f"{MEDIA_TYPE}; charset=utf-8"), "accepted"),
    "a media type in capitals": (signed(kind=MEDIA_TYPE.title()), "accepted"),
    "typ with application/": (signed(header={"typ": MEDIA_TYPE}), "accepted"),
    "typ in capitals": (signed(header={"typ": TYP.upper()}), "accepted"),
    "for several": (signed(aud=["another-api", CLIENT_ID]), "accepted"),
    "of the second in which it was asked for": (signed(iat=NOW + 0.5), "accepted"),
    "of a clock that is behind": (signed(iat=NOW - LEEWAY), "accepted"),
    "of a clock that is ahead": (signed(iat=NOW + LEEWAY), "accepted"),
    # about the token
    "not active": (signed(token_introspection={"active": False}), REFUSED),
    "active as a string": (saying(active="true"), REFUSED),
    "active as a number": (saying(active=1), REFUSED),
    "nothing said": (signed(token_introspection={}), REFUSED),
    "another audience": (saying(aud="another-api"), "wrong_audience"),
    "the gateway's client as the audience": (saying(aud=CLIENT_ID), "wrong_audience"),
    "another issuer's token": (saying(iss="https://evil.example"), "unknown_issuer"),
    "expired": (saying(exp=NOW - 61), "expired"),
    "a refresh token": (saying(token_type="refresh_token"), "wrong_token_kind"),
    # about the answer
    "plain JSON": (answer(json.dumps(GOOD).encode(), "application/json"), LATER),
    "plain JSON by another name": (answer(json.dumps(GOOD).encode()), LATER),
    "the whole as JSON": (answer(json.dumps(WHOLE).encode()), LATER),
    "signed, and called JSON": (signed(kind="application/json"), LATER),
    "signed, and called a JWT": (signed(kind="application/jwt"), LATER),
    "no media type": (signed(kind=""), LATER),
    "an access token's typ": (signed(header={"typ": "at+jwt"}), LATER),
    "a plain typ": (signed(header={"typ": "JWT"}), LATER),
    "no typ": (signed(header={"typ": None}), LATER),
    "a typ that is none": (signed(header={"typ": [TYP]}), LATER),
    "an access token": (answer(SIGNER.token(CLAIMS)), LATER),
    "another issuer's": (signed(iss="https://evil.example"), LATER),
    "almost the issuer's": (signed(iss=f"{ISSUER}/"), LATER),
    "nobody's": (signed("iss"), LATER),
    "for another client": (signed(aud="another-api"), LATER),
    "for the token's audience": (signed(aud=AUDIENCE), LATER),
    "for nobody": (signed("aud"), LATER),
    "for no name": (signed(aud=[CLIENT_ID, 1]), LATER),
    "stale": (signed(iat=NOW - LEEWAY - 1), LATER),
    "of the future": (signed(iat=NOW + LEEWAY + 1), LATER),
    "of no time": (signed("iat"), LATER),
    "of a time in digits": (signed(iat=str(NOW)), LATER),
    "of a true time": (signed(iat=True), LATER),
    "with a subject of its own": (signed(sub="admin"), LATER),
    "with an expiry of its own": (signed(exp=NOW + 300), LATER),
    "nothing about a token": (signed("token_introspection"), LATER),
    "a list about a token": (signed(token_introspection=[GOOD]), LATER),
    "a text about a token": (signed(token_introspection=json.dumps(GOOD)), LATER),
    "null about a token": (signed(token_introspection=None), LATER),
    "claims that lie about": (signed("token_introspection", **{**GOOD, **WHOLE}), LATER),
    "token_introspection twice": (
        answer(SIGNER.token(twice("token_introspection", {**GOOD, "sub": "admin"}), {"typ": TYP})),
        LATER,
    ),
    "iss twice": (answer(SIGNER.token(twice("iss", ISSUER), {"typ": TYP})), LATER),
    "tampered with": (answer(b".".join(TAMPERED)), LATER),
    "another's signature": (signed(signer=ATTACKER), LATER),
    "none": (answer(bare({"typ": TYP, "alg": "none"}, WHOLE)), LATER),
    "none, with a signature": (signed(header={"alg": "none"}), LATER),
    "HS256 with the public key": (answer(hs256(PUBLIC)), LATER),
    "HS256 with the client's secret": (answer(hs256(SECRET.encode())), LATER),
    "an algorithm that is not the key's": (signed(header={"alg": "ES384"}), LATER),
    "a key that comes along": (signed(signer=ATTACKER, header={"jwk": ATTACKER.jwk()}), LATER),
    "crit": (signed(header={"crit": ["exp"]}), LATER),
    "encrypted": (answer(NESTED), LATER),
    "two answers": (answer(SIGNER.token(WHOLE, {"typ": TYP}) * 2), LATER),
    "a line break": (answer(SIGNER.token(WHOLE, {"typ": TYP}) + b"\n"), LATER),
    "padded": (answer(SIGNER.token(WHOLE, {"typ": TYP}) + b"="), LATER),
    "nothing": (answer(b""), LATER),
    "bytes": (answer(bytes(range(256))), LATER),
    "huge": (signed(more="x" * 1_100_000), LATER),
    "deep": (signed(more=json.loads("[" * 100 + "]" * 100)), LATER),
    "an error that is signed": (
        web.Response(status=401, body=SIGNER.token(WHOLE), headers={"content-type": MEDIA_TYPE}),
        LATER,
    ),
}


@pytest.mark.parametrize(("said", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_c37_c40_k12_a_signed_answer_is_believed_only_as_it_should_be(said, expected):
    async with asking(said) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == expected
        # the key that it names is known
        assert verifier.network.fetched == [KEYS_URL]


@given(st.binary() | st.lists(st.binary(), min_size=3, max_size=5).map(segments))
def test_whatever_comes_as_a_signed_answer_is_one_or_a_failure(body):
    """No answer is a traceback, and none that nobody has signed is believed."""
    source = SimpleNamespace(keys=import_keys(key_set(SIGNER)), error=None, look_for=nothing)
    expected = SignedAnswers(SigningIssuer(settings(), source), CLIENT_ID, Limits(), verify)
    told = Answer(200, {"content-type": MEDIA_TYPE}, body)
    with pytest.raises(FetchError):
        at_once(read(told, expected, "https://login.example.com/introspect", NOW, NOW))


async def test_an_answer_may_be_longer_than_a_token():
    async with asking(saying(groups=["x" * 1000] * 100)) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "accepted"


WHY = {
    "plain": (answer(b"{}", "application/json"), "introspection_signed_response_alg"),
    "encrypted": (answer(NESTED), "encrypts its answer, which is not read here"),
    "stale": (signed(iat=NOW - 3600), "its iat is not the time at which it was asked for"),
    "for another": (signed(aud="another-api"), "cannot be believed: wrong_audience"),
    "forged": (signed(signer=ATTACKER), "cannot be believed: bad_signature"),
    "another kind": (signed(header={"typ": "JWT"}), "its typ is not token-introspection+jwt"),
}


@pytest.mark.parametrize(("said", "why"), WHY.values(), ids=WHY)
async def test_the_log_says_why_an_answer_is_not_believed_and_nothing_of_it(said, why, caplog):
    async with asking(said) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == LATER
        assert f"tokens cannot be looked up: {verifier.server.introspection} " in caplog.text
    assert why in caplog.text
    assert not {TOKEN, "another-api", "chat-ui"} & set(caplog.text.split())


# The keys of answers are the issuer's


async def test_an_answer_of_a_new_key_is_believed_after_one_fetch():
    async with asking(signed(signer=NEXT)) as verifier:
        verifier.network.documents[KEYS_URL] = key_set(SIGNER, NEXT)
        assert await verdict(verifier, TOKEN.encode()) == "accepted"
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_answers_of_unknown_keys_are_one_fetch_per_cooldown():
    async with asking(None, pace=Pace(refresh=3600, cooldown=3600)) as verifier:
        for number in range(5):
            token = f"token-{number}"
            verifier.server.tokens[token] = signed(header={"kid": f"made-up-{number}"})
            assert await verdict(verifier, token.encode()) == LATER
        assert verifier.network.fetched == [KEYS_URL] * 2


async def test_a_key_that_is_banned_signs_no_answers():
    async with asking(signed(), banned_keys=frozenset({"k1"})) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == LATER


async def test_an_algorithm_that_the_issuer_may_not_use_signs_no_answers():
    async with asking(signed(), algorithms=("RS256",)) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == LATER


async def test_c30_what_a_withdrawn_key_has_signed_is_remembered_no_more():
    async with asking(signed()) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "accepted"
        verifier.network.documents[KEYS_URL] = key_set(NEXT)
        (source,) = verifier.issuers.sources.values()
        await source.refresh()
        assert await verdict(verifier, TOKEN.encode()) == LATER
        assert len(verifier.server.asked) == 2


# The rest is as with plain answers


async def test_c39_answers_are_remembered_good_and_bad_ones():
    async with asking(signed()) as verifier:
        verifier.server.tokens["made-up"] = signed(token_introspection={"active": False})
        for _ in range(3):
            assert await verdict(verifier, TOKEN.encode()) == "accepted"
            assert await verdict(verifier, b"made-up") == REFUSED
        assert verifier.server.asked == [TOKEN, "made-up"]


async def test_c40_an_answer_that_is_not_believed_is_not_remembered():
    async with asking(signed(signer=ATTACKER)) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == LATER
        verifier.server.tokens[TOKEN] = signed()
        assert await verdict(verifier, TOKEN.encode()) == "accepted"


async def test_signed_tokens_may_be_asked_about_with_signed_answers():
    token = SIGNER.token(CLAIMS)
    said = signed(token_introspection={**CLAIMS, "active": True, "roles": ["admin"]})
    async with asking(None, tokens="all") as verifier:
        verifier.server.tokens[token.decode()] = said
        caller = await verifier.authenticate(token)
        assert [claim.value for claim in caller.role_claims] == ["admin"]
        verifier.clock.now = NOW + 60
        verifier.server.tokens[token.decode()] = answer(b"{}", "application/json")
        assert await verdict(verifier, token) == LATER


# An issuer whose tokens are all opaque has keys for its answers alone


async def test_keys_of_answers_make_no_signed_token_good():
    async with asking(signed(), signed_tokens=False) as verifier:
        assert await verdict(verifier, TOKEN.encode()) == "accepted"
        assert await verdict(verifier, SIGNER.token(CLAIMS)) == "unknown_issuer"
        (state,) = verifier.state()
        assert (state.ready, state.keys) == (True, 1)


async def test_c23_an_answer_that_is_stolen_is_no_token():
    async with asking(signed()) as verifier:
        stolen = SIGNER.token({**WHOLE, **CLAIMS}, {"typ": TYP})
        assert await verdict(verifier, stolen) == "wrong_token_kind"
        assert verifier.server.asked == []


async def test_without_keys_no_answer_is_believed_and_the_gateway_is_not_ready():
    async with authorization_server() as server:
        server.tokens[TOKEN] = signed()
        opaque = Opaque(endpoint=server.introspection, client=BASIC, signed_response=True)
        issuer = settings(opaque=opaque, signed_tokens=False)
        async with gate(issuer, network=Network({})) as verifier:
            assert not verifier.ready
            assert await verdict(verifier, TOKEN.encode()) == LATER
