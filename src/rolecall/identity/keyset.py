"""Key sets (RFC 7517): each key is read by itself, and a bad one never spoils the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rolecall.identity.jwk import UnusableKey, VerificationKey, read_key

MAX_KEYS: Final = 1000
MAX_CANDIDATES: Final = 4


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one document.

    Attributes:
        keys: in the order of the document.
        skipped: why the others were left out.
        alarms: what somebody must see to: keys that are no secret or can be broken, and key IDs
            that two keys share.
    """

    keys: tuple[VerificationKey, ...]
    skipped: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    _named: Mapping[str, tuple[VerificationKey, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named: dict[str, tuple[VerificationKey, ...]] = {}
        for key in self.keys:
            if key.key_id is not None:
                before = named.get(key.key_id, ())
                named[key.key_id] = (*before, key)[:MAX_CANDIDATES]
        object.__setattr__(self, "_named", named)

    def named(self, key_id: str | None) -> tuple[VerificationKey, ...]:
        """The keys that a token may mean; without a key ID only a single key can be meant."""
        if key_id is None:
            return self.keys if len(self.keys) == 1 else ()
        return self._named.get(key_id, ())

    def thumbprints(self) -> frozenset[str]:
        """Which keys are in the set."""
        return frozenset(key.thumbprint for key in self.keys)


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
    keys: dict[int, VerificationKey] = {}
    skipped: list[str] = []
    alarms: list[str] = []
    for index, entry in enumerate(entries):
        try:
            keys[index] = read_key(entry)
        except UnusableKey as error:
            skipped.append(f"key {index}: {error}")
            if error.alarming:
                alarms.append(skipped[-1])
    if not keys:
        raise ValueError(
            f"it holds no usable key ({'; '.join(skipped[:3]) or 'the list is empty'})"
        )
    return KeySet(tuple(keys.values()), tuple(skipped), (*alarms, *_shared_names(keys)))


def _shared_names(keys: dict[int, VerificationKey]) -> list[str]:
    """Key IDs that stand for more than one key; a log is no place for the IDs themselves."""
    first: dict[str, str] = {}
    return [
        f"key {index}: its kid is also that of another key"
        for index, key in keys.items()
        if key.key_id is not None and first.setdefault(key.key_id, key.thumbprint) != key.thumbprint
    ]
