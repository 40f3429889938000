"""A client that sends exactly the bytes it is told to, when it is told to."""

import asyncio
import http.client
import io
import socket
import struct
from dataclasses import dataclass

from tests.parts.waiting import rounds


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """One connection; ``sock`` is the client's end of it."""

    def __init__(self, sock):
        self.sock = sock
        self._loop = asyncio.get_running_loop()
        self._got = bytearray()

    async def send(self, *pieces):
        """Send the pieces, each of which the server reads by itself."""
        for piece in pieces:
            await self._loop.sock_sendall(self.sock, piece)
            await rounds()

    async def until_end(self):
        """Everything that comes until the server hangs up."""
        while await self._more():
            pass
        got, self._got = bytes(self._got), bytearray()
        return got

    async def until(self, ending):
        """Everything up to these bytes, and with them."""
        while ending not in self._got:
            assert await self._more(), self._got
        size = self._got.index(ending) + len(ending)
        got = bytes(self._got[:size])
        del self._got[:size]
        return got

    async def answer(self, method="GET"):
        """The next answer."""
        while (found := first_answer(bytes(self._got), method)) is None:
            assert await self._more(), self._got
        answer, rest = found
        self._got[:] = rest
        return answer

    async def rest_of_answers(self, *methods):
        """All answers until the server hangs up."""
        return all_answers(await self.until_end(), *methods)

    def waiting(self):
        """Whether bytes, or the end, have come that were not asked for here."""
        try:
            return self.sock.recv(1, socket.MSG_PEEK) or "the end"
        except BlockingIOError:
            return None

    def finish(self):
        """Send no more."""
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        """End the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    async def _more(self):
        data = await self._loop.sock_recv(self.sock, 1 << 20)
        self._got += data
        return data


def all_answers(data, *methods):
    """Every answer in these bytes, which hold nothing else; methods are GET where none is given."""
    answers, methods = [], list(methods)
    while data:
        found = first_answer(data, methods.pop(0) if methods else "GET")
        assert found is not None, data
        answer, data = found
        answers.append(answer)
    return answers


def first_answer(data, method="GET"):
    """The answer that these bytes begin with and the rest of them; None if it is not whole."""
    if b"\r\n\r\n" not in data:
        return None
    wire = _Wire(data)
    response = http.client.HTTPResponse(wire, method=method)
    try:
        response.begin()
        body = response.read()
    except (http.client.IncompleteRead, http.client.RemoteDisconnected):
        return None
    names = [name.lower() for name, _ in response.getheaders()]
    assert len(names) == len(set(names)), f"a header came twice: {names}"
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body), data[wire.tell() :]


class _Wire(io.BytesIO):
    """What `http.client` takes for a socket."""

    def makefile(self, _mode):
        return self

    def close(self):
        """Its place is still to be asked for."""
