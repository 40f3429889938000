"""TLS to HTTP/2 upstreams: verified as everywhere, and agreed upon in the handshake (RFC 7301)."""

import ssl

import pytest

from rolecall.config import Tls
from rolecall.core import Reason

from ..parts.exchange import body_of, come_to, outcome, request
from ..parts.proxy import UPSTREAM, behind, proxy
from .parts.server import own, serving

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


async def test_a_certificate_of_the_authority_is_trusted(transport, authority):
    async with serving(tls=authority.server("127.0.0.1")) as server:
        asked = request(f"{server.url}/own", tls=Tls(authority.file))
        for _ in range(3):
            assert await body_of(transport, asked) == b"own /own {}"
        assert len(server.peers) == 1
        assert dict(server.requests[0].headers)[b":scheme"] == b"https"


@pytest.mark.parametrize("name", ["localhost", "upstream.test"])
async def test_a_certificate_for_another_host_is_refused(transport, authority, name):
    async with serving(tls=authority.server(name)) as server:
        asked = request(server.url, tls=Tls(authority.file))
        assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


async def test_trust_is_each_upstreams_own(transport, authority, other_authority):
    async with serving(tls=authority.server("127.0.0.1")) as server:
        trusted = request(f"{server.url}/own", tls=Tls(authority.file))
        assert await body_of(transport, trusted) == b"own /own {}"
        for tls in (None, Tls(other_authority.file)):
            asked = request(f"{server.url}/own", tls=tls)
            assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert len(server.requests) == 1


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_certificate_is_shown_where_it_is_required(
    transport, authority, other_authority, version
):
    context = authority.server("127.0.0.1", clients=authority.file)
    context.minimum_version = context.maximum_version = version
    async with serving(tls=context) as server:
        good = request(f"{server.url}/own", tls=Tls(authority.file, authority.sign("client")))
        assert await body_of(transport, good) == b"own /own {}"
        for certificate in (None, other_authority.sign("client")):
            bad = request(f"{server.url}/own", tls=Tls(authority.file, certificate))
            assert await outcome(transport, bad) is Reason.UPSTREAM_UNAVAILABLE
        assert len(server.requests) == 1
        await come_to(transport, 1, 1)


async def test_an_upstream_that_agrees_to_http_1_alone_is_unavailable(transport, authority):
    tls = authority.server("127.0.0.1")
    async with serving(tls=tls, alpn="http/1.1") as server:
        asked = request(server.url, tls=Tls(authority.file))
        assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_next_connection_resumes_the_last_ones_session(transport, authority, version):
    async def answer(peer, received):
        resumed = peer.writer.get_extra_info("ssl_object").session_reused
        await peer.answer(received, b"%d" % resumed)
        peer.close()

    context = authority.server("127.0.0.1")
    context.minimum_version = context.maximum_version = version
    async with serving(answer, tls=context) as server:
        got = []
        for _ in range(3):
            got.append(await body_of(transport, request(server.url, tls=Tls(authority.file))))
            await server.peers[-1].gone.wait()
            await come_to(transport, 0, 0)
        assert got == [b"0", b"1", b"1"]


async def test_requests_go_through_a_proxys_tunnel(transport, authority, monkeypatch):
    context = authority.server(UPSTREAM)
    async with proxy() as way, serving(own, tls=context) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{way.port}")
        asked = request(f"{behind(server)}/own", b"secret", tls=Tls(authority.file))
        for _ in range(3):
            assert await body_of(transport, asked) == b"own /own secret"
        assert len(way.heads) == 1
        assert way.heads[0].startswith(b"CONNECT upstream.test:")
