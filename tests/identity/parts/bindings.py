"""Certificates that tokens are bound to, and what a connection or a proxy shows of them."""

import hashlib

from rolecall.core import Reason, Refusal

from .signing import b64


def x5t(certificate):
    """``x5t#S256`` of a certificate's DER (RFC 8705 3.1)."""
    return b64(hashlib.sha256(certificate).digest()).decode()


def shown(certificate):
    """The sender has shown this certificate."""
    return lambda: x5t(certificate)


def nothing_shown():
    """The sender has shown none."""
    raise Refusal(Reason.SENDER_MISMATCH, "No certificate came with the request.")


def nonsense_shown():
    """A proxy says what cannot be understood."""
    raise Refusal(Reason.INVALID_CLIENT_CERTIFICATE, "It is no certificate.")
