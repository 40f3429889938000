"""One key of a JWK Set (RFC 7517): what may verify signatures, and with which algorithms.

Keys are read with `cryptography` alone, so that no JOSE library has a say in which keys are good.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from rolecall.identity import base64url

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
# the algorithms that fit a key, the key, and the members that say which key it is (RFC 7638)
_Read = tuple[frozenset[str], PublicKey, dict[str, str]]

_MIN_RSA_BITS: Final = 2048
# verifying costs with the square of the modulus, and OpenSSL goes no further than twice this
_MAX_RSA_BITS: Final = 8192
_MIN_RSA_EXPONENT: Final = 65537
_MAX_RSA_EXPONENT: Final = (1 << 64) - 1
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
# RFC 7517 4.3; other operations may be named, and say nothing about these
_OTHER_OPERATIONS: Final = frozenset(
    {"encrypt", "decrypt", "wrapKey", "unwrapKey", "deriveKey", "deriveBits"}
)
_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final[Mapping[str, tuple[type[ec.EllipticCurve], str, int]]] = {
    "P-256": (ec.SECP256R1, "ES256", 32),
    "P-384": (ec.SECP384R1, "ES384", 48),
    "P-521": (ec.SECP521R1, "ES512", 66),
}
# two names of one algorithm (RFC 9864)
_EDWARDS: Final = frozenset({"EdDSA", "Ed25519"})
# the y coordinates of Ed25519's points of small order, under which anybody can sign (RFC 8032 has
# no check for them); the last three are 0, 1 and -1, written without reduction modulo p
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(text)
    for text in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
# CVE-2017-15361 (ROCA): such primes are k * M + (65537 ** a mod M), M a product of small primes, so
# the modulus is a power of 65537 modulo each of those
_ROCA: Final = tuple(
    (prime, frozenset(pow(65537, power, prime) for power in range(prime)))
    for prime in (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class VerificationKey:
    """One public key, and the algorithms that it may verify.

    Attributes:
        key_id: ``kid``, compared exactly; None where the key has none.
        algorithms: what a token's ``alg`` may be.
        thumbprint: RFC 7638; says which key it is, whatever it is called and however it is spelt.
        public: the key as `cryptography` knows it.
        issuer: the issuer that the key is for, where the set says so (Entra ID).
    """

    key_id: str | None
    algorithms: frozenset[str]
    thumbprint: str
    public: PublicKey
    issuer: str | None = None


class UnusableKey(ValueError):
    """A key is left out; the text says why.

    Attributes:
        alarming: whether somebody must act: the key is known to others, or can be broken.
    """

    def __init__(self, why: str, *, alarming: bool = False) -> None:
        super().__init__(why)
        self.alarming = alarming


def read_key(entry: Any) -> VerificationKey:
    """Read a JWK.

    Raises:
        UnusableKey: it is no key, or not one that may verify signatures.
    """
    if not isinstance(entry, dict):
        raise UnusableKey("it is not an object")
    key_id = entry.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise UnusableKey("its kid is not a string")
    issuer = entry.get("issuer")
    if issuer is not None and not isinstance(issuer, str):
        raise UnusableKey("its issuer is not a string")
    if any(name in entry for name in _PRIVATE):
        raise UnusableKey("it holds private members", alarming=entry.get("kty") != "oct")
    _check_use(entry)
    match entry.get("kty"):
        case "RSA":
            algorithms, public, members = _rsa(entry)
        case "EC":
            algorithms, public, members = _elliptic(entry)
        case "OKP":
            algorithms, public, members = _edwards(entry)
        case _:
            raise UnusableKey("its kty is not RSA, EC or OKP")
    return VerificationKey(
        key_id, _narrowed(entry, algorithms), _thumbprint(members), public, issuer
    )


def _check_use(entry: dict[str, Any]) -> None:
    """``use`` and ``key_ops`` (RFC 7517 4.2, 4.3) must both let the key verify."""
    if entry.get("use", "sig") != "sig":
        raise UnusableKey("its use is not sig")
    operations = entry.get("key_ops")
    if operations is None and "key_ops" not in entry:
        return
    if not isinstance(operations, list) or "verify" not in operations:
        raise UnusableKey("its key_ops do not hold verify")
    names = [name for name in operations if isinstance(name, str)]
    if len(names) != len(operations) or len(set(names)) != len(names):
        raise UnusableKey("its key_ops are not different strings")
    if not _OTHER_OPERATIONS.isdisjoint(names):
        raise UnusableKey("its key_ops mix signing with encryption")


def _narrowed(entry: dict[str, Any], fitting: frozenset[str]) -> frozenset[str]:
    algorithm = entry.get("alg")
    if algorithm is None and "alg" not in entry:
        return fitting
    if not isinstance(algorithm, str) or algorithm not in fitting:
        raise UnusableKey("its alg is no signature algorithm that fits the key")
    return fitting if entry["kty"] == "OKP" else frozenset({algorithm})


def _rsa(entry: dict[str, Any]) -> _Read:
    modulus = int.from_bytes(_bytes(entry, "n"), "big")
    exponent = int.from_bytes(_bytes(entry, "e"), "big")
    if modulus.bit_length() < _MIN_RSA_BITS:
        raise UnusableKey(f"it is an RSA key of less than {_MIN_RSA_BITS} bits", alarming=True)
    if modulus.bit_length() > _MAX_RSA_BITS:
        raise UnusableKey(f"it is an RSA key of more than {_MAX_RSA_BITS} bits")
    if not _MIN_RSA_EXPONENT <= exponent <= _MAX_RSA_EXPONENT or exponent % 2 == 0:
        raise UnusableKey("its RSA exponent is even, too small or too large", alarming=True)
    if modulus % 2 == 0:
        raise UnusableKey("its RSA modulus is even", alarming=True)
    if all(modulus % prime in powers for prime, powers in _ROCA):
        raise UnusableKey("it is a weak RSA key (ROCA, CVE-2017-15361)", alarming=True)
    public = _made(lambda: rsa.RSAPublicNumbers(exponent, modulus).public_key())
    return _RSA, public, {"e": _number(exponent), "kty": "RSA", "n": _number(modulus)}


def _elliptic(entry: dict[str, Any]) -> _Read:
    name = entry.get("crv")
    known = _CURVES.get(name) if isinstance(name, str) else None
    if known is None:
        raise UnusableKey("its curve is not supported")
    curve, algorithm, size = known
    x, y = _bytes(entry, "x"), _bytes(entry, "y")
    if (len(x), len(y)) != (size, size):
        raise UnusableKey("its coordinates are not of the curve's length")
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve()
    )
    # a point that is not on the curve is an error here
    public = _made(numbers.public_key)
    members = {"crv": str(name), "kty": "EC", "x": entry["x"], "y": entry["y"]}
    return frozenset({algorithm}), public, members


def _edwards(entry: dict[str, Any]) -> _Read:
    if entry.get("crv") != "Ed25519":
        raise UnusableKey("its curve is not supported")
    x = _bytes(entry, "x")
    if len(x) == 32 and bytes([*x[:31], x[31] & 0x7F]) in _SMALL_ORDER:
        raise UnusableKey("it is a point of small order", alarming=True)
    public = _made(lambda: ed25519.Ed25519PublicKey.from_public_bytes(x))
    return _EDWARDS, public, {"crv": "Ed25519", "kty": "OKP", "x": entry["x"]}


def _made(make: Callable[[], PublicKey]) -> PublicKey:
    try:
        return make()
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("its members are not valid") from None


def _bytes(entry: dict[str, Any], member: str) -> bytes:
    text = entry.get(member)
    if not isinstance(text, str):
        raise UnusableKey(f"its {member} is not a string")
    try:
        return base64url.decode(text.encode("ascii"))
    except ValueError:
        raise UnusableKey(f"its {member} is not base64url") from None


def _number(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode()


def _thumbprint(members: dict[str, str]) -> str:
    """RFC 7638: the required members in lexical order, without white space, hashed."""
    text = ",".join(f'"{name}":"{members[name]}"' for name in sorted(members))
    return base64url.encode(hashlib.sha256(f"{{{text}}}".encode()).digest()).decode()
