"""The certificate that a client has shown in the handshake of its TLS connection."""

import asyncio
from typing import Any, Final

CLIENT_CERTIFICATE: Final = "rolecall.client_certificate"
"""The extension of ASGI: that certificate, DER. It is there where the client has shown one."""


def shown_by(transport: asyncio.BaseTransport) -> dict[str, Any]:
    """The extensions of all requests of a connection."""
    tls = transport.get_extra_info("ssl_object")
    certificate = tls.getpeercert(binary_form=True) if tls is not None else None
    return {CLIENT_CERTIFICATE: certificate} if certificate else {}
