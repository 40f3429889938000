"""Our own HTTP/1.1 client transport: forwarding is what a gateway is for."""

from rolecall.upstream.http1.transport import Http1Response, Http1Transport

__all__ = ["Http1Response", "Http1Transport"]
