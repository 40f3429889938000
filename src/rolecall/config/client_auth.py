"""How the gateway shows an issuer who it is when it asks for introspection (RFC 7662 2.1)."""

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rolecall.config.document import Document, KeyPath
from rolecall.config.issuer_schema import Introspection
from rolecall.config.settings import Client, ClientAuth

if TYPE_CHECKING:
    from rolecall.config.signing_key import SigningKey

_NEEDS: Final[dict[ClientAuth, str]] = {
    "client_secret_basic": "client_secret",
    "client_secret_post": "client_secret",
    "private_key_jwt": "private_key_file",
    "tls_client_auth": "client_cert",
}


def client(section: Introspection, path: KeyPath, document: Document) -> Client | None:
    """Whom the issuer knows the gateway as; None after reporting why nobody."""
    method = section.client_auth or next(
        (method for method, needed in _NEEDS.items() if getattr(section, needed) is not None), None
    )
    if method is None:
        document.report(
            path,
            "needs client_secret, private_key_file or client_cert: introspection is for clients"
            " that show who they are (RFC 7662 2.1).",
        )
        return None
    if getattr(section, _NEEDS[method]) is None:
        document.report((*path, "client_auth"), f"needs {_NEEDS[method]} beside it.")
        return None
    if section.client_secret is not None and _NEEDS[method] != "client_secret":
        document.report((*path, "client_secret"), f"has no place beside {_NEEDS[method]}.")
    signing_key = None
    if method == "private_key_jwt":
        signing_key = _signing_key(section, path, document)
        if signing_key is None:
            return None
    return Client(method, section.client_id, section.client_secret, signing_key)


def _signing_key(section: Introspection, path: KeyPath, document: Document) -> "SigningKey | None":
    # few configurations name one, and the library takes 20 ms to load
    from rolecall.config.signing_key import read_signing_key  # noqa: PLC0415

    try:
        return read_signing_key(Path(section.private_key_file or ""), section.private_key_id)
    except ValueError as error:
        document.report((*path, "private_key_file"), f"{error}.")
        return None


def certificate(
    section: Introspection, path: KeyPath, document: Document
) -> tuple[str | None, str | None]:
    """The files of the client certificate that is shown with each connection, and of its key."""
    if section.client_cert is None:
        if section.client_key is not None:
            document.report((*path, "client_key"), "needs client_cert beside it.")
        return None, None
    try:
        # an encrypted key would ask for its password on the terminal
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            section.client_cert, section.client_key, password=""
        )
    except OSError:
        document.report(
            (*path, "client_cert"),
            "cannot be read, or is no certificate in PEM with its key (client_key).",
        )
    return section.client_cert, section.client_key
