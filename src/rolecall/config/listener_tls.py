"""``server.tls``: how the gateway's own port ends TLS."""

from pathlib import Path
from typing import Final

from rolecall.config import schema
from rolecall.config.document import Document, KeyPath
from rolecall.config.settings import ListenerTls

_AT: Final[KeyPath] = ("server", "tls")


def listener_tls(
    section: schema.ListenerTlsSection | None, document: Document
) -> ListenerTls | None:
    """The section's values; what its files hold is seen when the gateway starts."""
    if section is None:
        return None
    for key in ("certificate", "key", "client_ca"):
        file = getattr(section, key)
        if file is not None and not Path(file).is_file():
            document.report((*_AT, key), "is no file that can be read.")
    if section.client_certificates is not None and section.client_ca is None:
        document.report(
            (*_AT, "client_certificates"),
            "needs client_ca beside it: the authorities that sign clients' certificates.",
        )
    return ListenerTls(
        section.certificate,
        section.key,
        section.client_ca,
        require=section.client_certificates == "require",
    )
