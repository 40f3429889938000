"""Deployments, providers, and the transport to them."""

from rolecall.upstream.aiohttp_transport import AiohttpTransport
from rolecall.upstream.catalogue import Catalogue, Deployment
from rolecall.upstream.forward import Outgoing, outgoing
from rolecall.upstream.transport import Headers, Request, Response, Transport, TransportError

__all__ = [
    "AiohttpTransport",
    "Catalogue",
    "Deployment",
    "Headers",
    "Outgoing",
    "Request",
    "Response",
    "Transport",
    "TransportError",
    "outgoing",
]
