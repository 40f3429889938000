"""How the gateway shows an authorization server who it is."""

import pytest

from rolecall.config import Client, KeysFrom, Opaque
from rolecall.config.signing_key import read_signing_key

from .parts.authorization_server import (
    CLIENT_ID,
    SECRET,
    authorization_server,
    pem,
    private_jwk,
)
from .parts.gate import AUDIENCE, ISSUER, NOW, gate, settings, verdict
from .parts.signing import Signer

GOOD = {"active": True, "sub": "john", "aud": AUDIENCE, "exp": NOW + 300}


async def asked(client, signer=None):
    """The verdict on a good token, and what the server was sent."""
    async with authorization_server() as server:
        server.signer = signer
        server.tokens["opaque"] = server.tokens["another"] = GOOD
        opaque = Opaque(endpoint=server.introspection, client=client)
        async with gate(settings(keys=KeysFrom(), opaque=opaque)) as verifier:
            verdicts = [await verdict(verifier, token) for token in (b"opaque", b"another")]
    return verdicts, server


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_c37_a_secret_of_any_characters_is_shown(method):
    verdicts, server = await asked(Client(method, CLIENT_ID, SECRET))
    assert verdicts == ["accepted"] * 2
    form = server.forms[0]
    assert (form["token"], form["token_type_hint"]) == ("opaque", "access_token")
    assert ("client_secret" in form) == (method == "client_secret_post")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_c40_a_wrong_secret_is_the_gateway_s_fault_and_a_503(method, caplog):
    verdicts, _ = await asked(Client(method, CLIENT_ID, "WR0NG"))
    assert verdicts == ["issuer_unavailable"] * 2
    assert "status 401; compare the gateway's client_id and client_auth" in caplog.text
    assert "WR0NG" not in caplog.text


SIGNERS = [
    Signer("client", "RS256"),
    Signer("client", "ES256"),
    Signer("client", "ES384"),
    Signer("client", "ES512"),
    Signer("client", "EdDSA"),
]


@pytest.mark.parametrize("signer", SIGNERS, ids=lambda signer: signer.algorithm)
async def test_c37_a_private_key_signs_an_assertion_for_each_request(tmp_path, signer):
    file = tmp_path / "client.pem"
    file.write_bytes(pem(signer))
    key = read_signing_key(file, "client-key-1")
    verdicts, server = await asked(Client("private_key_jwt", CLIENT_ID, signing_key=key), signer)
    assert verdicts == ["accepted"] * 2
    for header, claims in server.assertions:
        assert header == {"typ": "JWT", "alg": signer.algorithm, "kid": "client-key-1"}
        assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT_ID, CLIENT_ID, ISSUER)
        assert (claims["iat"], claims["exp"]) == (NOW, NOW + 60)
    assert len({claims["jti"] for _, claims in server.assertions}) == 2


async def test_a_private_key_may_be_a_jwk_with_its_own_name(tmp_path):
    signer = Signer("of-the-jwk", "ES256")
    file = tmp_path / "client.json"
    file.write_bytes(private_jwk(signer))
    key = read_signing_key(file, None)
    verdicts, server = await asked(Client("private_key_jwt", CLIENT_ID, signing_key=key), signer)
    assert verdicts == ["accepted"] * 2
    assert server.assertions[0][0]["kid"] == "of-the-jwk"


async def test_what_shows_the_gateway_is_never_printed():
    client = Client("client_secret_basic", CLIENT_ID, "S3CRET")
    assert "S3CRET" not in repr(Opaque(endpoint="https://x", client=client))
