"""Documents over HTTP, from servers on loopback that misbehave."""

import asyncio
import gzip
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rolecall.config import Reach
from rolecall.identity.documents import Deadline
from rolecall.identity.fetch import MAX_BYTES, FetchError, fetch_json
from tests.parts.clock import when_due

from .parts import tls
from .parts.signing import Signer, key_set

SECRET = "of-the-document"
DOCUMENT = {**key_set(Signer()), "secret": SECRET}
TEXT = json.dumps(DOCUMENT).encode()
DEADLINE = 600


@asynccontextmanager
async def serving(answer):
    """A server with two doors; it counts who comes to the second, to which the first may send."""
    app = web.Application()
    elsewhere = []

    async def other(request):
        elsewhere.append(request.path)
        return web.json_response(DOCUMENT)

    app.router.add_get("/keys", answer)
    app.router.add_get("/elsewhere", other)
    async with TestServer(app) as server:
        server.elsewhere = elsewhere
        yield server


HERE = Reach(private_network=True)


async def failure(url, *, ca_file=None, reach=HERE, **seams):
    """The text of the failure: it names the URL, and nothing of what the server said."""
    with pytest.raises(FetchError) as caught:
        await fetch_json(
            url,
            replace(reach, ca_file=ca_file),
            deadline=Deadline(total=DEADLINE),
            **seams,
        )
    text = str(caught.value)
    assert text.startswith(url)
    assert SECRET not in text
    assert caught.value.__cause__ is None
    return text.removeprefix(url)


def answering(body=TEXT, **options):
    async def answer(request):
        return web.Response(body=body, **options)

    return answer


async def served(answer):
    async with serving(answer) as server:
        return (await fetch_json(str(server.make_url("/keys")), HERE)).document


async def refused(answer):
    async with serving(answer) as server:
        text = await failure(str(server.make_url("/keys")))
        assert server.elsewhere == []
        return text


# Good servers


async def test_a_document_is_fetched():
    assert await served(answering()) == DOCUMENT


@pytest.mark.parametrize("kind", ["application/json", "application/jwk-set+json", "text/plain"])
async def test_providers_disagree_about_the_media_type(kind):
    assert await served(answering(content_type=kind)) == DOCUMENT


async def test_a_document_may_come_in_chunks():
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for place in range(0, len(TEXT), 50):
            await response.write(TEXT[place : place + 50])
        return response

    assert await served(answer) == DOCUMENT


async def test_a_document_may_have_1_mib_and_no_more():
    largest = TEXT.ljust(MAX_BYTES)
    assert await served(answering(largest)) == DOCUMENT
    assert "more than 1048576 bytes" in await refused(answering(largest + b" "))


async def test_the_request_asks_for_json_uncompressed_and_says_who_asks():
    seen = []

    async def answer(request):
        seen.append(request.headers)
        return web.Response(body=TEXT)

    await served(answer)
    (headers,) = seen
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith("rolecall/")
    assert not {"authorization", "cookie"} & {name.lower() for name in headers}


async def test_this_machine_is_never_asked_through_a_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    assert await served(answering()) == DOCUMENT


# Bad servers


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 403, 404, 429, 500, 502, 503])
async def test_another_status_than_200_is_a_failure(status):
    body = None if status in {204, 304} else TEXT
    assert f"status {status}" in await refused(answering(body, status=status))


LOCATIONS = [
    "/elsewhere",
    "/keys",
    "https://evil.example/keys",
    "http://169.254.169.254/latest/meta-data",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_c28_k05_redirects_are_not_followed(status):
    locations = iter(LOCATIONS)

    async def answer(request):
        return web.Response(status=status, headers={"location": next(locations)})

    async with serving(answer) as server:
        for _ in LOCATIONS:
            assert f"status {status}" in await failure(str(server.make_url("/keys")))
        assert server.elsewhere == []


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-gzip", "GZIP", "unknown"])
async def test_a_compressed_document_is_refused(coding):
    answer = answering(gzip.compress(TEXT), headers={"content-encoding": coding})
    assert "compressed" in await refused(answer)


async def test_a_bomb_is_refused_unopened():
    bomb = gzip.compress(b"[" + b"0," * 5_000_000 + b"0]", 1)
    assert "compressed" in await refused(answering(bomb, headers={"content-encoding": "gzip"}))


BODIES = {
    "nothing": b"",
    "HTML": b"<!doctype html><title>Sign in</title>",
    "garbage": bytes(range(256)),
    "compressed and not said so": gzip.compress(TEXT),
    "cut short": TEXT[:-1],
    "two documents": TEXT + TEXT,
    "a name twice": b'{"keys":[],"keys":[]}',
    "a byte order mark": b"\xef\xbb\xbf" + TEXT,
    "UTF-16": TEXT.decode().encode("utf-16"),
    "NaN": b'{"keys":NaN}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_what_is_not_strict_json_is_refused(body):
    assert "no usable JSON" in await refused(answering(body))


async def test_a_document_without_end_is_read_to_the_limit():
    sent = 0

    async def answer(request):
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while sent < 100 * MAX_BYTES:
                await response.write(b" " * 65536)
                sent += 65536
        except ConnectionError:
            pass
        return response

    assert "more than 1048576 bytes" in await refused(answer)
    assert sent < 20 * MAX_BYTES


async def test_a_document_that_drips_ends_with_the_deadline():
    async def answer(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None:
            await response.write(b" ")
            dripping.set()
            await asyncio.sleep(0.01)
        return response

    dripping = asyncio.Event()
    asking = asyncio.create_task(refused(answer))
    await dripping.wait()
    assert "did not answer in time" in await when_due(DEADLINE, asking)


async def test_a_server_that_never_answers_ends_with_the_deadline():
    asked, ended = asyncio.Event(), asyncio.Event()

    async def answer(request):
        asked.set()
        await ended.wait()

    async with serving(answer) as server:
        asking = asyncio.create_task(failure(str(server.make_url("/keys"))))
        await asked.wait()
        assert "did not answer in time" in await when_due(DEADLINE, asking)
        ended.set()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
WIRES = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "garbage": bytes(range(256)) * 8,
    "half a head": HEAD,
    "a head without end": HEAD + b"x: " + b"y" * 100_000,
    "less than announced": HEAD + b"content-length: 10000\r\n\r\n" + TEXT,
    "nothing of what is announced": HEAD + b"content-length: 10000\r\n\r\n",
    "half a chunk": HEAD + b"transfer-encoding: chunked\r\n\r\nffff\r\n" + TEXT,
    "no last chunk": HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    "a chunk of no size": HEAD + b"transfer-encoding: chunked\r\n\r\nsize\r\n" + TEXT,
    "a negative length": HEAD + b"content-length: -1\r\n\r\n" + TEXT,
    "two lengths": HEAD + b"content-length: 1\r\ncontent-length: 2\r\n\r\n" + TEXT,
    "a body cut short, without a length": HEAD + b"connection: close\r\n\r\n" + TEXT[:-1],
}


@asynccontextmanager
async def raw(wire):
    """A server that says the same to everybody and hangs up."""

    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
async def test_a_server_that_speaks_no_good_http_is_a_failure(wire):
    async with raw(wire) as url:
        assert await failure(url)


async def test_a_server_that_is_not_there_is_a_failure():
    async with raw(b"") as url:
        pass
    assert "cannot be reached" in await failure(url)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/keys", "keys", "http://"])
async def test_what_is_no_http_url_is_a_failure(url):
    assert await failure(url)


# Freshness (RFC 9111 4.2.1)

CONTROLS = {
    "nothing said": ({}, None),
    "a word of another": ({"cache-control": "public"}, None),
    "an hour": ({"cache-control": "max-age=3600"}, 3600),
    "an hour, as Google says it": (
        {"cache-control": "public, max-age=3600, must-revalidate, no-transform"},
        3600,
    ),
    "upper case": ({"cache-control": "PUBLIC, MAX-AGE=60"}, 60),
    "quoted": ({"cache-control": 'max-age="60"'}, 60),
    "an hour, and a part of it gone": ({"cache-control": "max-age=3600", "age": "600"}, 3000),
    "all of it gone": ({"cache-control": "max-age=60", "age": "600"}, 0),
    "an age that is none": ({"cache-control": "max-age=60", "age": "-1"}, 60),
    "for shared caches": ({"cache-control": "s-maxage=10"}, None),
    "no-store": ({"cache-control": "no-store, max-age=60"}, 0),
    "no-cache": ({"cache-control": "no-cache"}, 0),
    "negative": ({"cache-control": "max-age=-1"}, None),
    "not a number": ({"cache-control": "max-age=soon"}, None),
    "too large a number": ({"cache-control": f"max-age={'9' * 50}"}, None),
}


@pytest.mark.parametrize(("headers", "seconds"), CONTROLS.values(), ids=CONTROLS)
async def test_a_server_says_how_long_its_document_is_fresh(headers, seconds):
    async with serving(answering(headers=headers)) as server:
        fetched = await fetch_json(str(server.make_url("/keys")), HERE)
    assert fetched.max_age == seconds


# Private addresses


class Names:
    """A name server: each time it is asked it gives the next addresses of its list."""

    def __init__(self, *answers):
        self.answers = iter(answers)
        self.asked = []

    async def __call__(self, host, _port):
        self.asked.append(host)
        return next(self.answers)


NOWHERE = Reach()
LITERALS = [
    "127.0.0.1",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
    # read as 127.0.0.1 by one library or another
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "localhost",
    "localhost.",
]


@pytest.mark.parametrize("host", LITERALS)
async def test_k06_an_address_that_is_not_public_is_not_connected_to(host):
    async with serving(answering()) as server:
        url = f"http://{host}:{server.port}/keys"
        text = await failure(url, reach=NOWHERE)
        assert "private_network: true" in text or "cannot be" in text


NAMED = {
    "this machine": ["127.0.0.1"],
    "a private network": ["10.1.2.3"],
    "a cloud's metadata": ["169.254.169.254"],
    "a unique local address": ["fd00:ec2::254"],
    "all of them": ["127.0.0.1", "10.1.2.3", "::1"],
}


@pytest.mark.parametrize("addresses", NAMED.values(), ids=NAMED)
async def test_k06_a_name_that_leads_to_a_private_address_is_not_followed(addresses):
    async with serving(answering()) as server:
        url = f"http://login.example.com:{server.port}/keys"
        text = await failure(url, reach=NOWHERE, resolve=Names(addresses))
    assert any(f" is at {address}, which is no public address" in text for address in addresses)


async def test_k06_a_name_that_leads_to_a_private_address_is_followed_where_configured():
    async with serving(answering()) as server:
        url = f"http://login.example.com:{server.port}/keys"
        fetched = await fetch_json(url, HERE, resolve=Names(["127.0.0.1"]))
    assert fetched.document == DOCUMENT


async def test_k06_what_is_checked_is_what_is_connected_to():
    """DNS rebinding: a second answer of the name server is never asked for."""
    names = Names(["203.0.113.7", "127.0.0.1"], ["127.0.0.1"], ["127.0.0.1"])
    async with serving(answering()) as server:
        url = f"http://login.example.com:{server.port}/keys"
        await failure(url, reach=NOWHERE, resolve=names)
    assert len(names.asked) == 1


async def test_k06_of_the_addresses_of_a_name_the_public_ones_alone_are_connected_to(monkeypatch):
    tried = []

    async def refuse(_, host, port, **__):
        tried.append((host, port))
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", refuse)
    names = Names(["127.0.0.1", "8.8.8.8", "10.1.2.3", "2606:4700::1111"])
    await failure("https://login.example.com/keys", reach=NOWHERE, resolve=names)
    assert tried == [("8.8.8.8", 443), ("2606:4700::1111", 443)]


async def test_k06_behind_a_proxy_the_proxy_decides(monkeypatch):
    asked = []

    async def answer(request):
        asked.append(str(request.url))
        return web.Response(body=TEXT)

    proxy = web.Application()
    proxy.router.add_route("*", "/{any:.*}", answer)
    async with TestServer(proxy) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        fetched = await fetch_json("http://login.example.com/keys", NOWHERE)
    assert fetched.document == DOCUMENT
    assert asked == ["http://login.example.com/keys"]


async def test_an_address_that_refuses_leaves_the_others():
    async with serving(answering()) as server:
        url = f"http://login.example.com:{server.port}/keys"
        fetched = await fetch_json(url, HERE, resolve=Names(["127.0.0.2", "::1", "127.0.0.1"]))
    assert fetched.document == DOCUMENT


async def test_a_name_that_leads_nowhere_is_a_failure():
    async def nowhere(_host, _port):
        raise socket.gaierror

    assert "cannot be reached" in await failure("http://login.example.com/keys", resolve=nowhere)


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of 127.0.0.1 that nobody has signed: the file, and a server's context."""
    made = tls.certificate(tmp_path_factory.mktemp("tls"))
    return str(made.file), made.server()


@asynccontextmanager
async def secure(context):
    app = web.Application()
    app.router.add_get("/keys", answering())
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=context)
    try:
        yield str(server.make_url("/keys"))
    finally:
        await server.close()


async def test_a_certificate_of_the_ca_file_is_trusted(certificate):
    file, context = certificate
    async with secure(context) as url:
        assert (await fetch_json(url, replace(HERE, ca_file=file))).document == DOCUMENT


async def test_a_certificate_that_nobody_vouches_for_is_a_failure(certificate):
    _, context = certificate
    async with secure(context) as url:
        assert "cannot be reached" in await failure(url)


async def test_a_certificate_of_another_name_is_a_failure(certificate):
    file, context = certificate
    async with secure(context) as url:
        other = url.replace("127.0.0.1", "localhost")
        assert "cannot be reached" in await failure(other, ca_file=file)


async def test_a_ca_file_that_cannot_be_read_is_a_failure(certificate, tmp_path):
    _, context = certificate
    empty = tmp_path / "empty.pem"
    empty.touch()
    async with secure(context) as url:
        for file in (tmp_path / "nowhere.pem", empty, tmp_path):
            assert await failure(url, ca_file=str(file))


# A bearer token for the server (Kubernetes)


async def asking_for_a_token(request):
    if request.headers.get("authorization") != "Bearer eyJ.of-the.pod":
        raise web.HTTPUnauthorized
    return web.json_response(DOCUMENT)


async def test_a_bearer_token_is_read_from_its_file_each_time(tmp_path):
    file = tmp_path / "token"
    reach = replace(HERE, bearer_file=str(file))
    async with serving(asking_for_a_token) as server:
        url = str(server.make_url("/keys"))
        file.write_text("eyJ.of-the.other-pod")
        assert "401" in await failure(url, reach=reach)
        file.write_text("eyJ.of-the.pod\n")
        assert (await fetch_json(url, reach)).document == DOCUMENT


@pytest.mark.parametrize("text", ["", "two words", "a\r\nhost: evil", "t\u00f6ken"])
async def test_a_file_without_a_bearer_token_is_said_and_not_shown(text, tmp_path):
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(FetchError, match="bearer token") as caught:
        await fetch_json("http://127.0.0.1:9/", replace(HERE, bearer_file=str(file)))
    assert "evil" not in str(caught.value)


async def test_a_bearer_file_that_is_not_there_is_a_failure_like_any_other(tmp_path):
    with pytest.raises(FetchError, match="cannot be read"):
        await fetch_json("http://127.0.0.1:9/", replace(HERE, bearer_file=str(tmp_path / "no")))
