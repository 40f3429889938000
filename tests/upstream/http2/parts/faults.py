"""What an upstream may do to break HTTP/2, as frames for one stream (RFC 9113, RFC 7541).

Each is called with the server's side of the connection and the stream's number.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rolecall.upstream.http2.stream import MAX_HEADERS, MAX_INTERIM

STATUS = (b":status", b"200")
HEADERS, CONTINUATION, DATA, PUSH, PRIORITY, RST = 1, 9, 0, 5, 2, 3
SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4


def frame(kind, flags, number, payload):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + number.to_bytes(4) + payload


def head(*fields, flags=END_HEADERS):
    """A head with these fields, whatever they are."""
    return lambda h2, number: frame(HEADERS, flags, number, h2.encoder.encode(fields))


def length(value, body):
    """An answer whose head says a length, and its body."""

    def send(h2, number):
        fields = head(STATUS, *((b"content-length", one) for one in value))(h2, number)
        return fields + frame(DATA, END_STREAM, number, body)

    return send


def raw(kind, flags, payload, number=None):
    """One frame, on the request's own stream unless it says otherwise."""
    return lambda _, own: frame(kind, flags, own if number is None else number, payload)


def after(*parts):
    """One after another."""
    return lambda h2, number: b"".join(part(h2, number) for part in parts)


def endless(count):
    """A head in so many parts, without an end."""

    def send(h2, number):
        block = h2.encoder.encode([STATUS]) + b"\x00\x01x\x7f\xff\xff\x7f" + b"y" * 200
        parts = frame(HEADERS, 0, number, block)
        return parts + frame(CONTINUATION, 0, number, b"y" * 200) * count

    return send


BEGUN = head(STATUS)
HELLO = after(BEGUN, raw(DATA, END_STREAM, b"hello"))


@dataclass(frozen=True)
class Fault:
    """What is sent, and whether only the one answer is lost by it, and not the connection."""

    sent: Callable[..., bytes]
    alone: bool = False


BROKEN = {
    # header injection (CWE-113): a value is one line, a name is a token
    "a line break in a value": head(STATUS, (b"x", b"a\r\nset-cookie: evil")),
    "a line feed in a value": head(STATUS, (b"x", b"a\nb")),
    "a carriage return in a value": head(STATUS, (b"x", b"a\rb")),
    "NUL in a value": head(STATUS, (b"x", b"a\0b")),
    "a line break in a name": head(STATUS, (b"x\r\ny", b"a")),
    "a space in a name": head(STATUS, (b"x y", b"a")),
    "a colon in a name": head(STATUS, (b"x:y", b"a")),
    "a capital in a name": head(STATUS, (b"X", b"a")),
    "no name": head(STATUS, (b"", b"a")),
    "white space around a value": head(STATUS, (b"x", b" a")),
    # what frames a message is HTTP/2's own
    "transfer-encoding": head(STATUS, (b"transfer-encoding", b"chunked")),
    "connection": head(STATUS, (b"connection", b"close")),
    "upgrade": head(STATUS, (b"upgrade", b"websocket")),
    # pseudo-header fields
    "no status": head((b"x", b"y")),
    "two statuses": head(STATUS, STATUS),
    "a status after a field": head((b"x", b"y"), STATUS),
    "a status in the trailers": after(BEGUN, head(STATUS, flags=END_HEADERS | END_STREAM)),
    "a request's field": head(STATUS, (b":path", b"/")),
    "a field of nobody": head(STATUS, (b":x", b"y")),
    # lengths
    "a length that is too long": length([b"6"], b"hello"),
    "a length that is too short": length([b"4"], b"hello"),
    "a length of nothing": length([b"0"], b"hello"),
    "two lengths": length([b"5", b"6"], b"hello"),
    "a length of words": length([b"five"], b"hello"),
    "a negative length": length([b"-5"], b"hello"),
    # heads without an end
    "a head over 64 KiB": head(STATUS, *((b"x", b"y" * 1000) for _ in range(70))),
    "a head that unfolds": after(
        head(STATUS, (b"x", b"y" * 4000)),
        lambda _, number: frame(HEADERS, END_HEADERS | END_STREAM, number, b"\xbe" * 100),
    ),
    "continuations without an end": endless(100),
    "something else within a head": after(endless(1), raw(PING, 0, b"12345678", 0)),
    "a continuation of nothing": raw(CONTINUATION, END_HEADERS, b""),
    # HPACK
    "garbage for a head": raw(HEADERS, END_HEADERS, b"\xff" * 20),
    "an index that nothing has": raw(HEADERS, END_HEADERS, b"\xff\x80\x01"),
    "a table larger than allowed": raw(HEADERS, END_HEADERS, b"\x3f\xe1\xff\x03\x88"),
    # the order of things
    "a body before the head": raw(DATA, END_STREAM, b"hello"),
    "a body on no stream": raw(DATA, 0, b"hello", 0),
    "a body for a request that nobody sent": raw(DATA, 0, b"hello", 99),
    "an answer to a request that nobody sent": lambda h2, _: BEGUN(h2, 99),
    "a stream of the upstream's own": lambda h2, _: BEGUN(h2, 2),
    "a promise that nobody wants": lambda h2, number: frame(
        PUSH, END_HEADERS, number, (2).to_bytes(4) + h2.encoder.encode([(b":method", b"GET")])
    ),
    # flow control
    "a window beyond all bounds": raw(WINDOW_UPDATE, 0, b"\x7f\xff\xff\xff", 0),
    "a window of nothing": raw(WINDOW_UPDATE, 0, bytes(4), 0),
    # frames of the wrong kind of length or place
    "settings on a stream": raw(SETTINGS, 0, b""),
    "settings of five bytes": raw(SETTINGS, 0, bytes(5), 0),
    "settings beyond all bounds": raw(SETTINGS, 0, b"\0\4\xff\xff\xff\xff", 0),
    "a ping of seven bytes": raw(PING, 0, bytes(7), 0),
    "a ping on a stream": raw(PING, 0, bytes(8)),
    "a reset of no stream": raw(RST, 0, bytes(4), 0),
    "a reset of three bytes": raw(RST, 0, bytes(3)),
    "a farewell of four bytes": raw(GOAWAY, 0, bytes(4), 0),
    "a farewell on a stream": raw(GOAWAY, 0, bytes(8)),
    "padding longer than its frame": after(BEGUN, raw(DATA, 8, b"\xffhello")),
    "a frame that is too long": raw(DATA, 0, bytes(16_385)),
    "HTTP/1.1": lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
}

ALONE = {
    "a status of words": head((b":status", b"yes")),
    "a status of two digits": head((b":status", b"20")),
    "a status of four digits": head((b":status", b"2000")),
    "status 000": head((b":status", b"000")),
    "status 600": head((b":status", b"600")),
    "a control character in a value": head(STATUS, (b"x", b"a\x01b")),
    "DEL in a value": head(STATUS, (b"x", b"a\x7fb")),
    "an upgrade": head((b":status", b"101")),
    "interim answers without an end": after(*[head((b":status", b"103"))] * (MAX_INTERIM + 1)),
    "201 fields": head(STATUS, *[(b"x", b"y")] * MAX_HEADERS),
    "a reset": raw(RST, 0, (2).to_bytes(4)),
    "a reset after the head": after(BEGUN, raw(RST, 0, bytes(4))),
}

FAULTS = {name: Fault(sent) for name, sent in BROKEN.items()} | {
    name: Fault(sent, alone=True) for name, sent in ALONE.items()
}
