"""The signature step, behind one function: the only module that knows a JOSE library."""

import warnings
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from rolecall.config.settings import ALGORITHMS
from rolecall.config.signing_key import SigningKey
from rolecall.identity.jwk import VerificationKey


class Verify(Protocol):
    """Whether a signature over ``signing_input`` is this key's, made with this algorithm."""

    def __call__(
        self, algorithm: str, key: VerificationKey, signing_input: bytes, signature: bytes
    ) -> bool:
        """True for a valid signature; False for every other, never an exception."""


class _Algorithm(Protocol):
    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool: ...

    def sign(self, msg: bytes, key: Any) -> bytes: ...


def _algorithms() -> dict[str, _Algorithm]:
    with warnings.catch_warnings():
        # joserfc warns that RFC 9864 deprecates the name EdDSA; providers still send it
        warnings.simplefilter("ignore")
        registry = JWSRegistry(algorithms=ALGORITHMS)
        return {name: registry.get_alg(name) for name in ALGORITHMS}


_ALGORITHMS: Final = _algorithms()
_WRAPPED: Final[WeakKeyDictionary[VerificationKey, Key]] = WeakKeyDictionary()


def verify(algorithm: str, key: VerificationKey, signing_input: bytes, signature: bytes) -> bool:
    """Verify with joserfc; the guard has already seen to everything but the signature."""
    if algorithm not in key.algorithms:
        return False
    wrapped = _WRAPPED.get(key)
    if wrapped is None:
        wrapped = _WRAPPED[key] = _wrap(key)
    try:
        return _ALGORITHMS[algorithm].verify(signing_input, signature, wrapped)
    except (JoseError, ValueError, TypeError):
        return False


def sign(key: SigningKey, signing_input: bytes) -> bytes:
    """Sign with a private key of the gateway's own."""
    return _ALGORITHMS[key.algorithm].sign(signing_input, key.key)


def _wrap(key: VerificationKey) -> Key:
    public = key.public
    if isinstance(public, rsa.RSAPublicKey):
        return RSAKey(public, public)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECKey(public, public)
    return OKPKey(public, public)
