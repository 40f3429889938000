"""An authorization server on loopback whose introspection and userinfo endpoints say what we want.

It checks who asks with `cryptography` and the standard library alone.
"""

import base64
import json
from contextlib import asynccontextmanager
from urllib.parse import unquote_plus

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization

from .signing import HASHES, b64, unb64

CLIENT_ID, SECRET = "llm gateway:1", "s3cret/+ &ü"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AuthorizationServer:
    """What is said of each token: a JSON value, bytes as they are, or a response."""

    def __init__(self):
        self.tokens = {}
        self.asked = []
        self.forms = []
        self.accepted = []
        self.assertions = []
        self.gate = None
        self.signer = None
        self.url = ""

    @property
    def introspection(self):
        return f"{self.url}/introspect"

    @property
    def userinfo(self):
        return f"{self.url}/me"

    async def introspect(self, request):
        form = await request.post()
        self.forms.append(dict(form))
        self.accepted.append(request.headers["accept"])
        client = self._client(request, form)
        if client != CLIENT_ID:
            return web.json_response({"error": "invalid_client"}, status=401)
        return await self._say(form["token"], web.json_response({"active": False}))

    async def describe(self, request):
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        assert kind == "Bearer"
        return await self._say(token, web.json_response({"error": "invalid_token"}, status=401))

    async def _say(self, token, otherwise):
        self.asked.append(token)
        if self.gate is not None:
            await self.gate.wait()
        said = self.tokens.get(token, otherwise)
        if isinstance(said, web.Response):
            return web.Response(status=said.status, body=said.body, headers=said.headers)
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        return web.Response(body=body, content_type="application/json")

    def _client(self, request, form):
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            name, _, secret = base64.b64decode(value).decode().partition(":")
            return unquote_plus(name) if unquote_plus(secret) == SECRET else None
        if "client_secret" in form:
            return form["client_id"] if form["client_secret"] == SECRET else None
        if form.get("client_assertion_type") == ASSERTION:
            return self._asserted(form["client_assertion"].encode())
        return None

    def _asserted(self, assertion):
        signing_input, _, signature = assertion.rpartition(b".")
        header, claims = (json.loads(unb64(part)) for part in signing_input.split(b"."))
        self.assertions.append((header, claims))
        self._verify(unb64(signature), signing_input)
        return claims["sub"] if claims["iss"] == claims["sub"] else None

    def _verify(self, signature, signing_input):
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        public, algorithm = self.signer.private.public_key(), self.signer.algorithm
        if algorithm == "EdDSA":
            public.verify(signature, signing_input)
            return
        digest = HASHES[algorithm[2:]]()
        if algorithm.startswith("ES"):
            half = len(signature) // 2
            r, s = (int.from_bytes(part) for part in (signature[:half], signature[half:]))
            public.verify(encode_dss_signature(r, s), signing_input, ec.ECDSA(digest))
        else:
            public.verify(signature, signing_input, padding.PKCS1v15(), digest)


@asynccontextmanager
async def authorization_server():
    server = AuthorizationServer()
    app = web.Application()
    app.router.add_post("/introspect", server.introspect)
    app.router.add_get("/me", server.describe)
    async with TestServer(app) as running:
        server.url = str(running.make_url("")).rstrip("/")
        yield server


def pem(signer, password=None):
    """A signer's private key as operators keep it."""
    return signer.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption(),
    )


def private_jwk(signer, **members):
    """A signer's private EC key as a JWK."""
    numbers = signer.private.private_numbers()
    size = (signer.private.curve.key_size + 7) // 8
    d = b64(numbers.private_value.to_bytes(size, "big")).decode()
    return json.dumps(signer.jwk(use=None, d=d, **members)).encode()
