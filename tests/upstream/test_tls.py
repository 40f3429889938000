"""TLS is verified, shows our certificate where it is asked for, and is resumed."""

import asyncio
import socket
import ssl

import pytest

from rolecall.config import Tls
from rolecall.core import Reason
from tests.parts.waiting import until

from .http1.parts.transcripts import OK
from .parts.exchange import body_of, come_to, connection_of, outcome, request, stop_reading
from .parts.server import own, serving

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def trusting(authority, client=None):
    return Tls(authority.file, client)


async def test_a_certificate_of_the_authority_is_trusted(transport, authority):
    async with serving(tls=authority.server("127.0.0.1")) as server:
        asked = request(f"{server.url}/own", tls=trusting(authority))
        for _ in range(3):
            assert await body_of(transport, asked) == b"own /own {}"
        assert len(server.peers) == 1
        assert transport.counts() == (1, 1)


@pytest.mark.parametrize("name", ["localhost", "*.localhost", "upstream.test"])
async def test_a_certificate_for_another_host_is_refused(transport, authority, name):
    async with serving(tls=authority.server(name)) as server:
        asked = request(server.url, tls=trusting(authority))
        assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


async def test_a_certificate_of_nobody_we_know_is_refused(transport, authority, other_authority):
    async with serving(tls=authority.server("127.0.0.1")) as server:
        for tls in (None, trusting(other_authority)):
            asked = request(server.url, tls=tls)
            assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []


async def test_trust_is_each_upstreams_own(transport, authority, other_authority):
    """A connection that one authority vouched for serves nobody who trusts another."""
    async with serving(tls=authority.server("127.0.0.1")) as server:
        trusted = request(f"{server.url}/own", tls=trusting(authority))
        assert await body_of(transport, trusted) == b"own /own {}"
        for tls in (None, trusting(other_authority)):
            asked = request(f"{server.url}/own", tls=tls)
            assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_certificate_is_shown_where_it_is_required(
    transport, authority, other_authority, version
):
    context = authority.server("127.0.0.1", clients=authority.file)
    context.minimum_version = context.maximum_version = version
    async with serving(tls=context) as server:
        good = request(f"{server.url}/own", tls=trusting(authority, authority.sign("client")))
        assert await body_of(transport, good) == b"own /own {}"
        for certificate in (None, other_authority.sign("client")):
            bad = request(f"{server.url}/own", tls=trusting(authority, certificate))
            got = await outcome(transport, bad)
            # with TLS 1.3 asyncio's server hangs up and sends no alert
            assert got in {Reason.UPSTREAM_UNAVAILABLE, Reason.UPSTREAM_ERROR}
        assert len(server.requests) == 1
        await come_to(transport, 1, 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_alert_after_the_handshake_says_that_we_are_refused(transport, authority, version):
    context = authority.server("127.0.0.1", clients=authority.file)
    context.minimum_version = context.maximum_version = version

    def refuse(listening):
        peer, _ = listening.accept()
        with context.wrap_socket(peer, server_side=True, do_handshake_on_connect=False) as secured:
            with pytest.raises(ssl.SSLError, match="peer did not return a certificate"):
                secured.do_handshake()
            # with the request unread, closing would be a reset, which overtakes the alert
            while socket.socket.recv(secured, 65_536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        refusing = asyncio.create_task(asyncio.to_thread(refuse, listening))
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        got = await outcome(transport, request(url, tls=trusting(authority)))
        assert got is Reason.UPSTREAM_UNAVAILABLE
        await refusing


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_second_connection_resumes_the_first_ones_session(transport, authority, version):
    async def answer(peer, received):
        tls = peer.writer.get_extra_info("ssl_object")
        await peer.answer(b"%d" % tls.session_reused)
        peer.close()

    context = authority.server("127.0.0.1")
    context.minimum_version = context.maximum_version = version
    async with serving(answer, tls=context) as server:
        asked = request(server.url, tls=trusting(authority))
        assert [await body_of(transport, asked) for _ in range(3)] == [b"0", b"1", b"1"]
        assert len(server.peers) == 3


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_versions_are_refused(transport, authority, version):
    context = authority.server("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    async with serving(tls=context) as server:
        asked = request(server.url, tls=trusting(authority))
        assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE


async def test_a_server_that_speaks_no_tls_is_unavailable(transport):
    async with serving(greeting=b"HTTP/1.1 400 B\r\n\r\n") as server:
        asked = request(server.url.replace("http:", "https:"))
        assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE


async def test_files_that_cannot_be_read_are_unavailable(transport, authority, tmp_path):
    nothing = tmp_path / "nothing.pem"
    nothing.write_bytes(b"nothing")
    async with serving(tls=authority.server("127.0.0.1")) as server:
        for tls in (Tls(str(tmp_path / "missing.pem")), Tls(str(nothing)), Tls(None, str(nothing))):
            got = await outcome(transport, request(server.url, tls=tls))
            assert got is Reason.UPSTREAM_UNAVAILABLE


@pytest.mark.parametrize("version", VERSIONS)
async def test_whoever_cuts_the_connection_cannot_feign_an_answers_end(
    transport, authority, version
):
    """RFC 9112 9.8: without close_notify a body until close is incomplete."""

    async def answer(peer, received):
        await peer.send(OK + b"\r\nhello")
        await until(lambda: connection_of(transport).status)
        peer.close() if received.path == "/close" else peer.cut()

    context = authority.server("127.0.0.1")
    context.minimum_version = context.maximum_version = version
    async with serving(answer, tls=context) as server:
        closed = request(f"{server.url}/close", tls=trusting(authority))
        assert (await outcome(transport, closed)).body == b"hello"
        cut = request(f"{server.url}/cut", tls=trusting(authority))
        assert await outcome(transport, cut) is Reason.UPSTREAM_ERROR
        await come_to(transport, 0, 0)


@pytest.mark.parametrize("end", ["close", "cut", "reset"])
async def test_a_stale_tls_connection_is_replaced(transport, authority, end):
    async def answer(peer, received):
        if peer.number == 0 and len(server.requests) == 2:
            getattr(peer, end)()
        else:
            await own(peer, received)

    async with serving(answer, tls=authority.server("127.0.0.1")) as server:
        tls = trusting(authority)
        await body_of(transport, request(f"{server.url}/1", tls=tls))
        assert await body_of(transport, request(f"{server.url}/2", tls=tls)) == b"own /2 {}"
        assert len(server.requests) == 3


async def test_unsolicited_bytes_end_an_idle_tls_connection(transport, authority):
    async with serving(tls=authority.server("127.0.0.1")) as server:
        asked = request(f"{server.url}/own", tls=trusting(authority))
        await body_of(transport, asked)
        server.peers[0].writer.write(OK + b"Content-Length: 6\r\n\r\nforged")
        assert await body_of(transport, asked) == b"own /own {}"
        await come_to(transport, 1, 1)


async def test_a_slow_reader_bounds_what_tls_holds(transport, authority):
    async def answer(peer, received):
        await peer.send(OK + b"\r\n")
        await peer.flood()

    async with serving(answer, tls=authority.server("127.0.0.1")) as server:
        response = await transport.send(request(server.url, tls=trusting(authority)))
        (peer,) = server.peers
        await stop_reading(response, peer)


async def test_many_first_requests_read_the_authorities_once(transport, authority, monkeypatch):
    from rolecall.upstream import dialing

    made = []
    original = dialing.client_context
    monkeypatch.setattr(
        dialing, "client_context", lambda *args: made.append(args) or original(*args)
    )
    async with serving(tls=authority.server("127.0.0.1")) as server:
        asked = request(server.url, tls=trusting(authority))
        await asyncio.gather(*(body_of(transport, asked) for _ in range(30)))
    assert len(made) == 1
