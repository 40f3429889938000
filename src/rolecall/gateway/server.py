"""How uvicorn serves the application: with our own protocol class, and no more than we use."""

import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvicorn

from rolecall.config import ListenerTls
from rolecall.gateway.http1 import Connection
from rolecall.gateway.tls import tls_context

KEEP_ALIVE: Final = 75
"""Seconds that an idle client is kept: longer than the 60 s of common load balancers, which must
be the ones to hang up first."""


def server_config(app: Any, tls: ListenerTls | None = None, **options: Any) -> uvicorn.Config:
    """The configuration of uvicorn for the gateway.

    Args:
        app: the application, or where a worker process finds its factory.
        tls: how the port ends TLS; None for plain HTTP.
        options: what else uvicorn is told: address, workers, patience at the end.
    """
    return uvicorn.Config(
        app,
        http=Connection,
        interface="asgi3",
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # a forged X-Forwarded-For must not become the client's address
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        backlog=4096,
        ssl_context_factory=partial(_context, tls) if tls is not None else None,
        **options,
    )


def _context(
    tls: ListenerTls, _: uvicorn.Config, __: Callable[[], ssl.SSLContext]
) -> ssl.SSLContext:
    return tls_context(tls)
