"""The private key that the gateway itself signs with, as a client of an identity provider."""

import json
import ssl
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES: Final[Mapping[str, tuple[str, ...]]] = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "Ed25519": ("EdDSA", "Ed25519"),
}
_TYPES: Final = (RSAKey, ECKey, OKPKey)
_MIN_RSA_BITS: Final = 2048
_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and what is signed with it.

    Attributes:
        algorithm: one of RFC 7518 or RFC 8037.
        key_id: the ``kid`` that the provider knows its public half by, if it has one.
        key: the key itself.
        certificate: the ``x5t#S256`` that the provider knows it by, if that is its way.
    """

    algorithm: str
    key_id: str | None
    key: Key = field(repr=False)
    certificate: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it can be read in a process of its own; the library's keys cannot be pickled."""
        members = self.key.as_dict(private=True)
        return _restored, (self.algorithm, self.key_id, members, self.certificate)


def read_signing_key(file: Path, key_id: str | None) -> SigningKey:
    """Read a private key in PEM (PKCS #8, unencrypted) or as a JWK.

    Args:
        file: where it is.
        key_id: the ``kid``, where the file does not hold it.

    Raises:
        ValueError: it cannot be read or used; the sentence holds nothing of it.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    members: dict[str, Any] = {}
    if data.lstrip().startswith(b"{"):
        try:
            members = json.loads(data)
        except ValueError:
            raise ValueError("is no JWK: it is not JSON") from None
    key = _import(members or data)
    if key is None or not key.is_private:
        raise ValueError("holds no private key of RSA, EC or Ed25519, in PEM or as a JWK")
    fitting = _algorithms(key)
    algorithm = members.get("alg", fitting[0] if fitting else None)
    if algorithm not in fitting:
        raise ValueError("holds a key that cannot be signed with here")
    return SigningKey(algorithm, key_id or members.get("kid"), key)


def read_certified_key(certificate_file: Path, key_file: Path | None) -> SigningKey:
    """Read an RSA key that a provider knows by its certificate, both in PEM.

    Args:
        certificate_file: the certificate, first of its chain.
        key_file: its key, unencrypted, where it is not in the same file.

    Raises:
        ValueError: they cannot be read or used, or are not each other's.
    """
    try:
        # an encrypted key would ask for its password on the terminal
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(certificate_file, key_file, password="")
        text = certificate_file.read_text("ascii")
    except (OSError, ValueError):
        raise ValueError(
            "cannot be read, or is no certificate in PEM with its key (client_key)"
        ) from None
    begin = text.index(_BEGIN)
    end = text.index(_END, begin) + len(_END)
    digest = sha256(ssl.PEM_cert_to_DER_cert(text[begin:end])).digest()
    thumbprint = urlsafe_b64encode(digest).rstrip(b"=").decode()
    key = read_signing_key(key_file or certificate_file, None)
    if key.algorithm not in _RSA:
        raise ValueError("is not the certificate of an RSA key, which Entra ID asks for")
    return replace(key, algorithm="PS256", certificate=thumbprint)


def _restored(
    algorithm: str, key_id: str | None, members: dict[str, Any], certificate: str | None
) -> SigningKey:
    key = _import(members)
    assert key is not None  # noqa: S101 - it was one before
    return SigningKey(algorithm, key_id, key, certificate)


def _import(data: Any) -> Key | None:
    for kind in _TYPES:
        try:
            with warnings.catch_warnings():
                # joserfc warns of a short RSA key and takes it; it is refused below
                warnings.simplefilter("ignore")
                return kind.import_key(data)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return None


def _algorithms(key: Key) -> tuple[str, ...]:
    if isinstance(key, RSAKey):
        bits = key.public_key.public_numbers().n.bit_length()
        return _RSA if bits >= _MIN_RSA_BITS else ()
    if isinstance(key, ECKey | OKPKey):
        return _CURVES.get(key.curve_name, ())
    return ()
