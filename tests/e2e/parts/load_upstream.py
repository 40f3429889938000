"""A provider in a process of its own that can hold thousands of streams: ``load_upstream.py PORT``.

It answers in OpenAI's shape, and each answer is made of what its own request said. A request's
``metadata`` tells how: ``delay``, seconds before a whole answer; ``events``, how many events a
stream has after its first; ``pace``, seconds between them; ``held``, whether they wait until
somebody asks for ``/release``. ``/counts`` says what has come so far.
"""

import asyncio
import json
import sys

import httptools
import uvloop

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n%b\r\n\r\n"
_STREAM = _HEAD % (b"text/event-stream", b"transfer-encoding: chunked")


class State:
    """What has come, and what everybody waits for."""

    def __init__(self):
        self.requests = 0
        self.open = 0
        self.most_open = 0
        self.broken_off = 0
        self.released = asyncio.Event()

    def counts(self):
        names = ("requests", "open", "most_open", "broken_off")
        return {name: getattr(self, name) for name in names}


class Provider(asyncio.Protocol):
    """One connection of the gateway's."""

    def __init__(self, state):
        self._state = state
        self._parser = httptools.HttpRequestParser(self)
        self._answering = None

    def connection_made(self, transport):
        self._transport = transport

    def connection_lost(self, _exc):
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data):
        self._parser.feed_data(data)

    def on_message_begin(self):
        self._url = self._body = b""

    def on_url(self, url):
        self._url += url

    def on_body(self, body):
        self._body += body

    def on_message_complete(self):
        if self._url == b"/release":
            # those who come later are held anew
            self._state.released.set()
            self._state.released = asyncio.Event()
        if self._body:
            self._answering = asyncio.create_task(self._answer(json.loads(self._body)))
        else:
            self._say(self._state.counts())

    async def _answer(self, asked):
        state, whole = self._state, False
        state.requests += 1
        state.open += 1
        state.most_open = max(state.most_open, state.open)
        try:
            how = asked.get("metadata") or {}
            if asked.get("stream"):
                await self._stream(asked["user"], **how)
            else:
                await asyncio.sleep(how.get("delay", 0))
                self._say({"object": "chat.completion", "user": asked["user"]})
            whole = True
        finally:
            state.open -= 1
            state.broken_off += not whole
            self._answering = None

    async def _stream(self, user, *, events=10, pace=0.0, held=False):
        self._transport.write(_STREAM)
        self._event(f"{user} begins")
        if held:
            await self._state.released.wait()
        for number in range(events):
            await asyncio.sleep(pace)
            self._event(f"{user} {number}")
        self._chunk(b"data: [DONE]\n\n")
        self._transport.write(b"0\r\n\r\n")

    def _event(self, text):
        delta = {"object": "chat.completion.chunk", "choices": [{"delta": {"content": text}}]}
        self._chunk(b"data: %b\n\n" % json.dumps(delta).encode())

    def _chunk(self, data):
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _say(self, value):
        body = json.dumps(value).encode()
        length = b"content-length: %d" % len(body)
        self._transport.write(_HEAD % (b"application/json", length) + body)


async def serve(port):
    state = State()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Provider(state), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
