"""Applications, as small as they can be."""

import asyncio


async def body_of(receive):
    """The whole body; None where the client went away before it was whole."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        more = message["more_body"]
    return body


async def answer(send, body, *headers, status=200):
    """Answer with a body and its length."""
    length = (b"content-length", b"%d" % len(body))
    headers = [length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo(scope, receive, send):
    """Say what was asked: method, path, query and body."""
    body = await body_of(receive)
    if body is None:
        return
    asked = f"{scope['method']} {scope['path']}".encode()
    if scope["query_string"]:
        asked += b"?" + scope["query_string"]
    await answer(send, asked + (b" " + body if body else b""))


class Gate:
    """An application that answers in its own time, and tells where it is.

    Attributes:
        begun: paths whose answer has begun, in that order.
        ended: paths whose turn has ended, and how.
        opened: set it to let it answer.
    """

    def __init__(self):
        self.begun = []
        self.ended = []
        self.opened = asyncio.Event()

    async def __call__(self, scope, receive, send):
        path = scope["path"]
        self.begun.append(path)
        how = "cancelled"
        try:
            await body_of(receive)
            await self.opened.wait()
            await answer(send, path.encode())
            how = "answered"
        finally:
            self.ended.append((path, how))


class Stream:
    """An application that sends the pieces that a test puts into it; an empty one is the last.

    Attributes:
        pieces: put them here.
        sent: how many bytes it has got rid of.
        ended: how its turns have ended.
    """

    def __init__(self):
        self.pieces = asyncio.Queue()
        self.sent = 0
        self.ended = []

    async def __call__(self, _scope, _receive, send):
        how = "cancelled"
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while piece := await self.pieces.get():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                self.sent += len(piece)
            await send({"type": "http.response.body", "body": b""})
            how = "answered"
        finally:
            self.ended.append(how)
