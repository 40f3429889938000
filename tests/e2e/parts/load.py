"""Many callers at once: each knows what it asked for, and takes nothing else for its answer."""

import asyncio
import json
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from bench.programs import free_port

from .missing import missing
from .process import Process, environment
from .web import answers, ask

KEY = "rolecall_" + "k" * 40
MODEL = "load"
_UPSTREAM = Path(__file__).with_name("load_upstream.py")


class Dropped(AssertionError):
    """A request that had been sent got no whole answer."""


@dataclass(frozen=True, slots=True)
class LoadUpstream:
    """The running provider (`load_upstream`)."""

    url: str

    def counts(self) -> dict[str, int]:
        return ask(f"{self.url}/counts").json()

    def release(self) -> None:
        """Let all held streams go on."""
        ask(f"{self.url}/release")


@contextmanager
def load_upstream(folder: Path) -> Iterator[LoadUpstream]:
    """Start the provider."""
    port = free_port()
    command = [sys.executable, str(_UPSTREAM), str(port)]
    process = Process(command, folder / "load_upstream.log", environment())
    url = f"http://127.0.0.1:{port}"
    try:
        process.wait_for(lambda: answers(f"{url}/counts"), what="the provider answers")
        yield LoadUpstream(url)
    finally:
        process.kill()


def configuration(upstream: LoadUpstream, *models: str) -> str:
    """A configuration with one static key that may call ``load``, and these models."""
    named = [MODEL, *models]
    provided = {"provider": "openai", "model": "load", "api_base": upstream.url, "api_key": "sk"}
    key = {"hash": f"sha256:{sha256(KEY.encode()).hexdigest()}", "subject": "load"}
    # YAML holds JSON
    return json.dumps(
        {
            "keys": [{**key, "roles": ["caller"], "expires": "never"}],
            "roles": [{"role": "caller"}],
            "rules": [{"allow": ["caller"], "models": named}],
            "models": [{"name": name, **provided} for name in named],
        }
    )


def descriptors(needed: int) -> None:
    """See to it that this process, and those that it starts, may open so many descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in {-1, resource.RLIM_INFINITY} and hard < needed:
        missing(f"{needed} descriptors", f"the hard limit is {hard} (ulimit -Hn)")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextmanager
def few_descriptors(most: int) -> Iterator[None]:
    """What is started meanwhile begins with a low soft limit, as on most machines."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Got:
    """One whole answer."""

    status: int
    last: bool
    """Whether the connection ends with it."""
    body: bytes


def request(user: str, *, model: str = MODEL, stream: bool = False, **metadata: Any) -> bytes:
    """A call, as bytes."""
    value = {"model": model, "messages": [], "user": user, "metadata": metadata}
    body = json.dumps({**value, "stream": True} if stream else value).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway.example\r\n"
        b"Content-Type: application/json\r\nAuthorization: Bearer %b\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (KEY.encode(), len(body), body)
    )


def is_whole(answer: Got, user: str, *, stream: bool, events: int = 10) -> bool:
    """Whether this is what was asked for by this user, from the first byte to the last."""
    if answer.status != 200:
        return False
    if not stream:
        return json.loads(answer.body)["user"] == user
    told = [event.removeprefix("data: ") for event in answer.body.decode().split("\n\n")]
    texts = [json.loads(event)["choices"][0]["delta"]["content"] for event in told[:-2]]
    wanted = [f"{user} begins", *(f"{user} {number}" for number in range(events))]
    return told[-2:] == ["[DONE]", ""] and texts == wanted


@dataclass
class Caller:
    """One keep-alive connection to the gateway.

    Attributes:
        begun: set when the first byte of an answer has come.
    """

    port: int
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    reader: asyncio.StreamReader = field(init=False)
    writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Connect anew.

        Raises:
            ConnectionRefusedError: nobody listens any more.
        """
        self.close()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def call(self, sent: bytes) -> Got:
        """Send a request on this connection and read its answer.

        Raises:
            Dropped: there was none, or not all of one.
        """
        try:
            self.writer.write(sent)
            return await self.answer()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise Dropped(f"{error!r}") from None

    async def answer(self) -> Got:
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        self.begun.set()
        status = int(head[9:12])
        _, _, length = head.partition(b"\r\ncontent-length: ")
        last = b"\r\nconnection: close\r\n" in head
        if length:
            body = await self.reader.readexactly(int(length.partition(b"\r\n")[0]))
            return Got(status, last, body)
        pieces = []
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            pieces.append((await self.reader.readexactly(size + 2))[:-2])
        await self.reader.readexactly(2)
        return Got(status, last, b"".join(pieces))

    def close(self) -> None:
        if self.writer is not None:
            self.writer.transport.abort()
            self.writer = None
