"""The gateway's own token: asked for seldom, as it should be, and believed only if it is one."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from rolecall.config import Client, Reach
from rolecall.config.signing_key import read_signing_key
from rolecall.identity.client_credentials import ClientCredentials
from rolecall.identity.documents import FetchError
from tests.parts.waiting import until

from .parts.authorization_server import pem
from .parts.gate import NOW, Clock
from .parts.graph_server import SECRET, assertion_of, graph_server
from .parts.signing import Signer

SCOPE = "https://graph.microsoft.com/.default"
GRANT = {"token_type": "Bearer", "expires_in": 3599, "access_token": "abc"}


@asynccontextmanager
async def credentials(client=SECRET):
    async with graph_server() as server:
        clock = Clock()
        endpoint = server.overage().token_endpoint
        ours = ClientCredentials(endpoint, client, SCOPE, Reach(), 5, clock)
        ours.server, ours.clock = server, clock
        yield ours
        ours.retire()
        await ours.close()


async def test_a_token_is_used_until_a_minute_before_it_expires():
    async with credentials() as ours:
        for later, token in ((0, 0), (3538, 0), (3539, 1), (3539 + 3538, 1), (2 * 3539, 2)):
            ours.clock.now = NOW + later
            assert await ours.token() == f"graph-{token}"


@pytest.mark.parametrize("lifetime", [None, "3599", True, -5, 0, 59, [3599]], ids=repr)
async def test_a_token_of_no_known_lifetime_is_used_once(lifetime):
    async with credentials() as ours:
        ours.server.expires_in = lifetime
        assert [await ours.token() for _ in range(2)] == ["graph-0", "graph-1"]


async def test_a_token_is_never_used_for_more_than_a_day():
    async with credentials() as ours:
        ours.server.expires_in = 1e300
        for later, token in ((0, 0), (86_400 - 61, 0), (86_400 - 60, 1)):
            ours.clock.now = NOW + later
            assert await ours.token() == f"graph-{token}"


async def test_500_requests_ask_for_one_token():
    async with credentials() as ours:
        tokens = await asyncio.gather(*(ours.token() for _ in range(500)))
        assert set(tokens) == {"graph-0"}
        assert len(ours.server.forms) == 1


async def test_a_request_that_is_cancelled_does_not_take_the_token_of_the_others_along():
    async with credentials() as ours:
        first, second = (asyncio.create_task(ours.token()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "graph-0"


async def test_only_the_token_that_was_not_accepted_is_dropped():
    async with credentials() as ours:
        assert await ours.token() == "graph-0"
        ours.drop("another")
        assert await ours.token() == "graph-0"
        ours.drop("graph-0")
        assert await ours.token() == "graph-1"
        assert "graph-1" not in repr(ours.granted)


COMPARE = (
    "; compare the gateway's client_id, and its secret, certificate or assertion, with what"
    " it knows"
)
NO_TOKEN = "answered with no bearer token"
ANSWERS = {
    "a wrong secret": (
        web.json_response({"error": "invalid_client", "error_description": "s3cret"}, status=401),
        f"answered with status 401 (invalid_client){COMPARE}",
    ),
    "a client that is not known": (
        web.json_response({"error": "unauthorized_client"}, status=400),
        f"answered with status 400 (unauthorized_client){COMPARE}",
    ),
    "an error that is a sentence": (
        web.json_response({"error": "Your secret s3cret is wrong"}, status=400),
        f"answered with status 400{COMPARE}",
    ),
    "an error that is none": (
        web.json_response({"error": ["invalid_client"]}, status=400),
        f"answered with status 400{COMPARE}",
    ),
    "an error in HTML": (
        web.Response(status=401, body=b"<html>"),
        f"answered with status 401{COMPARE}",
    ),
    "500": (web.Response(status=500), "answered with status 500"),
    "a redirect": (
        web.Response(status=302, headers={"location": "https://evil.example"}),
        "answered with status 302",
    ),
    "HTML": (b"<html>", "answered with no usable JSON: invalid_request"),
    "no object": (b"[]", "answered with no JSON object"),
    "two tokens": (
        b'{"token_type":"Bearer","access_token":"a","access_token":"b"}',
        "answered with no usable JSON: duplicate_key",
    ),
    "no token": ({**GRANT, "access_token": None}, NO_TOKEN),
    "an empty one": ({**GRANT, "access_token": ""}, NO_TOKEN),
    "a token with a line break": ({**GRANT, "access_token": "a\r\nx-admin: 1"}, NO_TOKEN),
    "an endless one": ({**GRANT, "access_token": "a" * 16_385}, NO_TOKEN),
    "a token of another type": ({**GRANT, "token_type": "DPoP"}, NO_TOKEN),
    "a token of no type": ({"access_token": "abc"}, NO_TOKEN),
    "a type that is none": ({**GRANT, "token_type": ["Bearer"]}, NO_TOKEN),
}


@pytest.mark.parametrize(("said", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_what_is_no_token_is_not_used_and_nothing_of_it_is_told(said, expected):
    async with credentials() as ours:
        ours.server.grant = said
        for _ in range(2):
            with pytest.raises(FetchError) as caught:
                await ours.token()
            told = str(caught.value)
            assert told.endswith(expected)
            assert "s3cret" not in told
            # nobody is helped by asking again at once
            assert caught.value.retry_after == 1
        ours.server.grant = None
        assert await ours.token() == "graph-0"


async def test_the_server_says_when_it_may_be_asked_again():
    async with credentials() as ours:
        ours.server.grant = web.Response(status=429, headers={"retry-after": "17"})
        with pytest.raises(FetchError) as caught:
            await ours.token()
        assert caught.value.retry_after == 17


async def test_a_certificate_s_key_signs_an_assertion_for_the_token_endpoint(tmp_path):
    file = tmp_path / "key.pem"
    file.write_bytes(pem(Signer("client", "RS256")))
    key = replace(read_signing_key(file, None), algorithm="PS256", certificate="thumbprint")
    async with credentials(Client("private_key_jwt", "gw", signing_key=key)) as ours:
        ours.server.expires_in = 0
        for _ in range(2):
            await ours.token()
        forms = [form for _, form in ours.server.forms]
        for form in forms:
            assert form.keys() == {
                "grant_type",
                "scope",
                "client_id",
                "client_assertion_type",
                "client_assertion",
            }
            header, claims = assertion_of(form)
            assert header == {"typ": "JWT", "alg": "PS256", "x5t#S256": "thumbprint"}
            assert claims["aud"] == ours.server.overage().token_endpoint
            assert (claims["iss"], claims["sub"]) == ("gw", "gw")
            assert claims["exp"] == NOW + 60
        assert len({assertion_of(form)[1]["jti"] for form in forms}) == 2


async def test_what_another_issuer_has_signed_is_read_each_time(tmp_path):
    file = tmp_path / "token"
    client = Client("private_key_jwt", "gw", assertion_file=str(file))
    async with credentials(client) as ours:
        ours.server.expires_in = 0
        for assertion in ("head.claims.first", "head.claims.second"):
            file.write_text(f"{assertion}\n")
            await ours.token()
        forms = [form for _, form in ours.server.forms]
        assert [form["client_assertion"] for form in forms] == [
            "head.claims.first",
            "head.claims.second",
        ]
        assert forms[0]["client_id"] == "gw"


@pytest.mark.parametrize("content", [None, "", "two words", "line\nbreak", "\u00e4"])
async def test_without_an_assertion_nobody_is_asked(tmp_path, content):
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, "utf-8")
    async with credentials(Client("private_key_jwt", "gw", assertion_file=str(file))) as ours:
        with pytest.raises(FetchError, match="bearer token") as caught:
            await ours.token()
        assert caught.value.retry_after == 1
        assert ours.server.forms == []


async def test_it_ends_while_it_asks():
    async with credentials() as ours:
        waiting = asyncio.create_task(ours.token())
        await until(lambda: len(ours._askings))
        await ours.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
