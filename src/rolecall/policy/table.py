"""Policy as finished tables: built once from the configuration, only looked up afterwards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from rolecall.config.conditions import Program, compile_condition
from rolecall.config.globs import matches
from rolecall.config.patterns import Patterns, compile_patterns
from rolecall.core import MODEL_ENDPOINTS, Decision, Reason, RoleMapping, Rule
from rolecall.policy.facts import OF_THE_BODY
from rolecall.policy.role_table import RoleTable, compile_roles
from rolecall.policy.view import Cell, Doors, Entry, Listing, View, Views

_SCOPE_CLAIMS: Final = frozenset({"scope", "scp"})


@dataclass(frozen=True, slots=True)
class Index:
    """Numbers of rules by a name that they speak of."""

    by_pattern: Mapping[str, frozenset[int]]
    globs: Patterns

    def find(self, name: str) -> list[frozenset[int]]:
        """The numbers of the rules that speak of a name."""
        found = [self.by_pattern[pattern] for pattern in self.globs.matching(name)]
        if (exact := self.by_pattern.get(name)) is not None and "*" not in name:
            found.append(exact)
        return found


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled policy.

    Attributes:
        roles: how claims lead to roles.
        rules: every rule, in the order of the file.
        entries: the same, ready to be asked.
        scoped: numbers of the rules that an OAuth scope may decide, each with the scopes that give
            a role that it speaks of. Empty where conditions read scopes in a way that is not seen
            through.
    """

    roles: RoleTable
    rules: tuple[Rule, ...]
    entries: tuple[Entry, ...]
    scoped: Mapping[int, frozenset[str]]
    _by_role: Index
    _by_model: Index
    _views: Views = field(default_factory=Views)

    def view(self, roles: frozenset[str], doubtful: frozenset[str] = frozenset()) -> View:
        """The rules that concern these roles; remembered, since few sets of roles occur."""
        view = self._views.find((roles, doubtful))
        if view is None:
            view = self._view(roles, doubtful)
            self._views.keep(roles, doubtful, view)
        return view

    def cell(self, view: View, endpoint: str, model: str) -> Cell:
        """What a view says of a model at an endpoint, remembered.

        Of the names that no rule speaks of, which are callers' to choose, only a few are.
        """
        key = (endpoint, model)
        cell = view.cells.get(key) or view.unspoken.get(key)
        if cell is None:
            speaking = self.speaking(view, model)
            if not speaking and endpoint in MODEL_ENDPOINTS:
                cell = Cell(view.silent, (), (), (), None, view.silent)
                self._views.keep_unspoken(view, key, cell)
                return cell
            cell = self._cell(view, endpoint, speaking)
            self._views.keep_cell(view, key, cell)
        return cell

    def listing(self, view: View, doors: Doors) -> Listing:
        """The models that may be callable: the cells whose conditions decide it, or None if all do.

        Args:
            view: the rules of the caller's roles.
            doors: the model names that are served, and the endpoints that serve each.
        """
        if view.listing is not None and view.listing[0] is doors:
            return view.listing[1]
        listing = list(self._listing(view, doors))
        self._views.keep_listing(view, doors, listing)
        return listing

    def _listing(
        self, view: View, doors: Doors
    ) -> Iterator[tuple[str, list[tuple[str, Cell]] | None]]:
        for name, endpoints in doors.items():
            if not self.speaking(view, name):
                continue
            cells = [(endpoint, self.cell(view, endpoint, name)) for endpoint in endpoints]
            if any(cell.settled is not None and cell.settled.allowed for _, cell in cells):
                yield name, None
            elif open_cells := [item for item in cells if item[1].settled is None]:
                yield name, open_cells

    def speaking(self, view: View, model: str) -> list[Entry]:
        """The rules of a view that speak of a model, in the order of the file."""
        numbers: set[int] = set()
        for ids in self._by_model.find(model):
            numbers |= view.rules & ids
        return [self.entries[number] for number in sorted(numbers)]

    def scoped_rules(self, model: str) -> list[tuple[Entry, frozenset[str]]]:
        """The rules that speak of a model and that a scope may decide, as in ``scoped``."""
        numbers: set[int] = set()
        for ids in self._by_model.find(model):
            numbers |= self.scoped.keys() & ids
        return [(self.entries[number], self.scoped[number]) for number in numbers]

    def _view(self, roles: frozenset[str], doubtful: frozenset[str]) -> View:
        held = self._about(roles)
        feared = self._about(doubtful) - held
        mine = held | {n for n in feared if self.rules[n].effect == "deny"}
        return View(
            roles,
            mine,
            looks_at_the_call=any(self.entries[n].conditional for n in mine),
            silent=_no(Reason.MODEL_NOT_ALLOWED, roles),
        )

    def _about(self, roles: frozenset[str]) -> frozenset[int]:
        none: frozenset[int] = frozenset()
        return none.union(*(ids for role in roles for ids in self._by_role.find(role)))

    def _cell(self, view: View, endpoint: str, speaking: Sequence[Entry]) -> Cell:
        here = [entry for entry in speaking if covers(entry.rule, endpoint)]
        deny = [entry for entry in here if entry.rule.effect == "deny"]
        allow = [entry for entry in here if entry.rule.effect == "allow"]
        elsewhere = [
            entry
            for entry in speaking
            if entry.rule.effect == "allow"
            and entry.rule.endpoints
            and not covers(entry.rule, endpoint)
        ]
        certain = endpoint not in MODEL_ENDPOINTS or any(not e.conditional for e in elsewhere)
        otherwise = _no(Reason.ENDPOINT_NOT_ALLOWED, view.roles) if certain else view.silent
        open_ends = () if certain else tuple(elsewhere)
        freely = next((entry.rule for entry in allow if not entry.conditional), None)
        free = None
        if freely is not None:
            free = Decision(allowed=True, reason=None, rule=freely, roles=view.roles)
        return Cell(
            settled=_settled(deny, allow, open_ends, free, otherwise),
            free=free,
            deny=tuple(deny),
            allow=tuple(allow),
            elsewhere=open_ends,
            otherwise=otherwise,
        )


def _no(reason: Reason, roles: frozenset[str]) -> Decision:
    return Decision(allowed=False, reason=reason, rule=None, roles=roles)


def _settled(
    deny: Sequence[Entry],
    allow: Sequence[Entry],
    elsewhere: Sequence[Entry],
    free: Decision | None,
    otherwise: Decision,
) -> Decision | None:
    """The decision, where no condition can change it."""
    flat = next((entry.rule for entry in deny if not entry.conditional), None)
    if flat is not None:
        return replace(otherwise, reason=Reason.DENIED_BY_RULE, rule=flat)
    if deny:
        return None
    return free if free is not None or allow or elsewhere else otherwise


def compile_policy(mappings: Sequence[RoleMapping], rules: Sequence[Rule]) -> Table:
    """Compile the configuration's roles and rules.

    Raises:
        NotACondition: a condition does not compile; those of a loaded configuration do.
    """
    roles, entries = compile_roles(mappings), tuple(map(_entry, rules))
    by_role = _index(rule.roles for rule in rules)
    return Table(
        roles=roles,
        rules=tuple(rules),
        entries=entries,
        scoped=_scoped(roles, entries, by_role),
        _by_role=by_role,
        _by_model=_index(rule.models for rule in rules),
    )


def concerns(rule: Rule, roles: Iterable[str]) -> bool:
    """Whether a rule speaks of one of these roles."""
    return any(matches(pattern, role) for role in roles for pattern in rule.roles)


def speaks_of(rule: Rule, model: str) -> bool:
    """Whether a rule speaks of this model."""
    return any(matches(pattern, model) for pattern in rule.models)


def covers(rule: Rule, endpoint: str) -> bool:
    """Whether a rule speaks of this endpoint."""
    return endpoint in MODEL_ENDPOINTS and ("*" in rule.endpoints or endpoint in rule.endpoints)


def _entry(rule: Rule) -> Entry:
    program = compile_condition(rule.when.text, "rule") if rule.when else None
    timed = rule.not_before is not None or rule.expires is not None
    return Entry(
        rule,
        program,
        conditional=program is not None
        or timed
        or rule.ceilings is not None
        or rule.authentication is not None,
        open=program is not None and not program.reads.isdisjoint(OF_THE_BODY),
    )


def _scoped(
    roles: RoleTable, entries: Sequence[Entry], by_role: Index
) -> Mapping[int, frozenset[str]]:
    asked = (*(entry.program for entry in entries), *(entry.program for entry in roles.entries))
    programs = [program for program in asked if program is not None]
    if any(_reads_scope_claims(program) for program in programs):
        return {}
    none: frozenset[str] = frozenset()
    found = {n: none for n, entry in enumerate(entries) if entry.program and entry.program.scopes}
    for role, scopes in roles.scoped.items():
        for number in frozenset[int]().union(*by_role.find(role)):
            found[number] = found.get(number, none) | scopes
    return found


def _reads_scope_claims(program: Program) -> bool:
    return program.claims is None or not program.claims.isdisjoint(_SCOPE_CLAIMS)


def _index(spoken_of: Iterable[tuple[str, ...]]) -> Index:
    numbers: dict[str, set[int]] = {}
    for number, patterns in enumerate(spoken_of):
        for pattern in patterns:
            numbers.setdefault(pattern, set()).add(number)
    return Index(
        {pattern: frozenset(found) for pattern, found in numbers.items()},
        compile_patterns(pattern for pattern in numbers if "*" in pattern),
    )
