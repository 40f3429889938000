"""The same good requests against uvicorn, which is what many upstreams run on."""

import asyncio
import threading

import pytest
import uvicorn

from ..parts.exchange import body_of, come_to, request, whole


async def application(scope, receive, send):
    """Answer with the body: whole, in pieces, until close, or late."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    path = scope["path"]
    headers = [] if path in {"/pieces", "/events"} else [(b"content-length", b"%d" % len(body))]
    if path == "/close":
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path in {"/pieces", "/events"}:
        for start in range(0, len(body), 7):
            piece = {"type": "http.response.body", "body": body[start : start + 7]}
            await send(piece | {"more_body": True})
            if path == "/events":
                await asyncio.sleep(0.001)
        body = b""
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=["h11", "httptools"])
def url(request):
    config = uvicorn.Config(application, port=0, http=request.param, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    ready = threading.Event()
    started = server.startup

    async def startup(sockets=None):
        await started(sockets)
        ready.set()

    server.startup = startup
    thread.start()
    ready.wait()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize("path", ["/whole", "/pieces", "/events", "/close"])
@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256))], ids=len)
async def test_an_answer(transport, url, path, body):
    for _ in range(3):
        got = await whole(await transport.send(request(url + path, body)))
        assert (got.status, got.body) == (200, body)
    await come_to(transport, *((0, 0) if path == "/close" else (1, 1)))


async def test_a_large_answer(transport, url):
    body = bytes(4_000_000)
    assert await body_of(transport, request(f"{url}/whole", body)) == body


async def test_many_at_once(transport, url):
    bodies = [b"%d;" % number * 50 for number in range(100)]
    asked = [request(f"{url}/pieces", body) for body in bodies]
    assert await asyncio.gather(*(body_of(transport, one) for one in asked)) == bodies
