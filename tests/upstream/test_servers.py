"""Both transports against real servers: what the other tests say is what nginx and Envoy do."""

import asyncio
import gzip
from functools import partial

import pytest

from bench.programs import free_port
from rolecall.config import Tls
from rolecall.core import Reason
from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.http2 import Http2Transport
from rolecall.upstream.transport import TransportError
from tests.parts.clock import when_due

from .http1.parts.transcripts import CHUNKED, OK
from .parts import envoy as envoys
from .parts import nginx as nginxes
from .parts.exchange import DEADLINE, body_of, come_to, outcome, request, whole
from .parts.exchange import request as asking_for
from .parts.server import serving

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def bad_port():
    """Where the server that misbehaves will be."""
    return free_port()


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, authority):
    with nginxes.running(tmp_path_factory.mktemp("nginx"), authority) as nginx:
        yield nginx


@pytest.fixture(scope="module")
def envoy(tmp_path_factory, authority, nginx, bad_port):
    upstream = nginx.http1["plain"]
    with envoys.running(tmp_path_factory.mktemp("envoy"), authority, upstream, bad_port) as envoy:
        yield envoy


@pytest.fixture(params=["nginx", "envoy"])
def site(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["http1", "http2"])
def spoken(request):
    return request.param


@pytest.fixture
async def transport(spoken):
    transport = Http1Transport() if spoken == "http1" else Http2Transport()
    yield transport
    await transport.close()
    assert transport.counts() == (0, 0)


@pytest.fixture(params=["plain", "tls"])
def url(request, site, spoken):
    return getattr(site, spoken)[request.param]


@pytest.fixture
def tls(authority):
    return Tls(authority.file, authority.sign("client"))


ANSWERS = {
    "/short": (200, nginxes.SHORT),
    "/none": (204, b""),
    "/missing": (404, b"no such thing"),
    "/large": (200, nginxes.LARGE),
    "/closing": (200, b"closed"),
}


@pytest.mark.parametrize("path", ANSWERS)
async def test_an_answer(transport, url, tls, path):
    for _ in range(3):
        got = await whole(await transport.send(request(url + path, tls=tls)))
        assert (got.status, got.body) == ANSWERS[path]


async def test_an_answer_in_pieces(transport, url, tls, spoken):
    headers = [(b"accept-encoding", b"gzip")]
    got = await whole(await transport.send(request(f"{url}/chunked", tls=tls, headers=headers)))
    assert ((b"transfer-encoding", b"chunked") in got.headers) == (spoken == "http1")
    assert gzip.decompress(got.body) == nginxes.LARGE


async def test_a_redirect_is_not_followed(transport, url, tls):
    got = await whole(await transport.send(request(f"{url}/elsewhere", tls=tls)))
    assert got.status == 307


async def test_large_bodies_both_ways_at_once(transport, nginx, spoken, tls):
    """nginx answers before it has read the request."""
    for kind in ("plain", "tls"):
        asked = request(f"{getattr(nginx, spoken)[kind]}/large", bytes(5_000_000), tls=tls)
        got = await asyncio.gather(*(body_of(transport, asked) for _ in range(8)))
        assert got == [nginxes.LARGE] * 8


async def test_one_connection_for_many_requests(transport, url, tls):
    for _ in range(50):
        assert await body_of(transport, request(f"{url}/short", tls=tls)) == nginxes.SHORT
    assert transport.counts() == (1, 1)


async def test_many_requests_at_once(transport, url, tls, spoken):
    asked = request(f"{url}/short", b"x" * 1000, tls=tls)
    got = await asyncio.gather(*(body_of(transport, asked) for _ in range(200)))
    assert got == [nginxes.SHORT] * 200
    # nginx takes 128 at a time on one connection, Envoy 1,024
    assert transport.counts()[0] <= (2 if spoken == "http2" else 200)


async def test_a_server_that_closes_after_three_requests(transport, site, spoken):
    url = getattr(site, spoken)["few"]
    for _ in range(20):
        assert await body_of(transport, request(f"{url}/short")) in {nginxes.SHORT, b"few"}
    for _ in range(5):
        got = await asyncio.gather(*(body_of(transport, request(f"{url}/short")) for _ in range(5)))
        assert set(got) <= {nginxes.SHORT, b"few"}


async def test_our_certificate(transport, site, spoken, tls):
    url = getattr(site, spoken)["mutual"]
    asked = request(f"{url}/short", tls=tls)
    assert await body_of(transport, asked) in {nginxes.SHORT, b"SUCCESS"}
    got = await outcome(transport, request(f"{url}/short", tls=Tls(tls.ca_file)))
    # nginx says so in HTTP, Envoy in TLS
    assert got is Reason.UPSTREAM_UNAVAILABLE or (
        got.status == 400 and b"No required SSL certificate" in got.body
    )


async def test_a_certificate_of_nobody_we_know(transport, site, spoken, other_authority):
    url = getattr(site, spoken)["tls"]
    asked = request(f"{url}/short", tls=Tls(other_authority.file))
    assert await outcome(transport, asked) is Reason.UPSTREAM_UNAVAILABLE


async def test_a_session_is_resumed(transport, nginx, spoken, tls):
    url = getattr(nginx, spoken)["tls"]
    assert await body_of(transport, request(f"{url}/closing", tls=tls)) == b"closed"
    if spoken == "http2":
        # the connection stays; its session is known when it has ended
        (pool,) = transport._ways.pools.values()
        pool.find().retire()
    await come_to(transport, 0, 0)
    assert await body_of(transport, request(f"{url}/resumed", tls=tls)) == b"r"


# -- faults, as a proxy tells of them --------------------------------------------------------------


async def misbehave(peer, received, begun):
    """Answer, and if that is not at all, until the proxy gives up."""
    match received.path:
        case "/bad/cut":
            await peer.send(OK + b"Content-Length: 9\r\n\r\nhello")
            # a proxy that has not passed on the head would say so instead
            await begun.wait()
            peer.reset()
        case "/bad/chunks":
            await peer.send(CHUNKED + b"5\r\nhello\r\nx\r\n")
            await peer.until_closed()
        case "/bad/stall":
            await peer.send(OK + b"Content-Length: 9\r\n\r\nhello")
            await peer.until_closed()
            peer.close()
        case "/bad/never":
            await peer.until_closed()
            peer.close()
        case _:
            await peer.answer(received.body)


@pytest.fixture
async def upstream(bad_port):
    begun = asyncio.Event()
    async with serving(partial(misbehave, begun=begun), port=bad_port) as server:
        server.begun = begun
        yield server


@pytest.fixture(params=["plain", "tls"])
def before(request, envoy, spoken, tls, upstream):
    """Requests to the misbehaving server, with Envoy before it."""
    url = getattr(envoy, spoken)[request.param]
    return lambda path, *body, **options: asking_for(f"{url}/bad/{path}", *body, tls=tls, **options)


FAULTS = {
    "cut": Reason.UPSTREAM_ERROR,
    "chunks": Reason.UPSTREAM_ERROR,
    "stall": Reason.UPSTREAM_TIMEOUT,
    "never": Reason.UPSTREAM_TIMEOUT,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_behind_envoy(transport, upstream, before, fault):
    async def ask():
        try:
            response = await transport.send(before(fault))
            upstream.begun.set()
            return await whole(response)
        except TransportError as error:
            return error.reason

    asking = asyncio.create_task(ask())
    await upstream.arrival.wait()
    if FAULTS[fault] is Reason.UPSTREAM_TIMEOUT:
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT
    else:
        assert await asking is FAULTS[fault]
    # that we gave up is told to whoever works on it
    await upstream.peers[0].gone.wait()
    assert await body_of(transport, before("well", b"well")) == b"well"


async def test_large_bodies_both_ways_through_envoy(transport, before):
    bodies = [bytes([number]) * 3_000_000 for number in range(8)]
    got = await asyncio.gather(*(body_of(transport, before("well", body)) for body in bodies))
    assert got == bodies


async def test_cancelling_ends_the_work_behind_envoy(transport, upstream, before):
    asking = asyncio.create_task(outcome(transport, before("never")))
    await upstream.arrival.wait()
    asking.cancel()
    await asyncio.wait([asking])
    await upstream.peers[0].gone.wait()
    assert await body_of(transport, before("well", b"well")) == b"well"
