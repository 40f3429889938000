"""The client certificate of a request: of its own TLS connection, or as a proxy in front tells.

A header is believed of the configured proxies alone. Of them nothing else is: the certificate of a
proxy's own connection to the gateway is not its client's.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote_to_bytes

from rolecall.config import CertificateForm, CertificateHeader
from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Scope
from rolecall.gateway.http1 import CLIENT_CERTIFICATE

_PEM: Final = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*"
)
_SPACE: Final = re.compile(rb"\s+")
# Envoy's x-forwarded-client-cert: pairs of one element; a comma would begin another
_PAIR: Final = rb'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^",;]*)'
_PAIRS: Final = re.compile(_PAIR)
_ELEMENT: Final = re.compile(_PAIR + rb"(?:;" + _PAIR + rb")*")
_SHA256: Final = re.compile(rb"[0-9a-fA-F]{64}")


def shown_certificate(scope: Scope, header: CertificateHeader | None) -> str:
    """The thumbprint of the client certificate that came with a request (RFC 8705 3.1).

    Args:
        scope: the request.
        header: where proxies tell of it; None where there are none.

    Raises:
        Refusal: ``sender_mismatch`` where there is no certificate, ``invalid_client_certificate``
            where a proxy says what cannot be understood.
    """
    if header is not None and _is_proxy(scope.get("client"), header):
        return _told(scope, header)
    certificate = scope.get("extensions", {}).get(CLIENT_CERTIFICATE)
    if certificate is None:
        raise _missing()
    return _thumbprint(hashlib.sha256(certificate).digest())


def _is_proxy(client: tuple[str, int] | None, header: CertificateHeader) -> bool:
    if client is None:
        return False
    try:
        address: IPv4Address | IPv6Address = ip_address(client[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in header.proxies)


def _told(scope: Scope, header: CertificateHeader) -> str:
    name = header.name.encode()
    values = [value for found, value in scope["headers"] if found == name and value]
    if not values:
        raise _missing()
    if len(values) > 1:
        raise _invalid("it was sent more than once", header)
    try:
        return _thumbprint(_READ[header.form](values[0]))
    except ValueError as error:
        raise _invalid(str(error), header) from None


def _byte_sequence(value: bytes) -> bytes:
    """RFC 9440 2.2: a byte sequence of structured fields (RFC 8941 3.3.5), DER."""
    value = value.strip(b" ")
    if len(value) < 2 or value[:1] != b":" or value[-1:] != b":":
        raise ValueError("it is no byte sequence (RFC 9440)")
    return hashlib.sha256(_decoded(value[1:-1])).digest()


def _escaped_pem(value: bytes) -> bytes:
    """The form of nginx's ``$ssl_client_escaped_cert``: PEM, URL-encoded."""
    found = _PEM.fullmatch(unquote_to_bytes(value))
    if found is None:
        raise ValueError("it is not one certificate in PEM, URL-encoded")
    return hashlib.sha256(_decoded(_SPACE.sub(b"", found[1]))).digest()


def _envoy(value: bytes) -> bytes:
    """The form of Envoy's ``x-forwarded-client-cert``: ``Hash`` is of the certificate's DER."""
    if _ELEMENT.fullmatch(value) is None:
        raise ValueError("it is not one element of key=value pairs")
    hashes = [found for key, found in _PAIRS.findall(value) if key.lower() == b"hash"]
    if len(hashes) != 1 or _SHA256.fullmatch(hashes[0].strip(b'"')) is None:
        raise ValueError("it holds no Hash, or none of SHA-256, or several")
    return bytes.fromhex(hashes[0].strip(b'"').decode())


_READ: Final[Mapping[CertificateForm, Callable[[bytes], bytes]]] = {
    "rfc9440": _byte_sequence,
    "pem": _escaped_pem,
    "xfcc": _envoy,
}


def _decoded(text: bytes) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        found = b""
    if not found:
        raise ValueError("it is not base64")
    return found


def _thumbprint(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _missing() -> Refusal:
    return Refusal(
        Reason.SENDER_MISMATCH,
        "The token is bound to a client certificate (cnf), and none came with the request; connect"
        " with that certificate.",
    )


def _invalid(why: str, header: CertificateHeader) -> Refusal:
    return Refusal(
        Reason.INVALID_CLIENT_CERTIFICATE,
        f"The client certificate that the proxy tells of ({header.name}) cannot be used: {why}.",
    )
