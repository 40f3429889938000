"""Deployments, providers, and the transport to them."""

from rolecall.upstream.catalogue import Catalogue, Deployment
from rolecall.upstream.forward import outgoing
from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.outbox import Outbox, outbox
from rolecall.upstream.transport import (
    Destination,
    Headers,
    Request,
    Response,
    Transport,
    TransportError,
)
from rolecall.upstream.waiting import Wait

__all__ = [
    "Catalogue",
    "Deployment",
    "Destination",
    "Headers",
    "Http1Transport",
    "Outbox",
    "Request",
    "Response",
    "Transport",
    "TransportError",
    "Wait",
    "outbox",
    "outgoing",
]
