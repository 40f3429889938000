"""What a policy says to sets of roles, as far as it was asked for lately."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rolecall.config.conditions import Program
from rolecall.core import Decision, Rule

MOST_BYTES: Final = 32 * 1024 * 1024
"""That all views of a table take together, about."""

MOST_VIEWS: Final = 4096
"""Sets of roles."""

MOST_CELLS: Final = 8192
"""Of one view."""

MOST_UNSPOKEN: Final = 64
"""Cells of names that no rule of a view speaks of."""

# measured: what each takes by itself, and for what it points to
_VIEW: Final = 2048
_A_RULE: Final = 48
_CELL: Final = 384
_AN_ENTRY: Final = 8
_LISTED: Final = 256


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule, ready to be asked.

    Attributes:
        program: its condition.
        conditional: whether the call's circumstances decide if it matches.
        open: whether more of the body than its model decides it, so that the model alone cannot.
    """

    rule: Rule
    program: Program | None
    conditional: bool
    open: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What the rules say of one model at one endpoint to one set of roles.

    Attributes:
        settled: the decision, where it is the same for every such call.
        deny: conditional rules that may deny, in the order of the file.
        allow: rules that may allow, in the order of the file.
        elsewhere: rules that may allow the model at other endpoints.
        free: the decision if nothing denies, where a rule allows without a condition.
        otherwise: the decision if none of these does.
    """

    settled: Decision | None
    deny: tuple[Entry, ...]
    allow: tuple[Entry, ...]
    elsewhere: tuple[Entry, ...]
    free: Decision | None
    otherwise: Decision


Doors = Mapping[str, Iterable[str]]
Listing = list[tuple[str, list[tuple[str, Cell]] | None]]
Place = tuple[str, str]
"""An endpoint and a model."""


@dataclass(slots=True)
class View:
    """The rules that concern one set of roles, and the cells that were asked for lately.

    Attributes:
        rules: their numbers.
        looks_at_the_call: whether a rule here needs more of a call than endpoint and model.
        silent: what is said of a model that no rule here speaks of.
        listing: what `Table.listing` said lately, and of which doors.
        size: bytes that all of it takes, about.
        kept: whether others will find it.
    """

    roles: frozenset[str]
    rules: frozenset[int]
    looks_at_the_call: bool
    silent: Decision
    cells: dict[Place, Cell] = field(default_factory=dict)
    unspoken: dict[Place, Cell] = field(default_factory=dict)
    listing: tuple[Doors, Listing] | None = None
    size: int = 0
    kept: bool = False


class Views:
    """Views by sets of roles: those held, and those in doubt. The oldest make room.

    Callers choose names of models, where patterns allow them, and providers sets of roles: neither
    may take the memory of all.

    Args:
        most: how many.
        most_bytes: that they may take together, about.
    """

    def __init__(self, most: int = MOST_VIEWS, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        # a plain dict looks for its first entry among all those that went before it
        self._views: OrderedDict[tuple[frozenset[str], frozenset[str]], View] = OrderedDict()
        self.find = self._views.get
        self.size = 0

    def __len__(self) -> int:
        return len(self._views)

    def keep(self, roles: frozenset[str], doubtful: frozenset[str], view: View) -> None:
        """Remember a view that is new."""
        self._views[roles, doubtful] = view
        view.kept = True
        self._grow(view, _VIEW + _A_RULE * len(view.rules))

    def keep_cell(self, view: View, place: Place, cell: Cell) -> None:
        """Remember a cell of a name that a rule speaks of."""
        self._keep_cell(view, view.cells, place, cell, MOST_CELLS)

    def keep_unspoken(self, view: View, place: Place, cell: Cell) -> None:
        """Remember a cell of a name that no rule speaks of."""
        self._keep_cell(view, view.unspoken, place, cell, MOST_UNSPOKEN)

    def keep_listing(self, view: View, doors: Doors, listing: Listing) -> None:
        """Remember which models may be callable."""
        former = 0 if view.listing is None else _LISTED * len(view.listing[1])
        view.listing = doors, listing
        self._grow(view, _LISTED * len(listing) - former)

    def _keep_cell(
        self, view: View, cells: dict[Place, Cell], place: Place, cell: Cell, most: int
    ) -> None:
        # where thousands of rules speak of every name, few cells are many bytes
        if len(cells) >= most or view.size > self._most_bytes // 2:
            self._grow(view, -sum(_size(at, one) for at, one in cells.items()))
            cells.clear()
        cells[place] = cell
        self._grow(view, _size(place, cell))

    def _grow(self, view: View, size: int) -> None:
        if not view.kept:
            return
        view.size += size
        self.size += size
        while len(self._views) > self._most or (
            self.size > self._most_bytes and len(self._views) > 1
        ):
            roles, oldest = self._views.popitem(last=False)
            if oldest is view:
                # it is being looked at
                self._views[roles] = view
            else:
                self.size -= oldest.size
                oldest.kept = False


def _size(place: Place, cell: Cell) -> int:
    pointed = len(cell.deny) + len(cell.allow) + len(cell.elsewhere)
    return _CELL + 4 * len(place[1]) + _AN_ENTRY * pointed
