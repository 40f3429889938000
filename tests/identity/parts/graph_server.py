"""Entra ID's token endpoint and Microsoft Graph on loopback: they say of accounts what we want."""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from rolecall.config import Client, GroupOverage

from .gate import CLAIMS, SIGNER, settings
from .signing import unb64

TENANT = "11111111-2222-4333-8444-555555555555"
OTHER_TENANT = "22222222-2222-4333-8444-555555555555"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"
ALICE = "0f0f0f0f-0000-4000-8000-000000000001"
BOB = "0f0f0f0f-0000-4000-8000-000000000002"
GATEWAY = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SECRET = Client("client_secret_post", GATEWAY, "s3cret+&")
GONE = web.json_response({"error": {"code": "Request_ResourceNotFound"}}, status=404)
TOO_MANY = web.json_response({"error": {"code": "Directory_ResultSizeLimitExceeded"}}, status=400)


def guid(number):
    return f"99999999-0000-4000-8000-{number:012x}"


def person(oid=ALICE, **changes):
    """A signed token that leaves its groups out."""
    return SIGNER.token(
        {
            **CLAIMS,
            "iss": ISSUER,
            "azp": "ui",
            "oid": oid,
            "scp": "access_as_user",
            "tid": TENANT,
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x"}},
            **changes,
        }
    )


class GraphServer:
    """``accounts``: of each path a list of groups, a JSON value, bytes, or a response."""

    def __init__(self):
        self.url = ""
        self.accounts = {}
        self.asked = []
        self.bodies = []
        self.forms = []
        self.issued = []
        self.accepted = None
        self.grant = None
        self.expires_in = 3599
        self.gate = None

    def overage(self, **changes):
        """The configuration that leads here."""
        return GroupOverage(
            **{
                "tenant": TENANT,
                "token_endpoint": f"{self.url}/{TENANT}/oauth2/v2.0/token",
                "endpoint": self.url,
                "client": SECRET,
                **changes,
            }
        )

    def issuer(self, name=ISSUER, *, overage=None, **changes):
        return settings(
            name,
            profile="entra",
            group_overage=self.overage(**(overage or {})),
            **changes,
        )

    async def token(self, request):
        form = dict(await request.post())
        self.forms.append((request.path, form))
        if self.grant is not None:
            return self._said(self.grant)
        await asyncio.sleep(0)
        self.issued.append(f"graph-{len(self.issued)}")
        return web.json_response(
            {
                "token_type": "Bearer",
                "expires_in": self.expires_in,
                "access_token": self.issued[-1],
            }
        )

    async def groups(self, request):
        self.asked.append((request.method, request.path_qs, request.headers["authorization"]))
        body = await request.read()
        self.bodies.append(json.loads(body) if body else None)
        if self.gate is not None:
            await self.gate.wait()
        known = self.issued if self.accepted is None else self.accepted
        if request.headers["authorization"].removeprefix("Bearer ") not in known:
            return web.json_response({"error": {"code": "InvalidAuthenticationToken"}}, status=401)
        account = request.path_qs.removeprefix("/v1.0/").removesuffix("/getMemberGroups")
        return self._said(self.accounts.get(account, GONE))

    @staticmethod
    def _said(said):
        if isinstance(said, web.Response):
            return web.Response(status=said.status, body=said.body, headers=said.headers)
        if isinstance(said, list):
            said = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata", "value": said}
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return web.Response(body=body, content_type="application/json")


def assertion_of(form):
    """The header and the claims of an assertion."""
    return [json.loads(unb64(part.encode())) for part in form["client_assertion"].split(".")[:2]]


@asynccontextmanager
async def graph_server():
    server = GraphServer()
    app = web.Application()
    app.router.add_post("/{tenant}/oauth2/v2.0/token", server.token)
    app.router.add_route("*", "/v1.0/{rest:.*}", server.groups)
    async with TestServer(app) as running:
        server.url = str(running.make_url("")).rstrip("/")
        yield server
