"""A forward proxy, and an upstream that nobody reaches without it."""

import asyncio
from contextlib import asynccontextmanager, suppress

UPSTREAM = "upstream.test"
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class Proxy:
    """A forward proxy: it knows the way to the upstream, whose name no name server knows."""

    def __init__(self, answer):
        self.answer = answer
        self.heads = []
        self.tasks = set()
        self.port = 0

    async def serve(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        ours = None
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head)
            writer.write(self.answer)
            if self.answer != OPENED:
                await reader.read()
            else:
                port = int(head.split(b" ")[1].rpartition(b":")[2])
                theirs, ours = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(pump(reader, ours), pump(theirs, writer))
        for end in (writer, ours):
            if end is not None:
                end.transport.abort()


async def pump(reader, writer):
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@asynccontextmanager
async def proxy(answer=OPENED):
    running = Proxy(answer)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


def behind(server):
    """The server's URL with a name that only the proxy can reach."""
    return server.url.replace("127.0.0.1", UPSTREAM)
