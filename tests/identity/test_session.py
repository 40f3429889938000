"""Connections to a server of an identity provider: kept, tried again, shown a certificate."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from rolecall.config import Client, KeysFrom, Opaque, Reach
from rolecall.identity.documents import Deadline, Disconnected, FetchError
from rolecall.identity.session import Session
from tests.parts.clock import forward
from tests.parts.waiting import until
from tests.upstream.parts.proxy import OPENED, proxy

from .parts import tls
from .parts.gate import AUDIENCE, NOW, gate, settings, verdict

GOOD = {"active": True, "sub": "john", "aud": AUDIENCE, "exp": NOW + 300}
DEADLINE = Deadline(total=600)
HERE = Reach(private_network=True)
SECRET = Client("client_secret_post", "gw", "secret")


@asynccontextmanager
async def impatient(answers_each):
    """A server that ends a connection, without a word, after so many answers on it."""
    connections = []

    async def speak(reader, writer):
        connections.append(0)
        number = len(connections) - 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.lower().split(b"\r\n")
                        if line.startswith(b"content-length:")
                    ),
                    0,
                )
                await reader.readexactly(length)
                if connections[number] == answers_each:
                    return
                connections[number] += 1
                body = b'{"active":true,"sub":"john","aud":"llm-gateway","exp":%d}' % (NOW + 300)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/introspect", connections


async def test_a_connection_is_kept_for_the_next_request():
    async with impatient(10) as (url, connections):
        session = Session(url, HERE, DEADLINE)
        for _ in range(5):
            assert (await session.ask("POST", form={"token": "x"})).status == 200
        assert connections == [5]
        session.retire()


async def test_a_connection_that_was_about_to_close_costs_nobody_an_answer():
    async with impatient(1) as (url, connections):
        opaque = Opaque(endpoint=url, client=SECRET)
        async with gate(settings(keys=KeysFrom(), opaque=opaque)) as verifier:
            for number in range(4):
                assert await verdict(verifier, f"token-{number}".encode()) == "accepted"
    assert connections == [1, 1, 1, 1]


async def test_a_server_that_never_answers_is_asked_twice_and_no_more():
    async with impatient(0) as (url, connections):
        session = Session(url, HERE, DEADLINE)
        with pytest.raises(Disconnected):
            await session.ask("POST", form={"token": "x"})
        session.retire()
        asked = len(connections)
        opaque = Opaque(endpoint=url, client=SECRET)
        async with gate(settings(keys=KeysFrom(), opaque=opaque)) as verifier:
            assert await verdict(verifier, b"token") == "issuer_unavailable"
    assert len(connections) == asked + 2


async def test_a_retired_session_keeps_no_connection():
    async with impatient(10) as (url, connections):
        session = Session(url, HERE, DEADLINE)
        await session.ask()
        session.retire()
        for _ in range(2):
            await session.ask()
        assert connections == [1, 1, 1]


async def test_a_connection_that_has_lain_idle_is_not_used_again():
    async with impatient(10) as (url, connections):
        session = Session(url, HERE, DEADLINE)
        for seconds, expected in ((14, [2]), (16, [3, 1])):
            await session.ask()
            await forward(seconds)
            assert (await session.ask()).status == 200
            assert connections == expected
        session.retire()


async def test_at_most_32_connections_are_open_at_a_time():
    opened, closed, answered = [], [], asyncio.Event()

    async def speak(reader, writer):
        opened.append(writer)
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            await answered.wait()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        closed.append(writer)

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/introspect"
        session = Session(url, HERE, DEADLINE)
        asking = [asyncio.create_task(session.ask()) for _ in range(40)]
        await until(lambda: len(opened) >= 32)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(opened) == 32
        answered.set()
        assert {answer.status for answer in await asyncio.gather(*asking)} == {200}
        session.retire()
        await until(lambda: len(closed) == 32)
    assert len(opened) == 32


async def test_a_private_address_is_refused_for_look_ups_too():
    async with impatient(10) as (url, connections):
        session = Session(url, Reach(), DEADLINE)
        with pytest.raises(Exception, match=r"127\.0\.0\.1, which is no public"):
            await session.ask()
        session.retire()
        assert connections == []


async def test_a_client_certificate_shows_who_asks(tmp_path):
    ours, theirs = tls.certificate(tmp_path), tls.certificate(tmp_path, "client")
    strangers = tls.certificate(tmp_path, "a stranger")
    seen = []

    async def introspect(request):
        shown = request.transport.get_extra_info("peercert")
        seen.append((shown["subject"], (await request.post())["client_id"]))
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_post("/introspect", introspect)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=ours.server(clients=theirs))
    try:
        later = "issuer_unavailable"
        for certificate, expected in ((theirs, "accepted"), (None, later), (strangers, later)):
            reach = Reach(
                ca_file=str(ours.file),
                certificate=str(certificate.file) if certificate else None,
                key=str(certificate.key) if certificate else None,
            )
            opaque = Opaque(
                endpoint=str(server.make_url("/introspect")),
                client=Client("tls_client_auth", "gw"),
                reach=reach,
            )
            async with gate(settings(keys=KeysFrom(), opaque=opaque)) as verifier:
                assert await verdict(verifier, b"token") == expected
    finally:
        await server.close()
    assert seen == [(((("commonName", "client"),),), "gw")]


# Through a forward proxy (RFC 9110 9.3.6)


@asynccontextmanager
async def behind_a_proxy(folder, monkeypatch, answer=OPENED):
    """A server that a proxy alone knows the way to: the proxy, a URL, and how to reach it."""
    made = tls.certificate(folder)

    async def keys(_):
        return web.json_response(GOOD)

    app = web.Application()
    app.router.add_get("/keys", keys)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=made.server())
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    try:
        async with proxy(answer) as running:
            monkeypatch.setenv("https_proxy", f"http://us%65r:secret@127.0.0.1:{running.port}")
            url = f"https://{tls.HOST}:{server.port}/keys"
            yield running, Session(url, Reach(ca_file=str(made.file)), DEADLINE)
    finally:
        await server.close()


async def test_a_tunnel_leads_through_a_proxy_and_tls_through_the_tunnel(tmp_path, monkeypatch):
    async with behind_a_proxy(tmp_path, monkeypatch) as (running, session):
        for _ in range(2):
            assert (await session.ask()).status == 200
        session.retire()
    (head,) = running.heads
    assert head.startswith(b"CONNECT login.example.test:")
    assert b"proxy-authorization: Basic dXNlcjpzZWNyZXQ=\r\n" in head


@pytest.mark.parametrize("answer", [b"HTTP/1.1 407 No\r\n\r\n", b"SSH-2.0\r\n\r\n"])
async def test_a_proxy_that_opens_no_tunnel_is_a_failure(tmp_path, monkeypatch, answer):
    async with behind_a_proxy(tmp_path, monkeypatch, answer) as (running, session):
        with pytest.raises(FetchError):
            await session.ask()
        session.retire()
    assert len(running.heads) == 1
