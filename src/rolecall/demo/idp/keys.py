"""The signing keys of the provider, and their rotation."""

import threading
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

from joserfc.jwk import ECKey, KeySet, RSAKey

Algorithm: TypeAlias = Literal["RS256", "ES256"]
SigningKey: TypeAlias = RSAKey | ECKey

_RSA_BITS: Final = 2048


class KeyRing:
    """The keys of an issuer: one signs, the ones before it stay published until dropped.

    ``encryption`` is the key that Keycloak publishes beside the signing keys. The key IDs are
    RFC 7638 thumbprints.
    """

    def __init__(self, algorithm: Algorithm = "RS256") -> None:
        self.algorithm: Final = algorithm
        self._turn = threading.Lock()
        self._keys: tuple[SigningKey, ...] = (self._generate(),)
        self.encryption: Final = _encryption_key()

    @property
    def active(self) -> SigningKey:
        """The key that signs."""
        return self._keys[0]

    @property
    def published(self) -> tuple[SigningKey, ...]:
        """The keys that a verifier may still meet, the active one first."""
        return self._keys

    @property
    def verifying(self) -> KeySet:
        """The published keys as a set to verify with."""
        return KeySet(list(self._keys))

    @cached_property
    def foreign(self) -> SigningKey:
        """A key of the same kind that was never published, to forge with."""
        return self._generate()

    def rotate(self) -> str:
        """Sign with a new key from now on and go on publishing the others; return its ID."""
        key = self._generate()
        with self._turn:
            self._keys = (key, *self._keys)
        return kid_of(key)

    def drop_old(self) -> None:
        """Publish nothing but the active key."""
        with self._turn:
            self._keys = self._keys[:1]

    def _generate(self) -> SigningKey:
        parameters: Any = {"use": "sig", "alg": self.algorithm}
        key: SigningKey
        if self.algorithm == "RS256":
            key = RSAKey.generate_key(_RSA_BITS, parameters=parameters, private=True)
        else:
            key = ECKey.generate_key("P-256", parameters=parameters, private=True)
        key.ensure_kid()
        return key


def _encryption_key() -> RSAKey:
    key = RSAKey.generate_key(_RSA_BITS, parameters={"use": "enc", "alg": "RSA-OAEP"}, private=True)
    key.ensure_kid()
    return key


def kid_of(key: SigningKey) -> str:
    """Return the ID under which a key is published."""
    return str(key.kid)


def public_jwk(key: SigningKey) -> dict[str, Any]:
    """Return the public half of a key as a JWK (RFC 7517)."""
    return dict(key.as_dict(private=False))
