"""What frames a body must be beyond doubt, whoever sends it (RFC 9112 6 and 7)."""

_HELLO = b"Content-Length: 5\r\n\r\nhello"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"

BROKEN_FRAMING = {
    # lengths
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "two equal lengths": b"Content-Length: 5\r\n" + _HELLO,
    "a list of lengths": b"Content-Length: 5, 5\r\n\r\nhello",
    "a negative length": b"Content-Length: -5\r\n\r\nhello",
    "a signed length": b"Content-Length: +5\r\n\r\nhello",
    "a hexadecimal length": b"Content-Length: 0x5\r\n\r\nhello",
    "no number": b"Content-Length: \r\n\r\nhello",
    "a length that overflows": b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "a space before the colon": b"Content-Length : 5\r\n\r\nhello",
    "obs-fold in the length": b"Content-Length:\r\n 5\r\n\r\nhello",
    "obs-fold": b"X: a\r\n b\r\n" + _HELLO,
    # encodings
    "length and chunked": b"Content-Length: 5\r\n" + _CHUNKED + CHUNKS,
    "chunked and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + CHUNKS,
    "chunked twice": b"Transfer-Encoding: chunked\r\n" + _CHUNKED + CHUNKS,
    "chunked in a list": b"Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "chunked, then another": b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "an unknown encoding": b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "identity": b"Transfer-Encoding: identity\r\n\r\nhello",
    "an empty encoding": b"Transfer-Encoding:\r\n\r\n" + CHUNKS,
    "a length in the trailers": _CHUNKED + b"5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    # chunks
    "a chunk size that is no number": _CHUNKED + b"g\r\nhello\r\n0\r\n\r\n",
    "a chunk size with 0x": _CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n",
    "a negative chunk size": _CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n",
    "a chunk size with _": _CHUNKED + b"1_0\r\nhello\r\n0\r\n\r\n",
    "a chunk size with a space before": _CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n",
    "a chunk size with a space after": _CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "a chunk size that overflows": _CHUNKED + b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "no chunk size": _CHUNKED + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than its size": _CHUNKED + b"3\r\nhello\r\n0\r\n\r\n",
    "a chunk with no line break": _CHUNKED + b"5\r\nhello0\r\n\r\n",
    "bare LF in chunks": _CHUNKED + b"5\nhello\n0\n\n",
    "LF in an extension": _CHUNKED + b'5;a="\n"\r\nhello\r\n0\r\n\r\n',
}
"""Behind a start line, and fields of no matter."""
