"""What stands behind the gateways: the mock providers and the key server."""

from bench.upstream.servers import (
    KeyServer,
    Upstreams,
    events_server,
    key_server,
    plain_server,
)

__all__ = ["KeyServer", "Upstreams", "events_server", "key_server", "plain_server"]
