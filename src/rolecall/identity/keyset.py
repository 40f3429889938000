"""Key sets (RFC 7517): each key is imported by itself, and a bad one never spoils the others."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import Key, RSAKey, import_key

MAX_KEYS: Final = 1000
MAX_CANDIDATES: Final = 4
_MIN_RSA_BITS: Final = 2048
_MIN_RSA_EXPONENT: Final = 65537
_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
_RSA: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES: Final[Mapping[object, frozenset[str]]] = {
    "P-256": frozenset({"ES256"}),
    "P-384": frozenset({"ES384"}),
    "P-521": frozenset({"ES512"}),
    # two names of one algorithm (RFC 9864)
    "Ed25519": frozenset({"EdDSA", "Ed25519"}),
}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key, and the algorithms that it may verify.

    ``thumbprint`` (RFC 7638) says which key it is, whatever it is called.
    """

    key_id: str | None
    algorithms: frozenset[str]
    thumbprint: str
    key: Key


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one document, and why the others were left out."""

    keys: tuple[VerificationKey, ...]
    skipped: tuple[str, ...] = ()

    def named(self, key_id: str | None) -> tuple[VerificationKey, ...]:
        """The keys that a token may mean; without a key ID only a single key can be meant."""
        if key_id is None:
            return self.keys if len(self.keys) == 1 else ()
        return tuple(key for key in self.keys if key.key_id == key_id)[:MAX_CANDIDATES]

    def thumbprints(self) -> frozenset[str]:
        """Which keys are in the set."""
        return frozenset(key.thumbprint for key in self.keys)


class UnusableKey(ValueError):
    """A key is left out; the text says why."""


def import_keys(document: object) -> KeySet:
    """Import a JWK Set.

    Raises:
        ValueError: it is no JWK Set, or not one of its keys can be used.
    """
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it is no JWK Set: there is no list of keys")  # noqa: TRY004
    if len(entries) > MAX_KEYS:
        raise ValueError(f"it holds more than {MAX_KEYS} keys")
    keys: list[VerificationKey] = []
    skipped: list[str] = []
    for index, entry in enumerate(entries):
        try:
            keys.append(_import(entry))
        except UnusableKey as error:
            skipped.append(f"key {index}: {error}")
    if not keys:
        raise ValueError(
            f"it holds no usable key ({'; '.join(skipped[:3]) or 'the list is empty'})"
        )
    return KeySet(tuple(keys), tuple(skipped))


def _import(entry: Any) -> VerificationKey:
    if not isinstance(entry, dict):
        raise UnusableKey("it is not an object")
    key_id = entry.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise UnusableKey("its kid is not a string")
    if entry.get("use", "sig") != "sig":
        raise UnusableKey("its use is not sig")
    operations = entry.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        raise UnusableKey("its key_ops do not hold verify")
    # a tuple: what stands there may have no hash
    if entry.get("kty") not in ("RSA", "EC", "OKP"):
        raise UnusableKey("its kty is not RSA, EC or OKP")
    if any(name in entry for name in _PRIVATE):
        raise UnusableKey("it holds private members")
    algorithms = _algorithms(entry)
    key = _key(entry)
    return VerificationKey(key_id, algorithms, key.thumbprint(), key)


def _algorithms(entry: dict[str, Any]) -> frozenset[str]:
    curve = entry.get("crv")
    fitting = (
        _RSA
        if entry["kty"] == "RSA"
        else _CURVES.get(curve)
        if isinstance(curve, str) and (entry["kty"] == "OKP") == (curve == "Ed25519")
        else None
    )
    if fitting is None:
        raise UnusableKey("its curve is not supported")
    algorithm = entry.get("alg")
    if algorithm is None:
        return fitting
    if not isinstance(algorithm, str) or algorithm not in fitting:
        raise UnusableKey("its alg is no signature algorithm that fits the key")
    return fitting if entry["kty"] == "OKP" else frozenset({algorithm})


def _key(entry: dict[str, Any]) -> Key:
    # only the members that say which key it is: nothing else of the document has a say
    public: Any = {
        member: entry[member] for member in ("kty", "n", "e", "crv", "x", "y") if member in entry
    }
    try:
        with warnings.catch_warnings():
            # joserfc warns of a short RSA key and takes it; it is refused below
            warnings.simplefilter("ignore")
            key = import_key(public)
        if isinstance(key, RSAKey):
            numbers = key.public_key.public_numbers()
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise UnusableKey("its members are not valid") from None
    if isinstance(key, RSAKey):
        if numbers.n.bit_length() < _MIN_RSA_BITS:
            raise UnusableKey(f"it is an RSA key of less than {_MIN_RSA_BITS} bits")
        if numbers.e < _MIN_RSA_EXPONENT or numbers.e % 2 == 0:
            raise UnusableKey("its RSA exponent is too small or even")
    return key
