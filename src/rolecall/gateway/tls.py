"""How the gateway's own port ends TLS, with the certificate that its files hold now."""

import logging
import ssl
from pathlib import Path
from typing import Final

from rolecall.config import FileState, ListenerTls, file_state

log = logging.getLogger("rolecall.gateway")

_PROTOCOLS: Final = ["http/1.1"]


def tls_context(tls: ListenerTls) -> ssl.SSLContext:
    """How the port ends TLS; a certificate that is renewed counts from the next handshake on.

    Raises:
        OSError: a file cannot be used (`ssl.SSLError` is one).
    """
    renewal = _Renewal(tls)
    context = _context(tls)
    context.sni_callback = renewal.choose
    return context


def _context(tls: ListenerTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # who is at the other end is known from the handshake on, and does not change
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(_PROTOCOLS)
    # nobody is there to be asked for a passphrase
    context.load_cert_chain(tls.certificate, tls.key, password="")
    if tls.client_ca is not None:
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if tls.require else ssl.CERT_OPTIONAL
    return context


class _Renewal:
    """Sees, at each handshake, whether the files have changed."""

    def __init__(self, tls: ListenerTls) -> None:
        self._tls = tls
        self._seen = self._look()
        self._renewed: ssl.SSLContext | None = None

    def choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> None:
        """Give a handshake that has just begun the certificate of now (`sni_callback`)."""
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            self._renew()
        if self._renewed is not None:
            connection.context = self._renewed

    def _look(self) -> list[FileState]:
        files = (self._tls.certificate, self._tls.key, self._tls.client_ca)
        return [file_state(Path(file)) for file in files if file is not None]

    def _renew(self) -> None:
        try:
            self._renewed = _context(self._tls)
        except OSError as error:
            log.warning("server.tls: the files have changed and cannot be used: %s", error)
        else:
            log.info("server.tls: the files have changed and were read again")
