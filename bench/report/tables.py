"""The tables of a run, as text in cells; how they are drawn is another matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bench import paired
from bench.goals import GOALS, Verdict, judge
from bench.paired import Spread
from bench.peers import PEERS
from bench.results import Results
from bench.workloads import GROUPS

MEASURE: Final = "envoy"
"""The gateway that the others are held against."""
_TITLES: Final = {workload.name: workload.title for group in GROUPS for workload in group.workloads}
_PEERS: Final = {peer.name: peer.title for peer in PEERS}


def title_of(workload: str) -> str:
    """A workload's title; its name, if the results know one that is not known here."""
    return _TITLES.get(workload, workload)


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, and rows of cells; the first column holds words, the others numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def of_workloads(results: Results) -> list[Table]:
    """A table for each workload that has figures."""
    return [table for name in results.plan.workloads if (table := _of_workload(results, name)).rows]


def _of_workload(results: Results, workload: str) -> Table:
    known = {
        figure
        for sample in results.samples
        if sample.step.workload == workload
        for figure in sample.figures
    }
    columns = [column for column in _COLUMNS if column.figure in known]
    rows = []
    for peer in results.plan.peers:
        cells = tuple(column.cell(results, workload, peer) for column in columns)
        if any(cells):
            rows.append((_PEERS.get(peer, peer), *cells))
    heads = (column.head for column in columns)
    return Table(title_of(workload), ("gateway", *heads), tuple(rows))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a workload's table."""

    figure: str
    head: str
    write: Callable[[Sequence[float]], str]
    against: str | None = None

    def cell(self, results: Results, workload: str, peer: str) -> str:
        """What stands in it for this gateway; nothing if that was not measured."""
        values = results.rounds(workload, peer, self.figure)
        found = list(values.values())
        if self.against is not None:
            found = paired.ratios(values, results.rounds(workload, self.against, self.figure))
        return self.write(found) if found else ""


def median(values: Sequence[float]) -> str:
    """The median alone."""
    return number(Spread.of(values).median)


def extremes(values: Sequence[float]) -> str:
    """The lowest and the highest."""
    found = Spread.of(values)
    return f"{number(found.low)} to {number(found.high)}"


_COLUMNS: Final = (
    Column("cpu_us", "CPU µs", median),
    Column("cpu_us", "from, to", extremes),
    Column("cpu_us", "× Envoy", median, MEASURE),
    Column("rps", "answers/s", median),
    Column("p50_ms", "p50 ms", median),
    Column("p99_ms", "p99 ms", median),
)


def number(value: float) -> str:
    """Three digits that mean something."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"


def of_goals(results: Results) -> Table:
    """The goals and what became of them."""
    rows = tuple(_goal(verdict) for verdict in judge(results, GOALS))
    return Table("goals", ("goal", "at most", "measured", "verdict"), rows)


def _goal(verdict: Verdict) -> tuple[str, ...]:
    limit = f"{verdict.goal.limit:g} {verdict.goal.unit}"
    if verdict.measured is None:
        return verdict.goal.title, limit, "", "not measured"
    return (
        verdict.goal.title,
        limit,
        f"{number(verdict.measured.median)} {verdict.goal.unit}",
        "reached" if verdict.reached else "missed",
    )


def by_round(results: Results, workload: str, peers: Sequence[str]) -> Table:
    """Every figure of a comparison: what the gateways cost in each round, and their ratio."""
    left, right = (results.rounds(workload, peer, "cpu_us") for peer in peers)
    rows = tuple(
        (
            str(n),
            *(number(side[n]) if n in side else "" for side in (left, right)),
            "".join(map(number, paired.ratios({n: left[n]}, right) if n in left else ())),
        )
        for n in sorted(left.keys() | right.keys())
    )
    head = (f"{peer} CPU µs" for peer in peers)
    return Table(title_of(workload), ("round", *head, "ratio"), rows)
