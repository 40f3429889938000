"""``server.client_certificate``: who tells of the certificates of clients, and how."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Issuer
from rolecall.config.settings import CertificateForm, CertificateHeader

_AT: Final[KeyPath] = ("server", "client_certificate")
# RFC 9440, Envoy; nobody has given a name to what nginx sends
_NAMES: Final[Mapping[CertificateForm, str]] = {
    "rfc9440": "client-cert",
    "xfcc": "x-forwarded-client-cert",
}


def header(
    section: schema.ClientCertificateSection | None, document: Document
) -> CertificateHeader | None:
    """The header; None where there is none, or after a report."""
    if section is None:
        return None
    name = section.header or _NAMES.get(section.form)
    if name is None:
        document.report(
            (*_AT, "header"), f"is missing: form {section.form} has no header of its own."
        )
        return None
    networks = [
        network
        for index, text in enumerate(section.proxies)
        if (network := _network(text, index, document)) is not None
    ]
    return CertificateHeader(name.lower(), section.form, tuple(networks))


def check(issuers: Iterable[Issuer], server: schema.ServerSection, document: Document) -> None:
    """Report issuers whose tokens are bound to certificates that could not be seen."""
    for index, issuer in enumerate(issuers):
        path: KeyPath = ("issuers", index, "certificate_bound")
        if issuer.certificate_bound is None:
            continue
        own = server.tls is not None and server.tls.client_ca is not None
        if server.client_certificate is None and not own:
            document.report(
                path,
                "needs server.client_certificate, or server.tls.client_ca: without one of them no"
                " client certificate can be seen.",
            )
        if issuer.userinfo is not None:
            document.report(
                path,
                "does not go with userinfo, which does not say whose certificate a token is bound"
                " to; use introspection.",
            )


def _network(text: str, index: int, document: Document) -> IPv4Network | IPv6Network | None:
    path: KeyPath = (*_AT, "proxies", index)
    try:
        network = ip_network(text)
    except ValueError:
        document.report(path, "is neither an IP address nor a network (10.1.2.0/24).")
        return None
    if network.prefixlen == 0:
        document.report(
            path, "is everybody: whoever reaches the gateway could make up a certificate."
        )
    return network
