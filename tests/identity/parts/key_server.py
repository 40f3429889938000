"""A key server on loopback that fails in every way that key servers do."""

import asyncio
import gzip
import json
from contextlib import asynccontextmanager, suppress

from rolecall.identity.documents import Deadline
from rolecall.identity.fetch import fetch_json

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_BOMB = gzip.compress(b'{"keys":[' + b"0," * 3_000_000 + b"0]}", 1)
DEADLINE = 600


def answer(body, *headers, status=b"200 OK"):
    """A whole answer that ends with the connection."""
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"connection: close", b"", body])


async def _flood(_, writer):
    writer.write(_HEAD + b"\r\n")
    with suppress(ConnectionError):
        for _ in range(1600):
            writer.write(b" " * 65536)
            await writer.drain()


async def _drip(_, writer):
    writer.write(_HEAD + b"\r\n")
    with suppress(ConnectionError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)


async def _silent(reader, _):
    await reader.read()


async def _open(reader, writer):
    """All but the last byte, and never the end."""
    writer.write(_HEAD + b"content-length: 100\r\n\r\n" + b" " * 99)
    await reader.read()


async def _reset(_, writer):
    writer.transport.abort()


def _saying(data):
    async def speak(_, writer):
        writer.write(data)

    return speak


FAULTS = {
    "500": _saying(answer(b'{"error":"x"}', status=b"500 Internal Server Error")),
    "503": _saying(answer(b"", status=b"503 Service Unavailable")),
    "404": _saying(answer(b"Not Found", status=b"404 Not Found")),
    "HTML": _saying(answer(b"<!doctype html><title>Sign in</title>")),
    "an empty object": _saying(answer(b"{}")),
    "no keys": _saying(answer(b'{"keys":[]}')),
    "keys of no use": _saying(answer(b'{"keys":[{"kty":"oct","k":"AAAA"}]}')),
    "null": _saying(answer(b"null")),
    "nothing": _saying(answer(b"")),
    "truncated": _saying(_HEAD + b'content-length: 5000\r\n\r\n{"keys":[{"kty":"EC","crv":"P-2'),
    "truncated JSON": _saying(answer(b'{"keys":[{"kty":"EC","crv":"P-2')),
    "nested deep": _saying(answer(b'{"keys":' + b"[" * 500_000 + b"]" * 500_000 + b"}")),
    "100 MB": _flood,
    "a gzip bomb": _saying(answer(_BOMB, b"content-encoding: gzip")),
    "gzip unannounced": _saying(answer(_BOMB)),
    "a byte now and then": _drip,
    "silence": _silent,
    "never the end": _open,
    "a reset": _reset,
    "no HTTP": _saying(b"\x16\x03\x01\x00\x00 not for you\r\n\r\n"),
    **{
        f"{status.decode()} to {where}": _saying(
            answer(b"", b"location: " + place, status=status + b" Moved")
        )
        for status in (b"301", b"302", b"307", b"308")
        for where, place in {
            "itself": b"/keys",
            "http": b"http://login.example.com/keys",
            "a cloud's metadata": b"http://169.254.169.254/latest/meta-data",
            "a file": b"file:///etc/passwd",
        }.items()
    },
}


ENDLESS = (_drip, _silent, _open)
"""What goes on until whoever asked gives up."""


class KeyServer:
    """Documents by path, or one fault for all of them; ``asked`` holds every path asked for."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.documents = {}
        self.headers = ()
        self.fault = None
        self.gate = None
        self.asked = []

    async def fetch(self, url, reach):
        return await fetch_json(url, reach, deadline=Deadline(total=DEADLINE))

    async def speak(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.asked.append(path)
            if self.gate is not None:
                await self.gate.wait()
            if self.fault is not None:
                await self.fault(reader, writer)
            elif path in self.documents:
                writer.write(answer(json.dumps(self.documents[path]).encode(), *self.headers))
            else:
                writer.write(answer(b"", status=b"404 Not Found"))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def key_server(**documents):
    """A server at a port of its own; ``keys`` is the document at ``/keys``."""
    speaking = set()

    async def speak(reader, writer):
        speaking.add(task := asyncio.current_task())
        try:
            await server_of_keys.speak(reader, writer)
        finally:
            speaking.discard(task)

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    server_of_keys = KeyServer(server.sockets[0].getsockname()[1])
    server_of_keys.documents = {f"/{name}": value for name, value in documents.items()}
    async with server:
        yield server_of_keys
        for task in list(speaking):
            task.cancel()
        await asyncio.gather(*speaking, return_exceptions=True)
