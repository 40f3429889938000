"""A certificate of 127.0.0.1 that vouches for itself: for a server, and for a client."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from .signing import Signer

HOST = "login.example.test"
"""A name that no name server knows, and every certificate here is of."""


@dataclass(frozen=True)
class Certificate:
    """Its files, in PEM."""

    file: Path
    key: Path

    def server(self, clients=None):
        """A server's context; ``clients`` is the certificate that its clients have to show."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.file)
        return context


def certificate(folder, name="127.0.0.1", authority=None):
    """A fresh one, with the key of that name; it vouches for itself where no other one does."""
    key = Signer(f"tls {name}").private
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(_called(name))
        .issuer_name(_called(authority or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName(HOST)]
            ),
            critical=False,
        )
        .sign(Signer(f"tls {authority or name}").private, hashes.SHA256())
    )
    files = Certificate(folder / f"{name}.pem", folder / f"{name}.key.pem")
    write(files.file, signed.public_bytes(serialization.Encoding.PEM))
    write(
        files.key,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    return files


def write(file, data):
    """Put another file in the place of one, as careful programs do."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(file)


def _called(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
