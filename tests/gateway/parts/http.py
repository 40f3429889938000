"""A client that sends exactly the bytes it is told to: nothing is added, folded or repaired."""

import http.client
import json
import socket
from contextlib import contextmanager
from dataclasses import dataclass

from .polling import SECONDS


@dataclass(frozen=True)
class Reply:
    """One answer; the names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Connection:
    """One connection to the gateway."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._response = None

    def send(self, data):
        self.socket.sendall(data)

    def head(self, method="POST"):
        """Read the head of the answer."""
        self._response = http.client.HTTPResponse(self.socket, method=method)
        self._response.begin()
        return Reply(self._response.status, self._headers(), b"")

    def piece(self):
        """The next piece of the body, as soon as there is one; empty at the end."""
        return self._response.read1()

    def reply(self, method="POST"):
        """Read the whole answer."""
        head = self.head(method)
        return Reply(head.status, head.headers, self._response.read())

    def _headers(self):
        names = [name.lower() for name, _ in self._response.getheaders()]
        assert len(names) == len(set(names)), f"a header came twice: {names}"
        return {name.lower(): value for name, value in self._response.getheaders()}

    def close(self):
        if self._response is not None:
            self._response.close()
        self.socket.close()


@contextmanager
def connected(port):
    connection = Connection(port)
    try:
        yield connection
    finally:
        connection.close()


def message(method, target, headers=(), body=None, *, host="gateway.example"):
    """A request as bytes; a Content-Length is added where there is a body and no framing."""
    headers = [("Host", host), *headers]
    names = {name.lower() for name, _ in headers}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def exchange(port, data, method="POST"):
    """Send bytes and read one answer."""
    with connected(port) as connection:
        connection.send(data)
        return connection.reply(method)


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
