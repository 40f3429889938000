"""The body of a request: of the right type, not compressed, and no longer than allowed."""

import re
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Message, Receive
from rolecall.upstream import Headers

_OF_BODY: Final = frozenset({b"content-type", b"content-encoding", b"content-length"})
_JSON: Final = re.compile(rb"application/json(?:\s*;\s*charset=\"?utf-8\"?)?\s*", re.IGNORECASE)


class ClientGone(Exception):
    """The client went away before its request was whole."""


def check_head(headers: Headers, max_bytes: int) -> None:
    """Check what the headers say of the body, before a byte of it is read.

    Raises:
        Refusal: ``unsupported_media_type``, ``too_large`` or ``invalid_request``.
    """
    kind = _declared(headers, max_bytes)
    if kind != b"application/json" and not _JSON.fullmatch(kind):
        raise Refusal(Reason.UNSUPPORTED_MEDIA_TYPE, "The Content-Type must be application/json.")


def check_media_type(headers: Headers, max_bytes: int, media_type: bytes) -> None:
    """The same for a body of another type.

    Raises:
        Refusal: ``unsupported_media_type``, ``too_large`` or ``invalid_request``.
    """
    kind, _, _ = _declared(headers, max_bytes).partition(b";")
    if kind.strip().lower() != media_type:
        raise Refusal(
            Reason.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type must be {media_type.decode()}."
        )


def _declared(headers: Headers, max_bytes: int) -> bytes:
    kind = b""
    for name, value in [header for header in headers if header[0] in _OF_BODY]:
        if name == b"content-type":
            # of two types, neither is the body's
            kind = b"," if kind else value
        elif name == b"content-encoding" and value.lower() != b"identity":
            raise Refusal(
                Reason.UNSUPPORTED_MEDIA_TYPE,
                "The body is compressed (Content-Encoding); send it as it is.",
            )
        elif name == b"content-length" and value.isdigit() and int(value[:20]) > max_bytes:
            raise _too_large(max_bytes)
    return kind


def whole_body(message: Message, max_bytes: int) -> bytes | None:
    """The body, where it has come in one piece.

    Raises:
        Refusal: ``too_large``.
    """
    if message["type"] != "http.request" or message.get("more_body"):
        return None
    body: bytes = message.get("body", b"")
    if len(body) > max_bytes:
        raise _too_large(max_bytes)
    return body


async def read_body(receive: Receive, message: Message, max_bytes: int) -> bytes:
    """Read a body to its end.

    Args:
        receive: the rest comes from here.
        message: what came first.
        max_bytes: a longer body is refused.

    Raises:
        Refusal: ``too_large``.
        ClientGone: the client went away.
    """
    pieces = []
    size = 0
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    raise ClientGone


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"The body is longer than {max_bytes} bytes.")
