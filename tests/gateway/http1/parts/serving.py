"""Our connections on a real listening socket, under uvicorn's configuration but not its server."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from uvicorn.server import ServerState

from rolecall.gateway.http1 import Connection
from rolecall.gateway.server import server_config
from tests.parts.waiting import rounds, until

from .client import Client


@dataclass
class Serving:
    """A listening socket.

    Attributes:
        state: uvicorn's, where connections and tasks are counted.
        connections: all that were ever made, the server's ends.
        faults: what the loop was told that went wrong.
    """

    port: int = 0
    state: ServerState = field(default_factory=ServerState)
    connections: list[Connection] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    _clients: list[Client] = field(default_factory=list)

    async def connect(self, **options):
        """A client; ``options`` are numbers for its socket (``SO_RCVBUF``)."""
        sock = socket.socket()
        sock.setblocking(False)
        for name, value in options.items():
            sock.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)
        self._clients.append(client)
        await until(lambda: len(self.connections) == len(self._clients))
        await rounds()
        return client

    def close_clients(self):
        for client in self._clients:
            client.close()


@asynccontextmanager
async def serving(app):
    """Serve an application; in the end nothing of it is left, and the loop has no complaint."""
    loop = asyncio.get_running_loop()
    config, running = server_config(app), Serving()
    loop.set_exception_handler(lambda _, told: running.faults.append(told.get("exception")))

    def accept():
        running.connections.append(Connection(config, running.state, {}, loop))
        return running.connections[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        running.close_clients()
        server.close()
        state = running.state
        await until(lambda: not (state.connections or state.tasks))
        loop.set_exception_handler(None)
    assert running.faults == []
