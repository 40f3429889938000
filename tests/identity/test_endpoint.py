"""The endpoint that an issuer's metadata name: found, followed with care, kept through outages."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rolecall.config import Client, KeysFrom, MetadataAt, Opaque, Reach
from rolecall.identity import Pace, Verifier
from rolecall.identity.endpoint import Endpoint, EndpointSource
from rolecall.identity.fetch import FetchError
from tests.parts.clock import when_due
from tests.parts.waiting import until

from .parts import tls
from .parts.authorization_server import CLIENT_ID, SECRET, authorization_server
from .parts.gate import (
    AUDIENCE,
    CALM,
    CLAIMS,
    ISSUER,
    KEYS_URL,
    NOW,
    SIGNER,
    Clock,
    Network,
    gate,
    settings,
    verdict,
)
from .parts.key_server import DEADLINE, ENDLESS, FAULTS, key_server
from .parts.signing import key_set

METADATA = f"{ISSUER}/.well-known/openid-configuration"
ENDPOINT = "https://login.example.com/introspect"
MTLS = "https://mtls.login.example.com/introspect"
GOOD = {"active": True, "sub": "john", "aud": AUDIENCE, "exp": NOW + 300}
PERSON = {"sub": "john"}
BASIC = Client("client_secret_basic", CLIENT_ID, SECRET)
OURS = Reach(ca_file="ca.pem")
SHOWN = replace(OURS, certificate="client.pem")
LATER = "issuer_unavailable"


class Found:
    """An `EndpointSource` of `METADATA`, and what it has told."""

    def __init__(self, document, reach=OURS, client=BASIC, metadata_reach=OURS):
        at = MetadataAt(METADATA, metadata_reach)
        self.network = Network({METADATA: document})
        self.clock = Clock()
        self.moved = []
        self.source = EndpointSource(
            at,
            Opaque(endpoint=at, client=client, reach=reach),
            ISSUER,
            fetch=self.network.fetch,
            clock=self.clock,
            pace=CALM,
            on_moved=self.moved.append,
            chance=lambda: 0.0,
        )

    async def then(self, document):
        """Another document, fetched."""
        self.network.documents[METADATA] = document
        await self.source.refresh()


async def found(document, **changes):
    source = Found(document, **changes).source
    await source.refresh()
    return source


def naming(url=ENDPOINT, **members):
    return {"issuer": ISSUER, "introspection_endpoint": url, **members}


ALIAS = {"introspection_endpoint": MTLS, "token_endpoint": "https://x.example"}
WHICH = {
    "introspection": (BASIC, OURS, naming(userinfo_endpoint="https://x.example/me"), ENDPOINT),
    "userinfo": (None, OURS, naming("https://x.example", userinfo_endpoint=ENDPOINT), ENDPOINT),
    "for those who show a certificate": (
        Client("tls_client_auth", "gw"),
        SHOWN,
        naming(mtls_endpoint_aliases=ALIAS),
        MTLS,
    ),
    "for a certificate beside a secret": (BASIC, SHOWN, naming(mtls_endpoint_aliases=ALIAS), MTLS),
    "an alias is not for a secret": (BASIC, OURS, naming(mtls_endpoint_aliases=ALIAS), ENDPOINT),
    "no alias of this one": (
        BASIC,
        SHOWN,
        naming(mtls_endpoint_aliases={"token_endpoint": "https://x.example"}),
        ENDPOINT,
    ),
    "aliases that are none": (BASIC, SHOWN, naming(mtls_endpoint_aliases=[MTLS]), ENDPOINT),
}


@pytest.mark.parametrize(("client", "reach", "document", "url"), WHICH.values(), ids=WHICH)
async def test_metadata_name_the_endpoint(client, reach, document, url):
    source = await found(document, client=client, reach=reach)
    assert source.value.url == url
    assert source.error is None


USELESS = {
    "another issuer's": ({**naming(), "issuer": f"{ISSUER}/"}, "speaks for another issuer than"),
    "nobody's": ({"introspection_endpoint": ENDPOINT}, "speaks for another issuer than"),
    "a list": ([naming()], "speaks for another issuer than"),
    "no endpoint": ({"issuer": ISSUER}, "names no introspection_endpoint; write it as endpoint"),
    "an endpoint that is none": (naming(7), "names no introspection_endpoint"),
    "plain http": (naming("http://login.example.com/i"), "uses plain http"),
    "no URL": (naming("/introspect"), "is not a URL"),
    "a file": (naming("file:///etc/passwd"), "is not a URL"),
    "a user's name": (naming("https://u:p@login.example.com/"), "must not hold a user name"),
    "this machine": (naming("http://127.0.0.1/i"), "private network; write it as endpoint"),
    "a cloud's metadata": (naming("https://169.254.169.254/i"), "private network"),
    "an alias that is none": (
        naming(mtls_endpoint_aliases={"introspection_endpoint": None}),
        "names no introspection_endpoint",
    ),
    "an outage": (FetchError("it cannot be reached"), "cannot be reached"),
}


@pytest.mark.parametrize(("document", "why"), USELESS.values(), ids=USELESS)
async def test_k06_k07_metadata_that_name_no_usable_endpoint_lead_nowhere(document, why, caplog):
    source = await found(document, reach=SHOWN)
    assert source.value is None
    assert why in source.error
    (line,) = caplog.messages
    assert line.startswith(f"issuer {ISSUER}: endpoints not refreshed: ")
    assert line.endswith("; it has no endpoints")


PRIVATE = replace(OURS, private_network=True)
WAYS = {
    "the metadata's own host": (ENDPOINT, PRIVATE, PRIVATE),
    "another host has to be public": (MTLS, PRIVATE, OURS),
    "a certificate goes along": (MTLS, SHOWN, SHOWN),
}


@pytest.mark.parametrize(("url", "reach", "expected"), WAYS.values(), ids=WAYS)
async def test_k06_the_endpoint_is_reached_on_the_terms_of_its_host(url, reach, expected):
    source = await found(naming(url), reach=reach)
    assert source.value == Endpoint(url, expected)


async def test_only_the_metadata_s_server_is_sent_the_bearer_token_and_no_certificate():
    with_bearer = replace(OURS, bearer_file="token")
    seen = Found(naming(), reach=SHOWN, metadata_reach=with_bearer)
    await seen.source.refresh()
    assert seen.network.reached == [with_bearer]
    assert seen.source.value.reach == SHOWN


# Over time


async def test_metadata_that_turn_bad_leave_the_last_good_endpoint_to_a_maximum_age():
    seen = Found(naming())
    await seen.source.refresh()
    good = seen.source.value
    for document in (FetchError("down"), {"issuer": "https://evil.example"}, {"issuer": ISSUER}):
        await seen.then(document)
        assert seen.source.value == good
    seen.clock.now += CALM.refresh + 86_400
    await seen.then(FetchError("down"))
    assert seen.source.value is None
    await seen.then(naming())
    assert seen.moved == [good, None, good]


async def test_an_endpoint_that_moves_within_its_server_is_followed(caplog):
    seen = Found(naming())
    await seen.source.refresh()
    await seen.then(naming(f"{ENDPOINT}/v2"))
    assert [endpoint.url for endpoint in seen.moved] == [ENDPOINT, f"{ENDPOINT}/v2"]
    assert f"its introspection_endpoint is {ENDPOINT}/v2 now" in caplog.text


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/introspect", "https://login.example.com:8443/introspect", MTLS],
)
async def test_k14_an_endpoint_that_moves_to_another_server_is_not_followed(elsewhere, caplog):
    seen = Found(naming())
    await seen.source.refresh()
    await seen.then(naming(elsewhere))
    assert [endpoint.url for endpoint in seen.moved] == [ENDPOINT]
    assert "at another server" in seen.source.error
    assert "the last good endpoints serve on" in caplog.text
    # not even after an outage that was too long
    seen.clock.now += CALM.refresh + 86_400
    await seen.then(FetchError("down"))
    await seen.then(naming(elsewhere))
    assert seen.source.value is None


async def test_the_same_endpoint_again_is_no_news():
    seen = Found(naming())
    for _ in range(3):
        await seen.source.refresh()
    assert len(seen.moved) == 1
    assert seen.source.fetches.made == 3


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_c28_metadata_that_fail_in_any_way_leave_the_endpoint_that_was_found(fault):
    async with key_server() as server:
        at = MetadataAt(f"{server.url}/metadata")
        server.documents["/metadata"] = naming(f"{server.url}/introspect")
        source = EndpointSource(
            at,
            Opaque(endpoint=at, client=BASIC),
            ISSUER,
            fetch=server.fetch,
            clock=Clock(),
            pace=CALM,
            on_moved=lambda _: None,
        )
        await source.refresh()
        found = source.value
        assert found.url == f"{server.url}/introspect"
        server.fault = fault
        refreshing = asyncio.create_task(source.refresh())
        await until(lambda: len(server.asked) == 2)
        if fault in ENDLESS:
            await when_due(DEADLINE, refreshing)
        await refreshing
        assert source.error is not None
        assert source.value == found


# In the whole


def of(server, way="introspection", **changes):
    at = MetadataAt(f"{server.url}/.well-known/openid-configuration")
    opaque = Opaque(endpoint=at, client=BASIC if way == "introspection" else None)
    return settings(**{"keys": KeysFrom(), "opaque": opaque, **changes})


def network(server, **members):
    url = f"{server.url}/.well-known/openid-configuration"
    named = {"introspection_endpoint": server.introspection, "userinfo_endpoint": server.userinfo}
    return Network({url: {"issuer": ISSUER, **named, **members}, KEYS_URL: key_set(SIGNER)})


@asynccontextmanager
async def asking(way="introspection", **members):
    async with authorization_server() as server:
        server.tokens["opaque"] = GOOD if way == "introspection" else PERSON
        async with gate(of(server, way), network=network(server, **members)) as verifier:
            verifier.server = server
            yield verifier


@pytest.mark.parametrize("way", ["introspection", "userinfo"])
async def test_a_token_is_looked_up_where_the_metadata_say(way):
    async with asking(way) as verifier:
        assert await verdict(verifier, b"opaque") == "accepted"
        assert await verdict(verifier, b"made-up") == "revoked"
        assert verifier.ready
        (state,) = verifier.state()
        assert state.looked_up_at == getattr(verifier.server, way)
        assert (state.ready, state.error) == (True, None)


async def test_c40_without_an_endpoint_every_token_is_a_503_and_the_gateway_is_not_ready(caplog):
    async with asking(introspection_endpoint=None) as verifier:
        assert await verdict(verifier, b"opaque") == LATER
        assert not verifier.ready
        (state,) = verifier.state()
        assert (state.ready, state.looked_up_at) == (False, None)
        assert "names no introspection_endpoint; write it as endpoint" in state.error
        assert verifier.server.asked == []
    assert "tokens cannot be looked up: http://127.0.0.1:" in caplog.text


async def test_an_issuer_that_is_not_required_keeps_nobody_waiting():
    async with authorization_server() as server:
        issuer = of(server, required=False)
        async with gate(issuer, network=Network({})) as verifier:
            assert verifier.ready
            assert await verdict(verifier, b"opaque") == LATER


async def test_signed_tokens_of_the_same_issuer_need_no_endpoint():
    async with authorization_server() as server:
        issuer = of(server, keys=settings().keys)
        documents = network(server, introspection_endpoint=None)
        async with gate(issuer, network=documents) as verifier:
            assert await verdict(verifier, SIGNER.token(CLAIMS)) == "accepted"
            assert await verdict(verifier, b"opaque") == LATER
            assert not verifier.ready


async def test_an_endpoint_that_is_found_later_is_used_from_then_on():
    async with asking(introspection_endpoint=None) as verifier:
        assert await verdict(verifier, b"opaque") == LATER
        (url, *_) = verifier.network.documents
        verifier.network.documents[url]["introspection_endpoint"] = verifier.server.introspection
        (opaque,) = verifier.issuers.opaque
        await opaque.source.refresh()
        assert await verdict(verifier, b"opaque") == "accepted"


async def test_a_token_before_the_metadata_were_fetched_is_a_503():
    async with authorization_server() as server:
        async with gate(of(server), network=network(server), started=False) as verifier:
            assert await verdict(verifier, b"opaque") == LATER
        assert server.asked == []


def after(former, issuer, documents):
    """The verifier of a reload."""
    verifier = Verifier(
        [issuer],
        limits=former._limits,
        complete=lambda caller: caller,
        clock=former.clock,
        fetch=documents.fetch,
        pace=Pace(),
    )
    verifier.adopt(former)
    return verifier


async def test_a_reload_goes_on_with_the_endpoint_that_was_found():
    async with asking() as verifier:
        fresh = after(verifier, of(verifier.server), Network({}))
        await fresh.start()
        assert await verdict(fresh, b"opaque") == "accepted"
        await fresh.stop()


async def test_a_reload_follows_an_endpoint_to_another_server(caplog):
    async with asking() as verifier, authorization_server() as other:
        other.tokens["opaque"] = GOOD
        issuer = of(verifier.server)
        elsewhere = other.introspection
        fresh = after(verifier, issuer, network(verifier.server, introspection_endpoint=elsewhere))
        await fresh.start()
        (opaque,) = fresh.issuers.opaque
        await opaque.source.refresh()
        assert await verdict(fresh, b"opaque") == "accepted"
        assert other.asked == ["opaque"]
        assert f"its introspection_endpoint is {elsewhere} now" in caplog.text
        await fresh.stop()


async def test_a_certificate_is_shown_at_the_endpoint_that_asks_for_one(tmp_path):
    """RFC 8705 5, with TLS on both endpoints and a certificate that one of them demands."""
    ours, theirs = tls.certificate(tmp_path), tls.certificate(tmp_path, "client")
    seen = []

    async def introspect(request):
        seen.append(request.transport.get_extra_info("peercert")["subject"])
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_post("/introspect", introspect)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=ours.server(clients=theirs))
    try:
        url = str(server.make_url("/introspect"))
        at = MetadataAt(str(server.make_url("/metadata")))
        named = naming(
            "https://127.0.0.1:1/i", mtls_endpoint_aliases={"introspection_endpoint": url}
        )
        reach = Reach(str(ours.file), certificate=str(theirs.file), key=str(theirs.key))
        opaque = Opaque(endpoint=at, client=Client("tls_client_auth", "gw"), reach=reach)
        issuer = settings(keys=KeysFrom(), opaque=opaque)
        async with gate(issuer, network=Network({at.url: named})) as verifier:
            assert await verdict(verifier, b"token") == "accepted"
    finally:
        await server.close()
    assert seen == [((("commonName", "client"),),)]
