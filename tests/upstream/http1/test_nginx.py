"""The same good requests against nginx: what the transcripts say is what servers do."""

import asyncio
import gzip

import pytest

from rolecall.config import Tls

from ..parts import nginx as servers
from ..parts.exchange import body_of, request, whole

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def nginx(tmp_path_factory, authority):
    with servers.running(tmp_path_factory.mktemp("nginx"), authority) as nginx:
        yield nginx


@pytest.fixture(params=["plain", "tls"])
def url(request, nginx):
    return getattr(nginx, request.param)


@pytest.fixture
def tls(authority):
    return Tls(authority.file, authority.sign("client"))


ANSWERS = {
    "/short": (200, servers.SHORT),
    "/none": (204, b""),
    "/missing": (404, b"no such thing"),
    "/large": (200, servers.LARGE),
    "/closing": (200, b"closed"),
}


@pytest.mark.parametrize("path", ANSWERS)
async def test_an_answer(transport, url, tls, path):
    for _ in range(3):
        got = await whole(await transport.send(request(url + path, tls=tls)))
        assert (got.status, got.body) == ANSWERS[path]


async def test_a_chunked_answer(transport, url, tls):
    headers = [(b"accept-encoding", b"gzip")]
    got = await whole(await transport.send(request(f"{url}/chunked", tls=tls, headers=headers)))
    assert (b"transfer-encoding", b"chunked") in got.headers
    assert gzip.decompress(got.body) == servers.LARGE


async def test_a_redirect_is_not_followed(transport, url, tls):
    got = await whole(await transport.send(request(f"{url}/elsewhere", tls=tls)))
    assert got.status == 307


async def test_large_bodies_both_ways_at_once(transport, url, tls):
    asked = request(f"{url}/large", bytes(5_000_000), tls=tls)
    got = await asyncio.gather(*(body_of(transport, asked) for _ in range(8)))
    assert got == [servers.LARGE] * 8


async def test_one_connection_for_many_requests(transport, url, tls):
    for _ in range(50):
        assert await body_of(transport, request(f"{url}/short", tls=tls)) == servers.SHORT
    assert transport.counts() == (1, 1)


async def test_a_server_that_closes_after_three_requests(transport, nginx):
    for _ in range(20):
        assert await body_of(transport, request(f"{nginx.few}/")) == b"few"
    assert transport.counts()[0] <= 1


async def test_our_certificate(transport, nginx, tls):
    assert await body_of(transport, request(f"{nginx.mutual}/", tls=tls)) == b"SUCCESS"
    without = Tls(tls.ca_file)
    got = await whole(await transport.send(request(f"{nginx.mutual}/", tls=without)))
    assert got.status == 400
    assert b"No required SSL certificate" in got.body


async def test_a_session_is_resumed(transport, nginx, tls):
    asked = request(f"{nginx.tls}/resumed", tls=tls)
    closing = request(f"{nginx.tls}/closing", tls=tls)
    assert await body_of(transport, closing) == b"closed"
    assert await body_of(transport, asked) == b"r"
