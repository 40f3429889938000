"""Answers that are written here, and answers that are passed on."""

import asyncio
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.gateway.exchange import Exchange
from rolecall.upstream import Headers, Response, TransportError
from rolecall.wire import Format, WholeEvents, error_body, error_event, foreign_error, strict_json
from rolecall.wire.translation import Translation, UpstreamFormatError

MAX_ANSWER: Final = 256 * 1024 * 1024

STOPPING: Final = Refusal(Reason.UPSTREAM_UNAVAILABLE, "The gateway is stopping; try again.")

_JSON_TYPE: Final = b"application/json"
_JSON: Final = (b"content-type", _JSON_TYPE)
_EVENTS: Final = b"text/event-stream"
_CHALLENGE: Final = {
    # RFC 6750 3: no error code where no credentials were sent
    Reason.MISSING_TOKEN: b'Bearer realm="rolecall"',
}
_INVALID_TOKEN: Final = b'Bearer realm="rolecall", error="invalid_token", error_description="'
_INSUFFICIENT: Final = b'Bearer realm="rolecall", error="insufficient_scope", error_description="'
_PASSED: Final = frozenset(
    {
        b"content-type",
        b"content-encoding",
        b"cache-control",
        b"retry-after",
        b"retry-after-ms",
        b"x-should-retry",
        b"request-id",
        b"openai-processing-ms",
        b"openai-version",
    }
)
_PASSED_PREFIXES: Final = (b"x-ratelimit-", b"anthropic-ratelimit-")


async def send_json(
    exchange: Exchange, status: int, body: bytes, headers: Headers | None = None
) -> None:
    """Send one JSON document; what depends on a token is not to be stored (RFC 9111 5.2.2.5)."""
    await exchange.start(
        status,
        [
            _JSON,
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"x-request-id", exchange.request_id.encode()),
            *(headers or ()),
        ],
    )
    await exchange.send({"type": "http.response.body", "body": body})


async def send_refusal(exchange: Exchange, form: Format, refusal: Refusal) -> None:
    """Send a refusal in the caller's format, with the challenge that RFC 6750 asks for."""
    headers: Headers = []
    if refusal.status in {401, 403}:
        headers.append((b"www-authenticate", _challenge(refusal)))
    if refusal.reason is Reason.ISSUER_UNAVAILABLE:
        headers.append((b"retry-after", b"1"))
    body = error_body(form, refusal, exchange.request_id)
    await send_json(exchange, refusal.status, body, headers)


def _challenge(refusal: Refusal) -> bytes:
    known = _CHALLENGE.get(refusal.reason)
    if known is not None:
        return known
    start = _INVALID_TOKEN if refusal.status == 401 else _INSUFFICIENT
    return start + refusal.reason.encode() + b'"'


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
        return await _relay(exchange, response, translation, form)
    finally:
        await response.close()


async def _relay(
    exchange: Exchange, response: Response, translation: Translation | None, form: Format
) -> Refusal | None:
    headers = _passed(response.headers, exchange.request_id)
    if response.status < 200:
        raise TransportError(Reason.UPSTREAM_ERROR, "The upstream did not answer but upgraded.")
    if 300 <= response.status < 400:
        raise TransportError(Reason.UPSTREAM_ERROR, "The upstream redirects, which is refused.")
    if response.status < 400 and _has_type(response.headers, _EVENTS):
        return await _relay_events(exchange, response, translation, form, headers)
    body = await _whole(response)
    if translation is not None:
        body = _translated(response, translation, body)
        headers = _as_json(headers)
    elif response.status >= 400 and not _has_type(response.headers, _JSON_TYPE):
        body = foreign_error(form, response.status, exchange.request_id)
        headers = _as_json(headers)
    headers.append((b"content-length", b"%d" % len(body)))
    await exchange.start(response.status, headers)
    await exchange.send({"type": "http.response.body", "body": body})
    return None


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
    chunks = response.chunks()
    # the head waits for the first piece: an upstream that fails at once is still an error
    chunk = await anext(chunks, b"")
    await exchange.start(response.status, headers)
    send = exchange.send
    failure = None
    try:
        while chunk:
            if data := stream.feed(chunk):
                await send({"type": "http.response.body", "body": data, "more_body": True})
            chunk = await anext(chunks, b"")
        last = stream.end()
    except TransportError as error:
        failure = Refusal(error.reason, error.message)
        last = error_event(form, failure, exchange.request_id)
    except UpstreamFormatError as error:
        failure = Refusal(Reason.UPSTREAM_ERROR, str(error))
        last = stream.end()
    except asyncio.CancelledError:
        if exchange.client_gone:
            raise
        last = error_event(form, STOPPING, exchange.request_id)
    await send({"type": "http.response.body", "body": last})
    return failure


async def _whole(response: Response) -> bytes:
    pieces = []
    size = 0
    async for chunk in response.chunks():
        size += len(chunk)
        if size > MAX_ANSWER:
            raise TransportError(Reason.UPSTREAM_ERROR, "The upstream's answer is too long.")
        pieces.append(chunk)
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


def _has_type(headers: Headers, media_type: bytes) -> bool:
    return any(
        name == b"content-type" and value.lower().startswith(media_type) for name, value in headers
    )


def _as_json(headers: Headers) -> Headers:
    foreign = (b"content-type", b"content-encoding")
    return [item for item in headers if item[0] not in foreign] + [_JSON]


def _passed(headers: Headers, request_id: str) -> Headers:
    passed: Headers = []
    for name, value in headers:
        if name in _PASSED or name.startswith(_PASSED_PREFIXES):
            passed.append((name, value))
        elif name == b"x-request-id":
            passed.append((b"x-upstream-request-id", value))
    passed.append((b"x-request-id", request_id.encode()))
    return passed
