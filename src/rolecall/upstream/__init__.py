"""Deployments, providers, and the transport to them."""

from rolecall.upstream.catalogue import Catalogue, Deployment
from rolecall.upstream.forward import outgoing
from rolecall.upstream.outbox import Outbox, outbox
from rolecall.upstream.transport import (
    Destination,
    Headers,
    Request,
    Response,
    Transport,
    TransportError,
)
from rolecall.upstream.transports import Transports
from rolecall.upstream.waiting import Wait

__all__ = [
    "Catalogue",
    "Deployment",
    "Destination",
    "Headers",
    "Outbox",
    "Request",
    "Response",
    "Transport",
    "TransportError",
    "Transports",
    "Wait",
    "outbox",
    "outgoing",
]
