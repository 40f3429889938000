"""Groups that a token of Entra ID leaves out decide calls, once the directory has told them."""

import json
from urllib.parse import parse_qs

import pytest

from .parts import serving
from .parts.doors import CHAT, ENDPOINTS
from .parts.tokens import AUDIENCE, token
from .parts.upstream import answer_well

TENANT = "11111111-2222-4333-8444-555555555555"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
ALICE = "0f0f0f0f-0000-4000-8000-000000000001"
STAFF = "99999999-0000-4000-8000-000000000001"
BARRED = "99999999-0000-4000-8000-000000000002"
JSON = ("Content-Type", "application/json")


class Graph:
    """Entra ID's token endpoint and Microsoft Graph, at the upstream's address."""

    def __init__(self, upstream):
        self.groups = [STAFF]
        self.failure = None
        self.asked = []
        upstream.answer = self._answer

    async def _answer(self, received, wire):
        if received.target == "/token":
            assert parse_qs(received.body.decode())["client_secret"] == ["s3cret"]
            body = {"token_type": "Bearer", "expires_in": 3599, "access_token": "of-the-gateway"}
            await wire.whole(200, json.dumps(body).encode(), JSON)
        elif received.target == f"/v1.0/users/{ALICE}/getMemberGroups":
            self.asked += received.header("authorization")
            if self.failure is not None:
                await wire.whole(*self.failure)
                return
            await wire.whole(200, json.dumps({"value": self.groups}).encode(), JSON)
        else:
            await answer_well(received, wire)


@pytest.fixture
def graph(upstream):
    return Graph(upstream)


@pytest.fixture
def gateway(tmp_path, upstream, graph):
    sections = serving.configuration(tmp_path, upstream.url)
    (issuer,) = sections["issuers"]
    issuer |= {
        "issuer": ISSUER,
        "profile": "entra",
        "algorithms": ["ES256"],
        "group_overage": {
            "client_id": "gw",
            "client_secret": "s3cret",
            "endpoint": upstream.url,
            "token_endpoint": f"{upstream.url}/token",
        },
    }
    sections["roles"] = [
        {"role": "internal_user", "groups": [STAFF]},
        {"role": "barred", "when": f"'{BARRED}' in claims.groups"},
    ]
    sections["rules"].append({"deny": ["barred"], "models": ["*"]})
    sections["metrics"] = {"roles": "any"}
    with serving.running(tmp_path, sections) as running:
        yield running


def crowded(**changes):
    """Alice's token, which has no room for her groups."""
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "azp": "ui",
        "oid": ALICE,
        "tid": TENANT,
        "scp": "x",
        "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x"}},
        **changes,
    }
    return ("Authorization", f"Bearer {token(roles=None, **claims)}")


def test_groups_that_were_looked_up_decide_calls(gateway, graph):
    for door in ENDPOINTS:
        assert gateway.post(door.path, door.body(), crowded(), authorised=False).status == 200
    assert graph.asked == ["Bearer of-the-gateway"]


def test_a_deny_rule_sees_them_too(gateway, graph):
    graph.groups = [STAFF, BARRED]
    reply = gateway.post(CHAT.path, CHAT.body(), crowded(), authorised=False)
    CHAT.refused(reply, "denied_by_rule")


def test_the_caller_is_told_where_they_are_from(gateway):
    told = gateway.get("/whoami", crowded(), authorised=False).json
    assert told["roles"] == [{"role": "internal_user", "from": [f"group '{STAFF}'"]}]
    assert told["notes"] == [
        "the token has no room for its groups: they are those of its directory now"
    ]


def test_a_directory_that_is_throttled_says_when_to_come_back(gateway, graph):
    graph.failure = (429, b"{}", JSON, ("Retry-After", "30"))
    for door in ENDPOINTS:
        reply = gateway.post(door.path, door.body(), crowded(), authorised=False)
        door.refused(reply, "issuer_unavailable")
        assert reply.headers["retry-after"] == "30"
    assert len(graph.asked) == 1


def test_look_ups_are_counted(gateway):
    gateway.get("/whoami", crowded(), authorised=False)
    text = gateway.get("/metrics", authorised=False).body.decode()
    (line,) = (line for line in text.splitlines() if 'result="found"' in line)
    assert line == f'rolecall_group_lookups_total{{issuer="{ISSUER}",result="found"}} 1.0'
    assert ALICE not in text
