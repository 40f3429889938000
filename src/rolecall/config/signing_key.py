"""The private key that the gateway itself signs with, as a client of an identity provider."""

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and what is signed with it.

    Attributes:
        algorithm: one of RFC 7518 or RFC 8037.
        key_id: the ``kid`` that the provider knows its public half by, if it has one.
        key: the key itself.
    """

    algorithm: str
    key_id: str | None
    key: Key = field(repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it can be read in a process of its own; the library's keys cannot be pickled."""
        return _restored, (self.algorithm, self.key_id, self.key.as_dict(private=True))


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


def _restored(algorithm: str, key_id: str | None, members: dict[str, Any]) -> SigningKey:
    key = _import(members)
    assert key is not None  # noqa: S101 - it was one before
    return SigningKey(algorithm, key_id, key)


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
