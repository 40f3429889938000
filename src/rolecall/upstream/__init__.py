"""Deployments, providers, and the transport to them."""

from rolecall.upstream.catalogue import Catalogue, Deployment
from rolecall.upstream.forward import outgoing, passed_on
from rolecall.upstream.outbox import Outbox, outbox
from rolecall.upstream.transport import (
    Destination,
    Fields,
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
    "Fields",
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
    "passed_on",
]
