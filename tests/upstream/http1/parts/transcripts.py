"""What upstreams send, well and badly, and what must come of it (RFC 9110, RFC 9112)."""

from dataclasses import dataclass

from rolecall.core import Reason
from tests.parts.framing import BROKEN_FRAMING

from ...parts.exchange import Answer, Outcome

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
HELLO = OK + b"Content-Length: 5\r\n\r\nhello"
ERROR = Reason.UPSTREAM_ERROR


@dataclass(frozen=True)
class Transcript:
    """One connection's worth of an answer.

    Attributes:
        sent: every byte that the upstream sends.
        outcome: what comes of it.
        kept: whether the connection may serve again.
        ends: whether the upstream closes after the last byte.
    """

    name: str
    sent: bytes
    outcome: Outcome
    kept: bool = False
    ends: bool = False

    def __str__(self) -> str:
        return self.name


def _good(name, sent, body=b"hello", status=200, *, kept=False, ends=False, headers=None):
    return Transcript(name, sent, Answer(status, headers, body), kept, ends)


_FIELDS_200 = b"".join(b"x-%d: y\r\n" % number for number in range(199))
_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

GOOD = [
    # framings
    _good("length", HELLO, kept=True),
    _good("length of nothing", OK + b"Content-Length: 0\r\n\r\n", b"", kept=True),
    _good("length with white space", OK + b"Content-Length:\t5 \r\n\r\nhello", kept=True),
    _good("chunked", CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", kept=True),
    _good("chunked of nothing", CHUNKED + b"0\r\n\r\n", b"", kept=True),
    _good("chunk sizes with zeros", CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n", kept=True),
    _good("chunk extensions", CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0\r\n\r\n', kept=True),
    _good("trailers", CHUNKED + b"5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n", kept=True),
    _good(
        "chunked in capitals",
        OK + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        kept=True,
    ),
    _good("until close", OK + b"\r\nhello", ends=True),
    _good("until close, of nothing", OK + b"\r\n", b"", ends=True),
    _good("no body: 204", b"HTTP/1.1 204 No Content\r\n\r\n", b"", 204, kept=True),
    _good("no body: 304", b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", b"", 304, kept=True),
    _good(
        "no body: 304, chunked",
        b"HTTP/1.1 304 N\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"",
        304,
        kept=True,
    ),
    # versions and the connection's end
    _good("close asked for", OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
    _good("close among others", OK + b"Connection: x, Close\r\nContent-Length: 5\r\n\r\nhello"),
    _good("closed after the answer", HELLO, ends=True),
    _good("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
    _good(
        "HTTP/1.0, kept",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
        kept=True,
    ),
    _good(
        "HTTP/1.0, chunked",  # a framing that may be a mistake: RFC 9112 6.1
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n",
    ),
    _good("HTTP/1.0 until close", b"HTTP/1.0 200 OK\r\n\r\nhello", ends=True),
    # heads
    _good("empty lines first", b"\r\n\r\n" + HELLO, kept=True),
    _good("no reason phrase", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", kept=True),
    _good(
        "values with spaces and obs-text",
        OK + b"X-A:  a b\xff \t\r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello",
        kept=True,
        headers=[(b"x-a", b"a b\xff"), (b"x-empty", b""), (b"content-length", b"5")],
    ),
    _good(
        "fields that repeat",
        OK + b"Set-Cookie: a\r\nSet-Cookie: b\r\nContent-Length: 5\r\n\r\nhello",
        kept=True,
        headers=[(b"set-cookie", b"a"), (b"set-cookie", b"b"), (b"content-length", b"5")],
    ),
    _good("200 fields", OK + _FIELDS_200 + b"Content-Length: 5\r\n\r\nhello", kept=True),
    _good(
        "a head of nearly 64 KiB",
        OK + b"X: %b\r\nContent-Length: 5\r\n\r\nhello" % (b"y" * 65_500),
        kept=True,
    ),
    _good(
        "a redirect is not followed",
        b"HTTP/1.1 307 T\r\nLocation: /own\r\nContent-Length: 5\r\n\r\nhello",
        status=307,
        kept=True,
    ),
    _good("an error", b"HTTP/1.1 503 S\r\nContent-Length: 5\r\n\r\nhello", status=503, kept=True),
    _good(
        "an upgrade that is only offered",
        OK + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello",
        kept=True,
    ),
    # interim answers
    _good("100 first", b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO, kept=True),
    _good(
        "103 and 100 first",
        _INTERIM + b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
        kept=True,
        headers=[(b"content-length", b"5")],
    ),
    _good("sixteen interim answers", _INTERIM * 16 + HELLO, kept=True),
    # the answer is whole, and what follows makes the connection useless
    _good("garbage after an answer", HELLO + b"garbage"),
    _good("one letter after an answer", HELLO + b"H"),
    _good("two answers", HELLO + OK + b"Content-Length: 6\r\n\r\nforged"),
    _good("two answers, chunked", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n" + HELLO),
    _good("more than its length", OK + b"Content-Length: 5\r\n\r\nhello world"),
    _good("a 204 with a body", b"HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\nhello", b"", 204),
    _good(
        "a 204 with a chunked body",
        b"HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"",
        204,
    ),
    _good(
        "more after a close",
        OK + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello" + HELLO,
    ),
]

_FAULTS = {
    **{name: OK + rest for name, rest in BROKEN_FRAMING.items()},
    # heads
    "a space before the first field": OK + b" X: a\r\nContent-Length: 5\r\n\r\nhello",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare LF after a value": OK + b"X: a\nContent-Length: 5\r\n\r\nhello",
    "bare CR in a value": OK + b"X: a\rb\r\nContent-Length: 5\r\n\r\nhello",
    "NUL in a value": OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\nhello",
    "CTL in a value": OK + b"X: a\x01b\r\nContent-Length: 5\r\n\r\nhello",
    "DEL in a value": OK + b"X: a\x7fb\r\nContent-Length: 5\r\n\r\nhello",
    "NUL in a name": OK + b"X\0: a\r\nContent-Length: 5\r\n\r\nhello",
    "a space in a name": OK + b"X y: a\r\nContent-Length: 5\r\n\r\nhello",
    "no name": OK + b": a\r\nContent-Length: 5\r\n\r\nhello",
    "no colon": OK + b"X\r\nContent-Length: 5\r\n\r\nhello",
    "201 fields": OK + b"x: y\r\n" * 200 + b"Content-Length: 5\r\n\r\nhello",
    "a field over 64 KiB": OK + b"X: %b\r\nContent-Length: 5\r\n\r\nhello" % (b"y" * 65_536),
    "fields over 64 KiB": OK + (b"X: %b\r\n" % (b"y" * 1000)) * 70 + b"\r\nhello",
    "a value without an end": OK + b"X: " + b"y" * 200_000,
    "a name without an end": OK + b"x" * 200_000,
    "a reason without an end": b"HTTP/1.1 200 " + b"x" * 200_000,
    "trailers over 64 KiB": CHUNKED + b"5\r\nhello\r\n0\r\n" + (b"X: %b\r\n" % (b"y" * 1000)) * 70,
    "a trailer without an end": CHUNKED + b"5\r\nhello\r\n0\r\nX: " + b"y" * 600_000,
    "an extension without an end": CHUNKED + b"5\r\nhello\r\n5;" + b"y" * 600_000,
    # status lines
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "an unknown version": b"HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\nhello",
    "two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello",
    "status 000": b"HTTP/1.1 000 OK\r\nContent-Length: 6\r\n\r\nforged" + HELLO,
    "status 099": b"HTTP/1.1 099 OK\r\nContent-Length: 6\r\n\r\nforged" + HELLO,
    # interim answers
    "an upgrade": b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
    "an upgrade to nothing": b"HTTP/1.1 101 S\r\n\r\n" + HELLO,
    "seventeen interim answers": _INTERIM * 17 + HELLO,
    "interim answers without an end": _INTERIM * 2000,
    "an interim answer with a body": b"HTTP/1.1 100 C\r\nContent-Length: 5\r\n\r\nhello" + HELLO,
    "an interim answer with a long head": (
        b"HTTP/1.1 103 E\r\nX: %b\r\n\r\n" % (b"y" * 65_536) + HELLO
    ),
    "an interim answer that closes": b"HTTP/1.1 103 E\r\nConnection: close\r\n\r\n" + HELLO,
}

BAD = [Transcript(name, sent, ERROR) for name, sent in _FAULTS.items()]
