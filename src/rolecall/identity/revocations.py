"""Which callers are revoked: found by what an entry names, however many entries there are."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from rolecall.core import Actor, Caller, Reason, Refusal, Revocation

_Place = tuple[str, str, str]


def _acting(caller: Caller) -> Actor | None:
    """Who acts for a caller, if the caller's own issuer names it: nobody speaks for another's."""
    actor = caller.actor
    return actor if actor is not None and actor.issuer == caller.issuer else None


def _own_subjects(caller: Caller) -> tuple[Any, ...]:
    # the configuration may take the subject from another claim; logout tokens never do
    return caller.subject, caller.claims.get("sub")


def _subjects(caller: Caller) -> Iterable[Any]:
    actor = _acting(caller)
    found = _own_subjects(caller)
    return found if actor is None else (*found, actor.subject)


def _clients(caller: Caller) -> Iterable[Any]:
    found = (caller.client, caller.claims.get("azp"), caller.claims.get("client_id"))
    actor = _acting(caller)
    return found if actor is None else (*found, actor.client)


# what a caller is called, and whoever acts for it, by every name that an entry may have for it
_SAID: Final[Mapping[str, Callable[[Caller], Iterable[Any]]]] = MappingProxyType(
    {
        "jti": lambda caller: (caller.claims.get("jti"),),
        "sub": _subjects,
        "sid": lambda caller: (caller.claims.get("sid"),),
        "client": _clients,
    }
)
_ALL: Final = ""


class Revocations:
    """Entries by their issuer and by the rarest value that they name.

    Args:
        entries: those to begin with.
    """

    def __init__(self, entries: Collection[Revocation] = ()) -> None:
        self._entries: dict[_Place, list[Revocation]] = {}
        self._names: Counter[str] = Counter()
        self.add(entries)

    def add(self, entries: Collection[Revocation]) -> None:
        """Add entries; one that is added twice must be removed twice."""
        for entry in entries:
            place = _place(entry)
            self._entries.setdefault(place, []).append(entry)
            self._names[place[1]] += 1

    def remove(self, entries: Collection[Revocation]) -> None:
        """Remove entries that were added."""
        for entry in entries:
            place = _place(entry)
            self._entries[place].remove(entry)
            self._names[place[1]] -= 1
            if not self._entries[place]:
                del self._entries[place]

    def check(self, caller: Caller) -> None:
        """Refuse a caller who is revoked.

        Raises:
            Refusal: ``revoked``.
        """
        if self._entries and self.concern(caller):
            raise revoked()

    def concern(self, caller: Caller) -> bool:
        """Whether an entry is about this caller."""
        for name, number in self._names.items():
            if not number:
                continue
            for value in _SAID[name](caller) if name else (_ALL,):
                # what stands in a claim may have no hash
                if not isinstance(value, str):
                    continue
                for entry in self._entries.get((caller.issuer, name, value), ()):
                    if _holds(entry, caller):
                        return True
        return False


def revoked() -> Refusal:
    """What a caller is told who is revoked."""
    return Refusal(
        Reason.REVOKED,
        "The token, or whoever holds it, was revoked; sign in again, or ask the gateway's"
        " administrator.",
    )


def _place(entry: Revocation) -> _Place:
    """Where an entry is kept: under the first name that it has, the rarest first."""
    for name in _SAID:
        value = getattr(entry, name)
        if value is not None:
            return entry.issuer, name, value
    return entry.issuer, _ALL, _ALL


def _holds(entry: Revocation, caller: Caller) -> bool:
    issued = _issued(caller)
    if entry.issued_before is not None and issued is not None and issued >= entry.issued_before:
        return False
    return all(
        _is(entry, name, value, caller)
        for name in _SAID
        if (value := getattr(entry, name)) is not None
    )


def _is(entry: Revocation, name: str, value: str, caller: Caller) -> bool:
    if name == "sid" and entry.sub is not None and not _tells_session(entry.sub, caller):
        # it may be any of them
        return True
    return value in _SAID[name](caller)


def _tells_session(subject: str, caller: Caller) -> bool:
    """Whether a token says in which of a subject's sessions it was issued; of an actor's none."""
    return "sid" in caller.claims and subject in _own_subjects(caller)


def _issued(caller: Caller) -> float | None:
    issued = caller.claims.get("iat")
    # what userinfo says was checked by nobody
    return issued if isinstance(issued, int | float) and not isinstance(issued, bool) else None
