"""The ASGI application: the only room that knows the order of things."""

from rolecall.gateway.app import Gateway
from rolecall.gateway.reload import follow, hangup_waiting
from rolecall.gateway.server import server_config
from rolecall.gateway.snapshot import Snapshot, compile_snapshot
from rolecall.gateway.tls import tls_context

__all__ = [
    "Gateway",
    "Snapshot",
    "compile_snapshot",
    "follow",
    "hangup_waiting",
    "server_config",
    "tls_context",
]
