"""``lists:``: names that are used together, and written once."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rolecall.config.document import Document, KeyPath
from rolecall.config.policy_schema import ListName

Lists = Mapping[str, tuple[str, ...]]


def resolve(
    written: Mapping[str, list[Any]], document: Document, shared: Lists = MappingProxyType({})
) -> Lists:
    """Every list with the lists within it laid out; a list of itself is an error.

    ``shared`` are the lists of the file that includes this one; its own come first.
    """
    resolved: dict[str, tuple[str, ...]] = {
        name: names for name, names in shared.items() if name not in written
    }

    def names_of(name: str, under_way: tuple[str, ...]) -> tuple[str, ...]:
        if name in resolved:
            return resolved[name]
        found: dict[str, None] = {}
        for index, term in enumerate(written[name]):
            if not isinstance(term, ListName):
                found[term] = None
            elif term.name in (*under_way, name):
                circle = " → ".join((*under_way, name, term.name))
                document.report(("lists", name, index), f"is a list of itself: {circle}.")
            elif term.name not in written and term.name not in resolved:
                _report_unknown(term.name, written, ("lists", name, index), document)
            else:
                found |= dict.fromkeys(names_of(term.name, (*under_way, name)))
        resolved[name] = tuple(found)
        return resolved[name]

    for name in written:
        names_of(name, ())
    return resolved


def expand(
    terms: Sequence[Any] | None, lists: Lists, path: KeyPath, document: Document
) -> tuple[str, ...]:
    """The names that terms stand for, in their order, each once."""
    found: dict[str, None] = {}
    for index, term in enumerate(terms or ()):
        if not isinstance(term, ListName):
            found[term] = None
        elif term.name in lists:
            found |= dict.fromkeys(lists[term.name])
        else:
            _report_unknown(term.name, lists, (*path, index), document)
    return tuple(found)


def _report_unknown(name: str, known: Mapping[str, Any], path: KeyPath, document: Document) -> None:
    there = f"there are: {', '.join(known)}" if known else "there is none under lists:"
    document.report(path, f"names the list {name!r}, which is not there; {there}.")
