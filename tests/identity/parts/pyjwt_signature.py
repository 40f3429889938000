"""The signature step made with PyJWT: what a change of the library would look like."""

from jwt.algorithms import get_default_algorithms

ALGORITHMS = get_default_algorithms()
# PyJWT knows Ed25519 by its older name alone (RFC 9864)
ALGORITHMS["Ed25519"] = ALGORITHMS["EdDSA"]


def verify(algorithm, key, signing_input, signature):
    """Whether the signature is this key's; the protocol of `rolecall.identity.signature`."""
    if algorithm not in key.algorithms:
        return False
    return ALGORITHMS[algorithm].verify(signing_input, key.public, signature)
