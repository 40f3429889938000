"""The transport alone; what becomes of its errors is shown where the gateway is tested."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream import AiohttpTransport, Request, TransportError


@asynccontextmanager
async def upstream(answer):
    """A server that answers with bytes; yields its URL, and the heads that it has received."""
    heads = []

    async def serve(reader, writer):
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heads


@pytest.fixture
async def transport():
    transport = AiohttpTransport()
    yield transport
    await transport.close()


def request(url, *headers, **timeouts):
    return Request(url, list(headers), b"", Timeouts(**timeouts), stream=False)


async def read(response):
    pieces = [piece async for piece in response.chunks()]
    await response.close()
    return b"".join(pieces)


async def test_nothing_is_added_to_the_headers_but_framing(transport):
    async with upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, heads):
        await read(await transport.send(request(f"{url}/v1/x?a=%2F b".replace(" ", "%20"))))
        port = url.rpartition(":")[2].encode()
    first, *lines = heads[0].removesuffix(b"\r\n\r\n").split(b"\r\n")
    assert first == b"POST /v1/x?a=%2F%20b HTTP/1.1"
    assert {line.lower() for line in lines} <= {
        b"host: 127.0.0.1:" + port,
        b"content-length: 0",
        b"content-type: application/octet-stream",
    }


async def test_headers_come_back_in_order_and_in_lower_case(transport):
    answer = b"HTTP/1.1 200 OK\r\nB: 1\r\na: 2\r\nB: 3\r\nContent-Length: 2\r\n\r\nok"
    async with upstream(answer) as (url, _):
        response = await transport.send(request(url))
        assert response.headers == [
            (b"b", b"1"),
            (b"a", b"2"),
            (b"b", b"3"),
            (b"content-length", b"2"),
        ]
        assert await read(response) == b"ok"


async def test_a_connection_is_used_again_after_a_whole_answer(transport):
    async with upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as (url, heads):
        for _ in range(3):
            assert await read(await transport.send(request(url))) == b"ok"
        assert len(heads) == 3
        assert len(transport._session.connector._conns) == 1


async def test_cookies_of_one_caller_never_reach_another(transport):
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
    async with upstream(answer) as (url, heads):
        for _ in range(2):
            await read(await transport.send(request(url)))
    assert not any(b"cookie" in head.lower() for head in heads)


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(transport, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as (url, _):
        assert await read(await transport.send(request(url))) == b"ok"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", Reason.UPSTREAM_TIMEOUT),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Reason.UPSTREAM_TIMEOUT),
        (b"SSH-2.0-OpenSSH\r\n\r\n", Reason.UPSTREAM_ERROR),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Reason.UPSTREAM_ERROR),
    ],
)
async def test_an_answer_that_does_not_begin_is_an_error(transport, answer, reason):
    async with upstream(answer) as (url, _):
        with pytest.raises(TransportError) as caught:
            await transport.send(request(url, first_byte=0.1))
    assert caught.value.reason is reason


async def test_a_body_that_stalls_is_an_error_after_what_has_come(transport):
    async with upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok") as (url, _):
        response = await transport.send(request(url, idle=0.1))
        chunks = response.chunks()
        assert await anext(chunks) == b"ok"
        with pytest.raises(TransportError) as caught:
            await anext(chunks)
        await response.close()
    assert caught.value.reason is Reason.UPSTREAM_TIMEOUT
    assert caught.value.message == "The upstream sent nothing for 0.1 s."
