"""One request and its answer, and what is known of them so far."""

from dataclasses import dataclass, field

from rolecall.core import Call, Caller, Refusal
from rolecall.gateway.asgi import Receive, Scope, Send
from rolecall.upstream import Headers


@dataclass(slots=True)
class Exchange:
    """One request on its way.

    Attributes:
        request_id: sent back as ``x-request-id``.
        caller: known once the token is verified.
        call: known once the body is read.
        started: whether the head of the answer has been sent.
        added: headers that the answer gets besides its own.
        ended: why it is being cancelled, where the gateway itself does so.
    """

    request_id: str
    scope: Scope
    receive: Receive
    send: Send
    caller: Caller | None = None
    call: Call | None = None
    started: bool = False
    added: Headers = field(default_factory=list)
    ended: Refusal | None = None

    async def start(self, status: int, headers: Headers) -> None:
        """Send the head of the answer."""
        self.started = True
        if self.added:
            headers = [*headers, *self.added]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer; its length is added to the headers."""
        headers += [(b"content-length", b"%d" % len(body)), *self.added]
        self.started = True
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
