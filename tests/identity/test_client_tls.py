"""TLS towards identity providers: files that are renewed count from the next connection on."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest

from rolecall.config import Reach
from rolecall.identity.client_tls import ClientTls
from rolecall.identity.documents import Deadline
from rolecall.identity.session import Session

from .parts import tls


def reach(server, client):
    return Reach(
        ca_file=str(server.file),
        private_network=True,
        certificate=str(client.file),
        key=str(client.key),
    )


async def test_what_has_not_changed_is_read_once(tmp_path):
    client = ClientTls(reach(tls.certificate(tmp_path), tls.certificate(tmp_path, "client")))
    contexts = await asyncio.gather(*(client.context() for _ in range(10)))
    assert len(set(map(id, contexts))) == 1


@pytest.mark.parametrize("which", ["127.0.0.1", "client"], ids=["authorities", "certificate"])
async def test_what_is_renewed_is_read_again(tmp_path, which):
    client = ClientTls(reach(tls.certificate(tmp_path), tls.certificate(tmp_path, "client")))
    before = await client.context()
    tls.certificate(tmp_path, which)
    assert await client.context() is not before


async def test_files_that_cannot_be_used_leave_what_they_held_before(tmp_path, caplog):
    ours, theirs = tls.certificate(tmp_path), tls.certificate(tmp_path, "client")
    client = ClientTls(reach(ours, theirs))
    before = await client.context()
    tls.write(theirs.file, b"no certificate")
    for _ in range(3):
        assert await client.context() is before
    (line,) = caplog.messages
    assert line.startswith(f"of {ours.file}, {theirs.file}, {theirs.key} one has changed and")
    tls.certificate(tmp_path, "client")
    assert await client.context() is not before


async def test_files_that_never_could_be_used_are_an_error_each_time(tmp_path):
    ours, theirs = tls.certificate(tmp_path), tls.certificate(tmp_path, "client")
    tls.write(theirs.file, b"no certificate")
    client = ClientTls(reach(ours, theirs))
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            await client.context()
    tls.certificate(tmp_path, "client")
    assert await client.context()


@asynccontextmanager
async def showing(context):
    """A server that ends each connection after its answer, and the serial numbers it was shown."""
    shown = []

    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        shown.append(writer.get_extra_info("peercert")["serialNumber"])
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/introspect", shown


async def test_a_server_is_shown_the_renewed_certificate_at_the_next_connection(tmp_path):
    ours, authority = tls.certificate(tmp_path), tls.certificate(tmp_path, "authority")
    theirs = tls.certificate(tmp_path, "client", "authority")
    async with showing(ours.server(clients=authority)) as (url, shown):
        session = Session(url, reach(ours, theirs), Deadline(total=600))
        for renewals in range(2):
            for _ in range(2):
                assert (await session.ask()).status == 200
            assert len(set(shown)) == renewals + 1
            tls.certificate(tmp_path, "client", "authority")
