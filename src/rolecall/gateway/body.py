"""The body of a request: of the right type, not compressed, and no longer than allowed."""

import re
from typing import Final

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Receive
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
    if kind != b"application/json" and not _JSON.fullmatch(kind):
        raise Refusal(Reason.UNSUPPORTED_MEDIA_TYPE, "The Content-Type must be application/json.")


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Read the whole body.

    Raises:
        Refusal: ``too_large``.
        ClientGone: the client went away.
    """
    message = await receive()
    first: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body"):
        if len(first) > max_bytes:
            raise _too_large(max_bytes)
        return first
    body = bytearray(first)
    while message["type"] == "http.request":
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()
        body += message.get("body", b"")
    raise ClientGone


def _too_large(max_bytes: int) -> Refusal:
    return Refusal(Reason.TOO_LARGE, f"The body is longer than {max_bytes} bytes.")
