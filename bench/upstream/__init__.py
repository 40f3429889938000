"""What stands behind the gateways: the mock providers and the key server."""

from bench.upstream.servers import Upstreams, events_server, key_server, plain_server

__all__ = ["Upstreams", "events_server", "key_server", "plain_server"]
