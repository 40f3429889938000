"""Microsoft Graph is believed only as it should be, and asked nowhere but where it was named."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from rolecall.core import Refusal
from rolecall.identity.claim_values import MAX_LOOKED_UP
from rolecall.identity.documents import FetchError
from rolecall.identity.graph import Graph
from tests.parts.clock import when_due
from tests.parts.waiting import until

from .parts.gate import NOW
from .parts.graph_server import ALICE, GONE, TENANT, TOO_MANY, graph_server, guid
from .parts.key_server import DEADLINE, ENDLESS, FAULTS, key_server

GROUPS = [guid(number) for number in range(3)]
ELSEWHERE = "https://graph.windows.net/x/getMemberObjects"


@asynccontextmanager
async def graph(**changes):
    async with graph_server() as server:
        asked = Graph(server.overage(**changes), lambda: NOW)
        asked.server = server
        yield asked
        asked.retire()
        await asked.close()


async def said(answer, kind="users"):
    """What comes of an answer: groups, a reason, or why Graph cannot be asked."""
    async with graph() as asked:
        asked.server.accounts[f"{kind}/{ALICE}"] = answer
        try:
            return await asked.member_groups(kind, ALICE)
        except Refusal as refusal:
            return str(refusal.reason)
        except FetchError as error:
            return str(error).replace(asked.server.url, "graph")


async def test_an_account_s_groups_are_asked_for_by_its_id_as_the_gateway():
    async with graph() as asked:
        asked.server.accounts[f"users/{ALICE}"] = GROUPS
        assert await asked.member_groups("users", ALICE) == tuple(GROUPS)
        path, form = asked.server.forms[0]
        assert path == f"/{TENANT}/oauth2/v2.0/token"
        assert form == {
            "grant_type": "client_credentials",
            "client_id": "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
            "client_secret": "s3cret+&",
            "scope": f"{asked.server.url}/.default",
        }
        assert asked.server.asked == [
            ("POST", f"/v1.0/users/{ALICE}/getMemberGroups", "Bearer graph-0")
        ]
        assert asked.server.bodies == [{"securityEnabledOnly": True}]


async def test_groups_that_are_for_mail_alone_are_asked_for_where_the_token_would_hold_them():
    async with graph(security_groups_only=False) as asked:
        asked.server.accounts[f"users/{ALICE}"] = GROUPS
        await asked.member_groups("users", ALICE)
        assert asked.server.bodies == [{"securityEnabledOnly": False}]


async def test_a_program_is_asked_about_as_one():
    assert await said(GROUPS, "servicePrincipals") == tuple(GROUPS)


def error(status, code=None, **headers):
    return web.json_response({"error": {"code": code}}, status=status, headers=headers)


MAY_NOT = (
    "graph answered with status {}: the gateway may not read memberships; grant its app"
    " registration the application permissions User.ReadBasic.All and GroupMember.Read.All (for"
    " programs Application.Read.All), with admin consent"
)
NO_LIST = "graph answered with no list of group IDs"
ANSWERS = {
    "groups": (GROUPS, tuple(GROUPS)),
    "no groups": ([], ()),
    "as many as Graph lists": ([guid(0)] * MAX_LOOKED_UP, (guid(0),) * MAX_LOOKED_UP),
    "more": ([guid(0)] * (MAX_LOOKED_UP + 1), "invalid_claim"),
    "too many": (TOO_MANY, "invalid_claim"),
    "gone": (GONE, "revoked"),
    # what says nothing of the account is no word about it
    "another 404": (error(404, "NotFound"), "graph answered with status 404"),
    "a 404 of something else": (
        web.Response(status=404, body=b"<html>"),
        "graph answered with no usable JSON: invalid_request",
    ),
    "a 404 whose error is none": (
        web.json_response({"error": "gone"}, status=404),
        "graph answered with status 404",
    ),
    "another 400": (error(400, "Request_BadRequest"), "graph answered with status 400"),
    "no permission": (error(403, "Authorization_RequestDenied"), MAY_NOT.format(403)),
    "throttled": (error(429, "TooManyRequests"), "graph answered with status 429"),
    "500": (error(500), "graph answered with status 500"),
    "503": (error(503), "graph answered with status 503"),
    "created": (web.json_response({"value": []}, status=201), "graph answered with status 201"),
    "a redirect": (
        web.Response(status=302, headers={"location": ELSEWHERE}),
        "graph answered with status 302",
    ),
    "compressed": (
        web.Response(body=b"x", headers={"content-encoding": "gzip"}),
        "graph answered with a compressed document",
    ),
    "no object": (b"[]", "graph answered with no JSON object"),
    "HTML": (b"<html>", "graph answered with no usable JSON: invalid_request"),
    "nothing": (b"", "graph answered with no usable JSON: invalid_request"),
    "cut": (b'{"value":["', "graph answered with no usable JSON: invalid_request"),
    "value twice": (
        b'{"value":[],"value":["%s"]}' % guid(1).encode(),
        "graph answered with no usable JSON: duplicate_key",
    ),
    "deep": (b"[" * 5000 + b"]" * 5000, "graph answered with no usable JSON: invalid_request"),
    "large": (
        b'{"value":["' + b"x" * 1_100_000 + b'"]}',
        "graph cannot be used: it answered with more than 1048576 bytes",
    ),
    "no value": ({}, NO_LIST),
    "value null": ({"value": None}, NO_LIST),
    "value a string": ({"value": guid(1)}, NO_LIST),
    "value of objects": ({"value": [{"id": guid(1)}]}, NO_LIST),
    "value of names": ({"value": ["admins"]}, NO_LIST),
    "value with null": ({"value": [guid(1), None]}, NO_LIST),
    "an ID in capitals": ({"value": [guid(10).upper()]}, NO_LIST),
    "an ID and more": ({"value": [guid(1) + "\n"]}, NO_LIST),
}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_the_account_s_groups_or_a_failure_and_never_no_groups(answer, expected):
    assert await said(answer) == expected


NEXT = "@odata.nextLink"


async def test_further_pages_are_asked_for_at_the_same_server():
    async with graph() as asked:
        following = f"{asked.server.url}/v1.0/users/{ALICE}/getMemberGroups?$skiptoken=a%2Bb"
        asked.server.accounts[f"users/{ALICE}"] = {"value": GROUPS[:2], NEXT: following}
        asked.server.accounts[f"users/{ALICE}/getMemberGroups?$skiptoken=a%2Bb"] = GROUPS[2:]
        assert await asked.member_groups("users", ALICE) == tuple(GROUPS)
        assert [(method, path) for method, path, _ in asked.server.asked] == [
            ("POST", f"/v1.0/users/{ALICE}/getMemberGroups"),
            ("GET", f"/v1.0/users/{ALICE}/getMemberGroups?$skiptoken=a%2Bb"),
        ]
        assert asked.server.bodies == [{"securityEnabledOnly": True}, None]


ON_ANOTHER_SERVER = "graph named a next page on another server"
NO_URL = "graph named a next page that is no URL"
PAGES = {
    "the old directory": (ELSEWHERE, ON_ANOTHER_SERVER),
    "a cloud's metadata": ("http://169.254.169.254/latest", ON_ANOTHER_SERVER),
    "another port": ("http://127.0.0.1:1/v1.0/x", ON_ANOTHER_SERVER),
    "the same host as a user name": ("http://127.0.0.1@evil.example/v1.0/x", ON_ANOTHER_SERVER),
    "a file": ("file:///etc/passwd", NO_URL),
    "a path alone": ("/v1.0/users", NO_URL),
    "no URL": ("http://[", NO_URL),
    "a number": (1, NO_URL),
    "null": (None, NO_URL),
    "a list": ([ELSEWHERE], NO_URL),
}


@pytest.mark.parametrize(("link", "expected"), PAGES.values(), ids=PAGES)
async def test_k15_a_page_elsewhere_is_not_asked_for_and_the_rest_is_not_enough(link, expected):
    assert await said({"value": GROUPS, NEXT: link}) == expected


async def test_pages_without_end_are_left():
    async with graph() as asked:
        again = f"{asked.server.url}/v1.0/users/{ALICE}/getMemberGroups"
        asked.server.accounts[f"users/{ALICE}"] = {"value": [], NEXT: again}
        with pytest.raises(FetchError, match="more than 32 pages"):
            await asked.member_groups("users", ALICE)
        assert len(asked.server.asked) == 32


async def test_a_token_that_is_not_accepted_any_more_is_dropped_once():
    async with graph() as asked:
        server = asked.server
        server.accounts[f"users/{ALICE}"] = GROUPS
        await asked.member_groups("users", ALICE)
        server.accepted = ["graph-1"]
        for _ in range(2):
            assert await asked.member_groups("users", ALICE) == tuple(GROUPS)
        assert server.issued == ["graph-0", "graph-1"]
        server.accepted = []
        with pytest.raises(FetchError, match="status 401: the gateway may not read"):
            await asked.member_groups("users", ALICE)
        assert server.issued == ["graph-0", "graph-1", "graph-2"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_k15_a_server_that_fails_in_any_way_is_a_failure_within_its_deadline(fault):
    async with graph_server() as tokens, key_server() as server:
        server.fault = fault
        overage = tokens.overage(endpoint=server.url, timeout=DEADLINE)
        asked = Graph(overage, lambda: NOW)
        asking = asyncio.create_task(asked.member_groups("users", ALICE))
        await until(lambda: server.asked)
        if fault in ENDLESS:
            with pytest.raises(FetchError, match="did not answer in time"):
                await when_due(DEADLINE, asking)
        else:
            with pytest.raises(FetchError):
                await asking
        asked.retire()


RETRY = {
    "not said": ({}, None),
    "seconds": ({"retry-after": "30"}, 30),
    "an hour": ({"retry-after": "3600"}, 300),
    "a date": ({"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"}, None),
    "less than nothing": ({"retry-after": "-1"}, None),
    "another alphabet's digits": ({"retry-after": "\u0663"}, None),
}


@pytest.mark.parametrize(("headers", "expected"), RETRY.values(), ids=RETRY)
async def test_graph_says_when_it_may_be_asked_again(headers, expected):
    async with graph() as asked:
        asked.server.accounts[f"users/{ALICE}"] = error(429, **headers)
        with pytest.raises(FetchError) as caught:
            await asked.member_groups("users", ALICE)
    assert caught.value.retry_after == expected


def test_the_longest_answer_fits_into_what_is_read_of_one():
    whole = json.dumps({"value": [guid(0)] * MAX_LOOKED_UP})
    assert len(whole) < 1024 * 1024
