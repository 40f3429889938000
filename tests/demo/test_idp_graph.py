"""Groups that the development provider's Entra tokens have no room for, asked of its Graph."""

import base64
import json
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from rolecall.config import Client, GroupOverage
from rolecall.core import Refusal
from rolecall.demo.idp import DevelopmentIdP
from rolecall.demo.idp.entra import DIRECTORY, MOST_GROUPS
from rolecall.identity.directory import Directory

NOW = 1_800_000_000
CAROL = DIRECTORY.user("carol")
ALICE = DIRECTORY.user("alice")
GATEWAY = DIRECTORY.client(DIRECTORY.audience)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def idp():
    with DevelopmentIdP.start("entra", clock=lambda: NOW) as idp:
        yield idp


def claims_of(token):
    """What a token says; its signature is another test's."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def post(url, body, **headers):
    request = urllib.request.Request(url, body, headers)
    try:
        with OPENER.open(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def own_token(idp, client=GATEWAY, scope=None):
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.secret,
        "scope": scope or f"{idp.base_url}/.default",
    }
    status, granted = post(idp.token_url, urlencode(form).encode())
    assert status == 200, granted
    return granted["access_token"]


def ask(idp, token, user=CAROL.subject, body=b'{"securityEnabledOnly":true}', kind="Bearer"):
    return post(
        f"{idp.base_url}/v1.0/users/{user}/getMemberGroups",
        body,
        **{"Authorization": f"{kind} {token}", "Content-Type": "application/json"},
    )


def test_a_token_that_has_no_room_says_so_as_entra_does(idp):
    assert len(CAROL.groups) > MOST_GROUPS
    claims = claims_of(idp.mint(username="carol"))
    assert "groups" not in claims
    assert claims["_claim_names"] == {"groups": "src1"}
    assert claims["_claim_sources"]["src1"]["endpoint"].startswith("https://graph.windows.net/")


def test_graph_tells_the_gateway_which_groups_they_are(idp):
    status, told = ask(idp, own_token(idp))
    assert (status, told["value"]) == (200, list(CAROL.groups))
    assert ask(idp, own_token(idp), ALICE.subject)[1]["value"] == []


def test_a_token_for_graph_opens_nothing_else(idp):
    claims = claims_of(own_token(idp))
    assert claims["aud"] == idp.base_url != idp.audience
    assert claims["roles"] == ["User.ReadBasic.All", "GroupMember.Read.All"]


REFUSED = {
    "no token": (lambda _: {"token": ""}, 401, "InvalidAuthenticationToken"),
    "no bearer token": (
        lambda idp: {"token": own_token(idp), "kind": "DPoP"},
        401,
        "InvalidAuthenticationToken",
    ),
    "a person's token": (
        lambda idp: {"token": idp.mint(username="carol")},
        401,
        "InvalidAuthenticationToken",
    ),
    "a token for the gateway": (
        lambda idp: {"token": own_token(idp, scope=f"api://{idp.audience}/.default")},
        401,
        "InvalidAuthenticationToken",
    ),
    "a program without the permission": (
        lambda idp: {"token": own_token(idp, idp.workload)},
        403,
        "Authorization_RequestDenied",
    ),
    "nobody": (
        lambda idp: {"token": own_token(idp), "user": "nobody"},
        404,
        "Request_ResourceNotFound",
    ),
    "no question": (
        lambda idp: {"token": own_token(idp), "body": b"{}"},
        400,
        "Request_BadRequest",
    ),
    "no JSON": (
        lambda idp: {"token": own_token(idp), "body": b"<"},
        400,
        "Request_BadRequest",
    ),
}


@pytest.mark.parametrize(("asked", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_graph_refuses_as_microsoft_s_does(idp, asked, status, code):
    found, told = ask(idp, **asked(idp))
    assert (found, told["error"]["code"]) == (status, code)


def directory(idp, **changes):
    client = Client("client_secret_post", GATEWAY.client_id, GATEWAY.secret)
    asked = {"tenant": DIRECTORY.realm, "token_endpoint": idp.token_url, "endpoint": idp.base_url}
    return Directory(GroupOverage(**{**asked, "client": client, **changes}), "x", lambda: NOW)


async def test_the_gateway_s_own_way_leads_there(idp):
    asked = directory(idp)
    found = await asked.membership(claims_of(idp.mint(username="carol")))
    assert found.groups == CAROL.groups
    with pytest.raises(Refusal, match="not in its directory any more"):
        await asked.membership({"tid": DIRECTORY.realm, "oid": DIRECTORY.realm, "scp": "x"})
    asked.retire()


async def test_a_wrong_secret_is_the_gateway_s_fault(idp, caplog):
    asked = directory(idp, client=Client("client_secret_post", GATEWAY.client_id, "wrong"))
    with pytest.raises(Refusal) as caught:
        await asked.membership(claims_of(idp.mint(username="carol")))
    assert caught.value.reason == "issuer_unavailable"
    assert "(invalid_client)" in caplog.text
    asked.retire()
