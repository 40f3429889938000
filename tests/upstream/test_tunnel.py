"""Through a forward proxy: CONNECT, and nothing of what is sent is the proxy's to read."""

import asyncio
from base64 import b64encode

import pytest

from rolecall.config import Tls
from rolecall.core import Reason
from tests.parts.clock import when_due
from tests.parts.waiting import until

from .parts.exchange import DEADLINE, body_of, come_to, outcome, request
from .parts.proxy import UPSTREAM, behind, proxy
from .parts.server import serving


@pytest.fixture(params=["http", "https"])
def context(request, authority):
    return authority.server(UPSTREAM) if request.param == "https" else None


async def test_requests_go_through_the_tunnel(transport, authority, context, monkeypatch):
    async with proxy() as way, serving(tls=context) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://u%20ser:p%40ss@127.0.0.1:{way.port}")
        asked = request(f"{behind(server)}/own", b"secret", tls=Tls(authority.file))
        for _ in range(3):
            assert await body_of(transport, asked) == b"own /own secret"
        authority_form = behind(server).partition("//")[2].encode()
        assert way.heads == [
            b"CONNECT %b HTTP/1.1\r\nHost: %b\r\nProxy-Authorization: Basic %b\r\n\r\n"
            % (authority_form, authority_form, b64encode(b"u ser:p@ss"))
        ]
        assert b"host: %b\r\n" % authority_form in server.requests[0].head
        assert b"proxy-" not in server.requests[0].head.lower()
        assert transport.counts() == (1, 1)


async def test_the_upstreams_certificate_is_verified_through_the_tunnel(
    transport, authority, monkeypatch
):
    context = authority.server("other.test")
    async with proxy() as way, serving(tls=context) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{way.port}")
        got = await outcome(transport, request(behind(server), tls=Tls(authority.file)))
        assert got is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


@pytest.mark.asyncio(loop_factories=["asyncio"])  # uvloop's look-up of names cannot be answered
@pytest.mark.parametrize("bypass", [UPSTREAM, ".test", "*"])
async def test_no_proxy_goes_straight(transport, monkeypatch, bypass):
    async with proxy() as way, serving() as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{way.port}")
        monkeypatch.setenv("NO_PROXY", bypass)

        async def look_up(host, port, **how):
            return await real("127.0.0.1" if host == UPSTREAM else host, port, **how)

        loop = asyncio.get_running_loop()
        real = loop.getaddrinfo
        monkeypatch.setattr(loop, "getaddrinfo", look_up)
        assert await body_of(transport, request(f"{behind(server)}/own")) == b"own /own {}"
        assert way.heads == []


async def test_this_machine_is_never_behind_a_proxy(transport, monkeypatch):
    async with proxy() as way, serving() as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{way.port}")
        assert await body_of(transport, request(f"{server.url}/own")) == b"own /own {}"
        assert way.heads == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"SSH-2.0 200 \r\n\r\n",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000,
    ],
    ids=["407", "502", "bytes too early", "100", "2000", "no HTTP", "nothing", "no end"],
)
async def test_a_proxy_that_refuses_or_babbles_is_unavailable(
    transport, monkeypatch, answer, context
):
    async with proxy(answer) as way, serving(tls=context) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{way.port}")
        assert await outcome(transport, request(behind(server))) is Reason.UPSTREAM_UNAVAILABLE
        assert server.requests == []
        await come_to(transport, 0, 0)


async def test_a_proxy_that_says_nothing_is_late(transport, monkeypatch, context):
    async with proxy(b"") as way, serving(tls=context) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{way.port}")
        asking = asyncio.create_task(outcome(transport, request(behind(server))))
        await until(lambda: way.heads)
        assert await when_due(DEADLINE, asking) is Reason.UPSTREAM_TIMEOUT
        await come_to(transport, 0, 0)


@pytest.mark.parametrize("scheme", ["https", "socks5", "socks5h"])
async def test_a_proxy_of_another_kind_gets_no_credentials(transport, monkeypatch, scheme):
    async with proxy() as way, serving() as server:
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}://user:secret@127.0.0.1:{way.port}")
        assert await outcome(transport, request(behind(server))) is Reason.UPSTREAM_UNAVAILABLE
        assert way.heads == []


async def test_cancellation_in_the_tunnel_leaks_nothing(
    transport, authority, context, descriptors, monkeypatch
):
    async with proxy() as way, serving(tls=context) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{way.port}")
        asked = request(behind(server), tls=Tls(authority.file))
        assert await body_of(transport, asked)
        await transport.close()
        await until(lambda: not way.tasks - {task for task in way.tasks if task.done()})
        before = descriptors()
        for moment in range(40):
            fresh = type(transport)()
            asking = asyncio.create_task(body_of(fresh, asked))
            for _ in range(moment):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await fresh.close()
            assert fresh.counts() == (0, 0)
        await until(lambda: descriptors() <= before)
