"""The whole gateway without a socket: what it answers to a request, head and body."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import yaml

from rolecall.config import load
from rolecall.gateway import Gateway, compile_snapshot

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
CHAT = "/v1/chat/completions"
JSON = (b"content-type", b"application/json")


@dataclass(frozen=True)
class Answer:
    """Whatever came back; the last of headers that have the same name."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.json["error"]["code"]

    @property
    def challenge(self):
        return self.headers.get("www-authenticate")


@asynccontextmanager
async def living(application):
    """The lifespan of an ASGI application."""
    said, told = asyncio.Queue(), asyncio.Queue()
    life = asyncio.create_task(application({"type": "lifespan"}, said.get, told.put))
    await said.put({"type": "lifespan.startup"})
    assert (await told.get())["type"] == "lifespan.startup.complete"
    yield
    await said.put({"type": "lifespan.shutdown"})
    await life


@asynccontextmanager
async def running(folder, sections):
    """A function of headers, and of a path, a method and a query: what the gateway answers."""
    file = folder / "rolecall.yaml"
    file.write_text(yaml.safe_dump(sections))
    application = Gateway(compile_snapshot(load(file, {}).settings))

    async def ask(headers, path=CHAT, *, method="POST", query=b"", body=BODY):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        await application(
            {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "query_string": query,
                "headers": [*headers, (b"host", b"evil.example"), JSON],
                "client": ("127.0.0.1", 1),
                "http_version": "1.1",
            },
            receive,
            send,
        )
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        whole = b"".join(message.get("body", b"") for message in sent)
        return Answer(sent[0]["status"], told, whole)

    async with living(application):
        yield ask
