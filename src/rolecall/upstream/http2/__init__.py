"""HTTP/2 for upstreams that need it: h2 knows the protocol, the connections are ours (RFC 9113)."""

from rolecall.upstream.http2.transport import Http2Transport

__all__ = ["Http2Transport"]
