"""Tokens and keys made with `cryptography` alone: what we verify with has no part in it."""

import base64
import json
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
CURVE_NAMES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def b64(data):
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def unb64(segment):
    return base64.urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))


def number(value, size=None):
    """A number as the members of a JWK write it (RFC 7518 6.3.1)."""
    return b64(value.to_bytes(size or max(1, (value.bit_length() + 7) // 8), "big")).decode()


def compact(value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def bare(header, claims, signature=b""):
    """A token in compact form whose signature is whatever is given."""
    return b".".join((b64(compact(header)), b64(compact(claims)), b64(signature)))


@cache
def private_key(algorithm, name):
    """One key for each name; RSA ones take long to make, and two are enough for all tests."""
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    if algorithm in {"EdDSA", "Ed25519"}:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Signer:
    """An issuer's key: publishes itself, and signs whatever it is asked to."""

    kid: str = "k1"
    algorithm: str = "ES256"
    name: str = ""
    material: object = field(default=None, compare=False, repr=False)

    @property
    def private(self):
        family = "RSA" if self.algorithm[0] in "RP" else self.algorithm
        return self.material or private_key(family, self.name or self.kid)

    def jwk(self, **members):
        """The public key; a member given as None is left out."""
        whole = {"kid": self.kid, "alg": self.algorithm, "use": "sig", **self._public(), **members}
        return {name: value for name, value in whole.items() if value is not None}

    def _public(self):
        public = self.private.public_key()
        if self.algorithm in CURVES:
            numbers = public.public_numbers()
            size = (public.curve.key_size + 7) // 8
            return {
                "kty": "EC",
                "crv": CURVE_NAMES[self.algorithm],
                "x": number(numbers.x, size),
                "y": number(numbers.y, size),
            }
        if self.algorithm in {"EdDSA", "Ed25519"}:
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw()).decode()}
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}

    def token(self, claims, header=None, *, algorithm=None):
        """A signed token; bytes stand for themselves, a header member given as None is left out.

        ``algorithm`` is the one that is really used, when the header is to say another.
        """
        if not isinstance(header, bytes):
            whole = {"typ": "JWT", "alg": self.algorithm, "kid": self.kid, **(header or {})}
            header = {name: value for name, value in whole.items() if value is not None}
        signing_input = b64(compact(header)) + b"." + b64(compact(claims))
        return signing_input + b"." + b64(self.sign(signing_input, algorithm))

    def sign(self, data, algorithm=None):
        algorithm = algorithm or self.algorithm
        if algorithm in {"EdDSA", "Ed25519"}:
            return self.private.sign(data)
        digest = HASHES[algorithm[2:]]()
        if algorithm in CURVES:
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
            size = (self.private.curve.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if algorithm.startswith("PS"):
            filling = padding.PSS(padding.MGF1(digest), digest.digest_size)
            return self.private.sign(data, filling, digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


def key_set(*keys):
    """A JWK Set of signers' public keys and of JWKs as they are."""
    return {"keys": [key.jwk() if isinstance(key, Signer) else key for key in keys]}
