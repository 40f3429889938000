"""Which way leads to an issuer's keys, and what a private address needs."""

import pytest

from rolecall.config import KeysFrom, Reach
from rolecall.identity.fetch import FetchError
from rolecall.identity.keydocument import key_document

from .parts.gate import ISSUER, KEYS_URL, Network

DISCOVERY_URL = f"{ISSUER}/.well-known/openid-configuration"
KEYS = {"keys": []}
PUBLIC, PRIVATE = Reach(ca_file="ca.pem"), Reach(ca_file="ca.pem", private_network=True)


async def reached(keys_from, documents):
    """Where the keys were fetched, and which way each server was reached."""
    network = Network(documents)
    fetched = await key_document(keys_from, ISSUER, network.fetch)
    assert fetched.document == KEYS
    return dict(zip(network.fetched, network.reached, strict=True))


@pytest.mark.parametrize(
    ("url", "configured", "private"),
    [
        (KEYS_URL, PUBLIC, False),
        (KEYS_URL, PRIVATE, True),
        ("https://10.0.0.7/keys", PUBLIC, True),
        ("https://[fd00::7]/keys", PUBLIC, True),
        ("http://127.0.0.1:8080/keys", PUBLIC, True),
        ("http://localhost:8080/keys", PUBLIC, True),
        ("https://93.184.216.34/keys", PUBLIC, False),
    ],
)
async def test_k06_a_private_address_has_to_be_configured_or_written_out(url, configured, private):
    ways = await reached(KeysFrom(jwks_url=url, reach=configured), {url: KEYS})
    assert ways == {url: Reach(ca_file="ca.pem", private_network=private)}


@pytest.mark.parametrize("configured", [PUBLIC, PRIVATE], ids=["public", "private"])
async def test_k06_the_metadata_s_own_host_is_reached_as_the_metadata_are(configured):
    documents = {DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": KEYS_URL}, KEYS_URL: KEYS}
    keys_from = KeysFrom(discovery_url=DISCOVERY_URL, reach=configured)
    ways = await reached(keys_from, documents)
    assert ways == {DISCOVERY_URL: configured, KEYS_URL: configured}


@pytest.mark.parametrize("configured", [PUBLIC, PRIVATE], ids=["public", "private"])
async def test_k06_another_host_that_metadata_name_has_to_be_public(configured):
    other = "https://www.googleapis.com/oauth2/v3/certs"
    documents = {DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": other}, other: KEYS}
    keys_from = KeysFrom(discovery_url=DISCOVERY_URL, reach=configured)
    assert (await reached(keys_from, documents))[other] == PUBLIC


@pytest.mark.parametrize("host", ["10.0.0.7", "169.254.169.254", "[::1]", "localhost", "127.0.0.1"])
async def test_k06_metadata_lead_to_no_private_address(host):
    other = f"https://{host}/keys"
    network = Network({DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": other}, other: KEYS})
    with pytest.raises(FetchError, match="in a private network; write it as jwks_url"):
        await key_document(
            KeysFrom(discovery_url=DISCOVERY_URL, reach=PRIVATE), ISSUER, network.fetch
        )
    assert network.fetched == [DISCOVERY_URL]


async def test_a_file_of_more_than_1_mib_is_refused(tmp_path):
    file = tmp_path / "keys.json"
    file.write_bytes(b" " * (1024 * 1024 + 1))
    with pytest.raises(FetchError, match="more than 1048576 bytes"):
        await key_document(KeysFrom(jwks_file=str(file)), ISSUER, Network({}).fetch)


@pytest.mark.parametrize(
    ("keys_url", "bearer_file"),
    [
        (KEYS_URL, "token"),
        ("https://www.googleapis.com/oauth2/v3/certs", None),
        ("https://login.example.com:8443/keys", None),
    ],
    ids=["the same server", "another host", "another port"],
)
async def test_a_bearer_token_goes_to_the_configured_server_alone(keys_url, bearer_file):
    documents = {DISCOVERY_URL: {"issuer": ISSUER, "jwks_uri": keys_url}, keys_url: KEYS}
    reach = Reach(bearer_file="token")
    ways = await reached(KeysFrom(discovery_url=DISCOVERY_URL, reach=reach), documents)
    assert ways[DISCOVERY_URL].bearer_file == "token"
    assert ways[keys_url].bearer_file == bearer_file
