"""TLS towards upstreams: always verified, and resumed where a session is known (RFC 8446 2.2)."""

import ssl
from typing import Any, Literal

from rolecall.config import Tls

Alpn = Literal["http/1.1", "h2"]


class TlsObject(ssl.SSLObject):
    """One TLS connection: it begins with its context's last session, and knows its end.

    Attributes:
        ended: whether the other side said that it had sent everything (close_notify).
    """

    ended = False

    @classmethod
    def _create(cls, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        context: ClientContext = kwargs["context"]
        kwargs["session"] = context.session
        created: ssl.SSLObject = super()._create(*args, **kwargs)  # type: ignore[misc]
        return created

    def read(self, len: int = 1024, buffer: Any = None) -> Any:  # noqa: A002
        """Read; nothing, where otherwise it would raise, is the end."""
        data = super().read(len, buffer)
        if not data:
            self.ended = True
        return data


class ClientContext(ssl.SSLContext):
    """The context for one origin; it remembers the last session and begins the next with it.

    asyncio has no argument for that; ``sslobject_class`` is the documented way to have a say.
    """

    sslobject_class = TlsObject
    session: ssl.SSLSession | None = None


def client_context(tls: Tls | None, alpn: Alpn) -> ClientContext:
    """A verifying context, with a certificate authority and a certificate of one's own at need.

    Args:
        tls: what is trusted and shown.
        alpn: the one protocol that is offered (RFC 7301).

    Raises:
        OSError: a file cannot be read, or holds no certificate or key (`ssl.SSLError`).
    """
    tls = tls or Tls()
    context = ClientContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.ca_file is not None:
        context.load_verify_locations(cafile=tls.ca_file)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    context.set_alpn_protocols([alpn])
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
