"""Answers that are written here, and answers that are passed on."""

import asyncio
import math
from collections.abc import Awaitable
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Send
from rolecall.gateway.challenge import Challenges
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.http1 import SENT
from rolecall.upstream import Headers, Response, TransportError
from rolecall.wire import Format, WholeEvents, error_body, error_event, foreign_error, strict_json
from rolecall.wire.translation import StreamTranslation, Translation, UpstreamFormatError

MAX_ANSWER: Final = 256 * 1024 * 1024

STOPPING: Final = Refusal(Reason.UPSTREAM_UNAVAILABLE, "The gateway is stopping; try again.")

_JSON_TYPE: Final = b"application/json"
_JSON: Final = (b"content-type", _JSON_TYPE)
_EVENTS: Final = b"text/event-stream"
_PASSED: Final = (
    b"content-type",
    b"content-encoding",
    b"cache-control",
    b"retry-after",
    b"retry-after-ms",
    b"x-should-retry",
    b"request-id",
    b"openai-processing-ms",
    b"openai-version",
)
_KEPT: Final = (b"connection", b"content-length", b"date", b"server", b"transfer-encoding", b"vary")
_USUAL: Final = dict.fromkeys(_PASSED, True) | dict.fromkeys(_KEPT, False)
"""Which of the usual headers travel on: one look-up for each."""
_PASSED_PREFIXES: Final = (b"x-ratelimit-", b"anthropic-ratelimit-")


async def send_json(
    exchange: Exchange, status: int, body: bytes, headers: Headers | None = None
) -> None:
    """Send one JSON document; what depends on a token is not to be stored (RFC 9111 5.2.2.5)."""
    await exchange.answer(
        status,
        [
            _JSON,
            (b"cache-control", b"no-store"),
            (b"x-request-id", exchange.request_id.encode()),
            *(headers or ()),
        ],
        body,
    )


async def send_refusal(
    exchange: Exchange, form: Format, refusal: Refusal, challenges: Challenges
) -> None:
    """Send a refusal in the caller's format, with the challenge that RFC 6750 or 9470 asks for."""
    headers = [*challenges.of(refusal)]
    if refusal.reason is Reason.ISSUER_UNAVAILABLE:
        # whole seconds (RFC 9110 10.2.3)
        headers.append((b"retry-after", b"%d" % max(1, math.ceil(refusal.retry_after or 1))))
    body = error_body(form, refusal, exchange.request_id)
    await send_json(exchange, refusal.status, body, headers)


async def relay(
    exchange: Exchange, response: Response, translation: Translation | None, form: Format
) -> Refusal | None:
    """Pass an upstream's answer on, and close it: event by event a stream, all else whole.

    Returns:
        Why a stream that had begun was ended with an error, if it was.

    Raises:
        TransportError: the upstream failed before anything was sent.
    """
    try:
        status = response.status
        if status < 200:
            raise TransportError(Reason.UPSTREAM_ERROR, "The upstream did not answer but upgraded.")
        if 300 <= status < 400:
            raise TransportError(Reason.UPSTREAM_ERROR, "The upstream redirects, which is refused.")
        headers, kind = _passed(response.headers, exchange.request_id)
        if status < 400 and kind.startswith(_EVENTS):
            return await _relay_events(exchange, response, translation, form, headers)
        body = await response.read()
        if not response.ended:
            body = await _whole(response, body)
        if translation is not None:
            body = _translated(response, translation, body)
            headers = _as_json(headers)
        elif status >= 400 and not kind.startswith(_JSON_TYPE):
            body = foreign_error(form, status, exchange.request_id)
            headers = _as_json(headers)
        await exchange.answer(status, headers, body)
        return None
    finally:
        response.close()


async def _relay_events(
    exchange: Exchange,
    response: Response,
    translation: Translation | None,
    form: Format,
    headers: Headers,
) -> Refusal | None:
    # compressed bytes cannot be cut between events
    _check_plain(response)
    stream = translation.stream() if translation is not None else WholeEvents()
    # the head waits for the first piece: an upstream that fails at once is still an error
    chunk = await response.read()
    await exchange.start(response.status, headers)
    passing = _Passing(exchange.send, stream)
    failure = None
    try:
        if chunk:
            passing(chunk)
            await passing.caught_up()
            await response.pass_on(passing)
            while await passing.caught_up():
                await response.pass_on(passing)
        last = stream.end()
    except TransportError as error:
        failure = Refusal(error.reason, error.message)
        last = error_event(form, failure, exchange.request_id)
    except UpstreamFormatError as error:
        failure = Refusal(Reason.UPSTREAM_ERROR, str(error))
        last = stream.end()
    except asyncio.CancelledError:
        # the caller is revoked; or the server stops; or the client is gone, and nothing is sent
        failure = exchange.ended
        last = error_event(form, failure or STOPPING, exchange.request_id)
    await exchange.send({"type": "http.response.body", "body": last})
    return failure


class _Passing:
    """Passes the pieces of a stream on, from within whatever brings them.

    A coroutine that is woken for each piece costs as much as the piece. It is needed where the
    client does not keep up, or a piece is not what it should be.
    """

    __slots__ = ("_broken", "_pending", "_send", "_stream")

    def __init__(self, send: Send, stream: WholeEvents | StreamTranslation) -> None:
        self._send = send
        self._stream = stream
        self._pending: Awaitable[None] | None = None
        self._broken: UpstreamFormatError | None = None

    def __call__(self, chunk: bytes) -> bool:
        """Send a piece; return whether another may follow at once."""
        try:
            data = self._stream.feed(chunk)
        except UpstreamFormatError as error:
            self._broken = error
            return False
        if not data:
            return True
        sent = self._send({"type": "http.response.body", "body": data, "more_body": True})
        if sent is SENT:
            return True
        self._pending = sent
        return False

    async def caught_up(self) -> bool:
        """Wait for the client; return whether there was need to, and so whether more may come.

        Raises:
            UpstreamFormatError: the last piece was not of the upstream's format.
        """
        if self._broken is not None:
            raise self._broken
        if self._pending is None:
            return False
        pending, self._pending = self._pending, None
        await pending
        return True


async def _whole(response: Response, piece: bytes) -> bytes:
    pieces = []
    size = 0
    while piece:
        size += len(piece)
        if size > MAX_ANSWER:
            raise TransportError(Reason.UPSTREAM_ERROR, "The upstream's answer is too long.")
        pieces.append(piece)
        piece = await response.read()
    return b"".join(pieces)


def _translated(response: Response, translation: Translation, body: bytes) -> bytes:
    _check_plain(response)
    if response.status >= 400:
        return translation.error(response.status, body)
    try:
        return strict_json.dumps(translation.answer(strict_json.loads(body)))
    except (UpstreamFormatError, Refusal):
        raise TransportError(
            Reason.UPSTREAM_ERROR, "The upstream's answer is not of its own format."
        ) from None


def _check_plain(response: Response) -> None:
    if any(
        name == b"content-encoding" and value != b"identity" for name, value in response.headers
    ):
        raise TransportError(
            Reason.UPSTREAM_ERROR, "The upstream compressed its answer, which was not asked for."
        )


def _as_json(headers: Headers) -> Headers:
    foreign = (b"content-type", b"content-encoding")
    return [item for item in headers if item[0] not in foreign] + [_JSON]


def _passed(headers: Headers, request_id: str) -> tuple[Headers, bytes]:
    """The headers that travel on, and the answer's media type in lower case."""
    passed: Headers = [(b"x-request-id", request_id.encode())]
    kind = b""
    for header in headers:
        name = header[0]
        passes = _USUAL.get(name)
        if passes or (passes is None and name.startswith(_PASSED_PREFIXES)):
            passed.append(header)
            if name == b"content-type":
                kind = header[1].lower()
        elif name == b"x-request-id":
            passed.append((b"x-upstream-request-id", header[1]))
    return passed, kind
