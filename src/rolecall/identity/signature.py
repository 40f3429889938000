"""The signature step, behind one function, so that the library can be changed in this file."""

import warnings
from typing import Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from rolecall.config.settings import ALGORITHMS
from rolecall.identity.keyset import VerificationKey


class Verify(Protocol):
    """Whether a signature over ``signing_input`` is this key's, made with this algorithm."""

    def __call__(
        self, algorithm: str, key: VerificationKey, signing_input: bytes, signature: bytes
    ) -> bool:
        """True for a valid signature; False for every other, never an exception."""


class _Algorithm(Protocol):
    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool: ...


def _algorithms() -> dict[str, _Algorithm]:
    with warnings.catch_warnings():
        # joserfc warns that RFC 9864 deprecates the name EdDSA; providers still send it
        warnings.simplefilter("ignore")
        registry = JWSRegistry(algorithms=ALGORITHMS)
        return {name: registry.get_alg(name) for name in ALGORITHMS}


_ALGORITHMS: Final = _algorithms()


def verify(algorithm: str, key: VerificationKey, signing_input: bytes, signature: bytes) -> bool:
    """Verify with joserfc; the guard has already seen to everything but the signature."""
    if algorithm not in key.algorithms:
        return False
    try:
        return _ALGORITHMS[algorithm].verify(signing_input, signature, key.key)
    except (JoseError, ValueError, TypeError):
        return False
