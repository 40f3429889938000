"""An upstream that speaks HTTP/2, in a thread; ``answer`` is what it does with a request."""

import asyncio
import json
import threading
from contextlib import contextmanager

from ...upstream.http2.parts.server import serving
from .polling import SECONDS
from .upstream import ANTHROPIC_ANSWER, ANTHROPIC_EVENTS, OPENAI_ANSWER, OPENAI_EVENTS

JSON = (b"content-type", b"application/json")
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class Upstream:
    """The server, and what came to it."""

    def __init__(self, server, loop):
        self._server = server
        self._loop = loop
        self.answer = answer_well

    @property
    def url(self):
        return self._server.url

    @property
    def requests(self):
        return self._server.requests

    @property
    def peers(self):
        return self._server.peers

    def forget(self):
        """Be as new; connections stay."""
        for peer in self.peers:
            peer.requests.clear()
        self.answer = answer_well

    def wait_for(self, event):
        """Wait until an event of the server's has come."""
        asyncio.run_coroutine_threadsafe(event.wait(), self._loop).result(SECONDS)

    def set(self, event):
        self._loop.call_soon_threadsafe(event.set)


async def answer_well(peer, received):
    """What a vendor answers when all is well."""
    await received.whole.wait()
    openai = received.path.endswith("/chat/completions")
    if json.loads(received.body).get("stream"):
        await peer.head(received, EVENTS)
        for event in OPENAI_EVENTS if openai else ANTHROPIC_EVENTS:
            await peer.data(received, event)
        await peer.data(received, b"", end=True)
    else:
        body = json.dumps(OPENAI_ANSWER if openai else ANTHROPIC_ANSWER, ensure_ascii=False)
        await peer.answer(received, body.encode(), JSON)


@contextmanager
def running():
    """Start an upstream in a thread of its own."""
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()
    found = []

    async def serve():
        async def answer(peer, received):
            await found[0].answer(peer, received)

        async with serving(answer) as server:
            found.append(Upstream(server, loop))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(SECONDS)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(SECONDS)
        loop.close()
