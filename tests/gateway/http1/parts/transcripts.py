"""What clients send, well and badly, and what must come of it (RFC 9110, RFC 9112)."""

from dataclasses import dataclass

from tests.parts.framing import BROKEN_FRAMING, CHUNKS

REFUSED = 400
LAST = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
"""Sent after each transcript: whether it is answered tells whether the connection was kept."""


@dataclass(frozen=True)
class Transcript:
    """One connection's worth of requests.

    Attributes:
        sent: every byte that the client sends.
        answers: what `applications.echo` answers, or 400; one an answer.
        kept: whether the connection serves another request.
    """

    name: str
    sent: bytes
    answers: tuple[bytes | int, ...]
    kept: bool

    def __str__(self) -> str:
        return self.name


def _good(name, sent, *answers, kept=True):
    return Transcript(name, sent, answers or (b"POST /a hello",), kept)


GET = b"GET /a HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: h\r\n"
HELLO = POST + b"Content-Length: 5\r\n\r\nhello"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\nUpgrade: h2c\r\n"
"""As Java's HttpClient asks for HTTP/2 with its first request to an http URL."""

GOOD = [
    # framings
    _good("no body", GET + b"\r\n", b"GET /a"),
    _good("length", HELLO),
    _good("length of nothing", POST + b"Content-Length: 0\r\n\r\n", b"POST /a"),
    _good("a GET with a body", GET + b"Content-Length: 5\r\n\r\nhello", b"GET /a hello"),
    _good("length with white space", POST + b"Content-Length:\t 5 \r\n\r\nhello"),
    _good("chunked", CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    _good("chunked of nothing", CHUNKED + b"0\r\n\r\n", b"POST /a"),
    _good("chunk sizes with zeros", CHUNKED + b"0005\r\nhello\r\n000\r\n\r\n"),
    _good("chunk extensions", CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0\r\n\r\n'),
    _good("trailers", CHUNKED + b"5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n"),
    _good("chunked in capitals", POST + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + CHUNKS),
    # targets
    _good("a query", b"GET /a?b=c?d HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a?b=c?d"),
    _good("escapes", b"GET /a%2Fb%20c?%41 HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a/b c?%41"),
    _good("absolute form", b"GET http://x:1/a?b HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a?b"),
    _good("absolute form, no path", b"GET http://x HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /"),
    _good("absolute form, a query", b"GET http://x?b HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /?b"),
    _good("asterisk form", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", b"OPTIONS *"),
    _good("two spaces", b"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a"),
    _good("a fragment", b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", b"GET /a#b"),
    _good("an empty Host", b"GET /a HTTP/1.1\r\nHost:\r\n\r\n", b"GET /a"),
    # versions and the connection's end
    _good("HTTP/1.0", b"GET /a HTTP/1.0\r\n\r\n", b"GET /a", kept=False),
    _good(
        "HTTP/1.0 that would be kept",
        b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"GET /a",
        kept=False,
    ),
    _good(
        "HTTP/1.0 with a body", b"POST /a HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", kept=False
    ),
    _good("close", GET + b"Connection: close\r\n\r\n", b"GET /a", kept=False),
    _good("close among others", GET + b"Connection: x, Close\r\n\r\n", b"GET /a", kept=False),
    _good("garbage after close", GET + b"Connection: close\r\n\r\n\r\nx", b"GET /a", kept=False),
    _good("empty lines first", b"\r\n\r\n" + HELLO),
    _good("an empty line after a body", HELLO + b"\r\n"),
    # what is not done here
    _good(
        "an upgrade to WebSocket",
        GET + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /a",
    ),
    _good("an upgrade to HTTP/2", GET + H2C + b"\r\n", b"GET /a"),
    _good("an upgrade with a body", POST + H2C + b"Content-Length: 5\r\n\r\nhello"),
    _good("an upgrade with chunks", POST + H2C + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    _good("an upgrade with an empty body", POST + H2C + b"Content-Length: 0\r\n\r\n", b"POST /a"),
    _good(
        "an upgrade whose body looks like a request",
        POST + H2C + b"Content-Length: %d\r\n\r\n" % len(GET + b"\r\n") + GET + b"\r\n",
        b"POST /a " + GET + b"\r\n",
    ),
    _good(
        "upgrades, one after another",
        (POST + H2C + b"Content-Length: 5\r\n\r\nhello" + GET + H2C + b"\r\n") * 2 + HELLO,
        *(b"POST /a hello", b"GET /a") * 2,
        b"POST /a hello",
    ),
    _good("an upgrade in HTTP/1.0", b"GET /a HTTP/1.0\r\n" + H2C + b"\r\n", b"GET /a", kept=False),
    _good("CONNECT", b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", b"CONNECT h:1", kept=False),
    _good(
        "CONNECT with what may be a body",
        b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        b"CONNECT h:1",
        kept=False,
    ),
    # one after another
    _good(
        "three at once",
        HELLO + GET + b"\r\n" + CHUNKED + CHUNKS,
        *(b"POST /a hello", b"GET /a", b"POST /a hello"),
    ),
    _good(
        "nothing after close",
        HELLO + GET + b"Connection: close\r\n\r\n" + HELLO,
        *(b"POST /a hello", b"GET /a"),
        kept=False,
    ),
    _good(
        "the good before the bad",
        HELLO + GET + b"\r\nGET /b HTTP/1.1\r\n\r\n" + HELLO,
        *(b"POST /a hello", b"GET /a", REFUSED),
        kept=False,
    ),
    _good(
        "the good before a bad body",
        GET + b"\r\n" + CHUNKED + b"g\r\nhello",
        *(b"GET /a", REFUSED),
        kept=False,
    ),
]

_BODY = b"Content-Length: 5\r\n\r\nhello"
_FIELDS = b"".join(b"x-%d: y\r\n" % number for number in range(256))
_KILO = b"X: %b\r\n" % (b"y" * 1000)

_FAULTS = {
    **{name: POST + rest for name, rest in BROKEN_FRAMING.items()},
    "chunked, then another in its own field": POST
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n"
    + CHUNKS,
    "chunked in HTTP/1.0": b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "an upgrade, chunked and length": POST
    + H2C
    + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
    + CHUNKS,
    "an upgrade with a bad chunk": POST + H2C + b"Transfer-Encoding: chunked\r\n\r\ng\r\nhello",
    # heads
    "a space before the first field": b"POST /a HTTP/1.1\r\n Host: h\r\n" + _BODY,
    "bare LF": b"GET /a HTTP/1.1\nHost: h\n\n",
    "bare LF after a value": b"GET /a HTTP/1.1\r\nHost: h\n\r\n",
    "bare CR in a value": GET + b"X: a\rb\r\n\r\n",
    "NUL in a value": GET + b"X: a\0b\r\n\r\n",
    "CTL in a value": GET + b"X: a\x01b\r\n\r\n",
    "DEL in a value": GET + b"X: a\x7fb\r\n\r\n",
    "NUL in a name": GET + b"X\0: a\r\n\r\n",
    "a space in a name": GET + b"X y: a\r\n\r\n",
    "no name": GET + b": a\r\n\r\n",
    "no colon": GET + b"X\r\n\r\n",
    "no Host": b"GET /a HTTP/1.1\r\n\r\n",
    "two Hosts": GET + b"Host: h\r\n\r\n",
    "two Hosts in HTTP/1.0": b"GET /a HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n",
    "257 fields": GET + _FIELDS + b"\r\n",
    "a field over 64 KiB": GET + b"X: %b\r\n\r\n" % (b"y" * 65_536),
    "fields over 64 KiB": GET + _KILO * 70 + b"\r\n",
    "a target over 64 KiB": b"GET /%b HTTP/1.1\r\nHost: h\r\n\r\n" % (b"a" * 65_536),
    "a value without an end": GET + b"X: " + b"y" * 800_000,
    "a name without an end": GET + b"x" * 800_000,
    "a target without an end": b"GET /" + b"a" * 800_000,
    "empty lines without an end": b"\r\n" * 400_000,
    "trailers over 64 KiB": CHUNKED + b"5\r\nhello\r\n0\r\n" + _KILO * 800,
    "a trailer without an end": CHUNKED + b"5\r\nhello\r\n0\r\nX: " + b"y" * 800_000,
    "an extension without an end": CHUNKED + b"5\r\nhello\r\n5;" + b"y" * 800_000,
    "a chunk size without an end": CHUNKED + b"0" * 800_000,
    # request lines
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/0.9": b"GET /a HTTP/0.9\r\nHost: h\r\n\r\n",
    "HTTP/1.2": b"GET /a HTTP/1.2\r\nHost: h\r\n\r\n",
    "HTTP/2.0 in the request line": b"GET /a HTTP/2.0\r\nHost: h\r\n\r\n",
    "no version": b"GET /a\r\n\r\n",
    "a method in small letters": b"get /a HTTP/1.1\r\nHost: h\r\n\r\n",
    "an unknown method": b"FETCH /a HTTP/1.1\r\nHost: h\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "a relative target": b"GET a HTTP/1.1\r\nHost: h\r\n\r\n",
    "a CTL in the target": b"GET /\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
    "a letter that is not ASCII": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n",
}

BAD = [Transcript(name, sent, (REFUSED,), kept=False) for name, sent in _FAULTS.items()]
EVERY = [*GOOD, *BAD]
SHORT = [transcript for transcript in EVERY if len(transcript.sent) < 5_000]
LONG = [transcript for transcript in EVERY if len(transcript.sent) >= 5_000]
