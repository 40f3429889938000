"""Which callers are revoked: found by what an entry names, however many entries there are."""

from collections.abc import Collection, Iterable
from typing import Any, Final

from rolecall.core import Caller, Reason, Refusal, Revocation

_Place = tuple[str, str, str]

# the rarest first: an entry is kept under the first of these that it names
_NAMES: Final = ("jti", "sid", "sub", "client")
_CLIENT_CLAIMS: Final = ("azp", "client_id")


class Revocations:
    """Entries by the issuer and the rarest value that they name.

    Args:
        entries: those to begin with.
    """

    def __init__(self, entries: Collection[Revocation] = ()) -> None:
        self._entries: dict[_Place, list[Revocation]] = {}
        self.add(entries)

    def add(self, entries: Collection[Revocation]) -> None:
        """Add entries; one that is added twice must be removed twice."""
        for entry in entries:
            self._entries.setdefault(_place(entry), []).append(entry)

    def remove(self, entries: Collection[Revocation]) -> None:
        """Remove entries that were added."""
        for entry in entries:
            place = _place(entry)
            self._entries[place].remove(entry)
            if not self._entries[place]:
                del self._entries[place]

    def check(self, caller: Caller) -> None:
        """Refuse a caller who is revoked.

        Raises:
            Refusal: ``revoked``.
        """
        if self._entries and self.concern(caller):
            raise Refusal(
                Reason.REVOKED,
                "The token, or whoever holds it, was revoked; sign in again, or ask the gateway's"
                " administrator.",
            )

    def concern(self, caller: Caller) -> bool:
        """Whether an entry is about this caller."""
        said = _said(caller)
        issued = _issued(caller)
        return any(
            _holds(entry, said, issued)
            for name, values in said.items()
            for value in values
            for entry in self._entries.get((caller.issuer, name, value), ())
        )


def _place(entry: Revocation) -> _Place:
    for name in _NAMES:
        value = getattr(entry, name)
        if value is not None:
            return entry.issuer, name, value
    return entry.issuer, "", ""


def _said(caller: Caller) -> dict[str, set[str]]:
    """What a caller is called, by every name that an entry may have for it."""
    claims = caller.claims
    return {
        "jti": _texts([claims.get("jti")]),
        "sid": _texts([claims.get("sid")]),
        # the configuration may take the subject from another claim; logout tokens never do
        "sub": _texts([caller.subject, claims.get("sub")]),
        "client": _texts([caller.client, *map(claims.get, _CLIENT_CLAIMS)]),
        "": {""},
    }


def _texts(values: Iterable[Any]) -> set[str]:
    return {value for value in values if isinstance(value, str)}


def _issued(caller: Caller) -> float | None:
    issued = caller.claims.get("iat")
    # what userinfo says was checked by nobody
    return issued if isinstance(issued, int | float) and not isinstance(issued, bool) else None


def _holds(entry: Revocation, said: dict[str, set[str]], issued: float | None) -> bool:
    if entry.issued_before is not None and issued is not None and issued >= entry.issued_before:
        return False
    return all(
        value in said[name] for name in _NAMES if (value := getattr(entry, name)) is not None
    )
