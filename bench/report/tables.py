"""The tables of a run, as text in cells; how they are drawn is another matter."""

from collections.abc import Callable, Mapping, Sequence
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

_WORKLOADS: Final = {
    workload.name: workload.title for group in GROUPS for workload in group.workloads
}
_PEERS: Final = {peer.name: peer for peer in PEERS}
# each is shown against the workload that it differs from in one thing
_OVER: Final = {"denied": "chat-16", "rules-10000": "rules-1"}
_BEYOND: Final = {"cold-rs256": "chat-16", "cold-es256": "chat-16"}
_CROWDED: Final = 0.05


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, and rows of cells.

    Attributes:
        words: how many of the columns, from the left, hold words; the others hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


def title_of(workload: str) -> str:
    """A workload's title; its name, if the results know one that is not known here."""
    return _WORKLOADS.get(workload, workload)


def peer_of(peer: str) -> str:
    """The same for a gateway."""
    return _PEERS[peer].title if peer in _PEERS else peer


def number(value: float) -> str:
    """Three digits that mean something."""
    value = float(f"{value:.3g}") if abs(value) < 100 else value
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"


def _median(values: Sequence[float]) -> str:
    return number(Spread.of(values).median)


def _extremes(values: Sequence[float]) -> str:
    found = Spread.of(values)
    return f"{number(found.low)} to {number(found.high)}"


def _percent(values: Sequence[float]) -> str:
    return f"{Spread.of(values).median:.0%}"


Values = Callable[[Results, str, str], Sequence[float]]
"""What a column shows of a workload and a gateway, by round."""


def _own(figure: str) -> Values:
    return lambda results, workload, peer: list(results.rounds(workload, peer, figure).values())


def _against_measure(results: Results, workload: str, peer: str) -> Sequence[float]:
    cpu = results.rounds(workload, peer, "cpu_us")
    return paired.ratios(cpu, results.rounds(workload, MEASURE, "cpu_us"))


def _against(
    others: Mapping[str, str],
    compare: Callable[[Mapping[int, float], Mapping[int, float]], list[float]],
) -> Values:
    def values(results: Results, workload: str, peer: str) -> Sequence[float]:
        if workload not in others:
            return ()
        cpu = results.rounds(workload, peer, "cpu_us")
        return compare(cpu, results.rounds(others[workload], peer, "cpu_us"))

    return values


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the workloads' tables; it stands in those that have something for it."""

    head: str
    values: Values
    write: Callable[[Sequence[float]], str] = _median

    def cell(self, results: Results, workload: str, peer: str) -> str:
        """What stands in it for this gateway; nothing if that was not measured."""
        values = self.values(results, workload, peer)
        return self.write(values) if values else ""


_COLUMNS: Final = (
    Column("CPU µs", _own("cpu_us")),
    Column("from, to", _own("cpu_us"), _extremes),
    Column("× Envoy", _against_measure),
    Column("µs beyond chat-16", _against(_BEYOND, paired.differences)),
    Column("× the other", _against(_OVER, paired.ratios)),
    Column("answers/s", _own("rps")),
    Column("of its highest", _own("share"), _percent),
    Column("p50 ms", _own("p50_ms")),
    Column("p99 ms", _own("p99_ms")),
    Column("1st event p50 ms", _own("first_p50_ms")),
    Column("1st event p99 ms", _own("first_p99_ms")),
    Column("seconds", _own("ready_s")),
    Column("from, to", _own("ready_s"), _extremes),
    Column("MiB at rest", _own("rest_mib")),
    Column("MiB after", _own("after_mib")),
    Column("growth in 2nd half", _own("growth_mib")),
    Column("requests", _own("requests")),
    Column("p99 ms: nothing happens", _own("steady_p99_ms")),
    Column("a key is added", _own("rotating_p99_ms")),
    Column("key server hangs", _own("down_p99_ms")),
    Column("new key taken after s", _own("taken_s")),
    Column("p99 ms: calm", _own("calm_p99_ms")),
    Column("beside as many known tokens", _own("known_p99_ms")),
    Column("beside the flood", _own("flooded_p99_ms")),
    Column("unknown keys/s", _own("unknown_rps")),
    Column("fetches of keys", _own("fetches")),
)


def of_workloads(results: Results) -> list[Table]:
    """A table for each workload that has figures."""
    return [table for name in results.plan.workloads if (table := _of_workload(results, name)).rows]


def _of_workload(results: Results, workload: str) -> Table:
    peers = results.plan.peers
    cells = {
        column: [column.cell(results, workload, peer) for peer in peers] for column in _COLUMNS
    }
    shown = {column: texts for column, texts in cells.items() if any(texts)}
    rows = [
        (peer_of(peer), *row) for peer, *row in zip(peers, *shown.values(), strict=True) if any(row)
    ]
    heads = (column.head for column in shown)
    return Table(f"{workload}: {title_of(workload)}", ("gateway", *heads), tuple(rows))


def of_goals(results: Results) -> Table:
    """The goals and what became of them."""
    rows = tuple(_goal(verdict) for verdict in judge(results, GOALS))
    return Table("goals", ("goal", "at most", "measured", "from, to", "verdict"), rows)


def _goal(verdict: Verdict) -> tuple[str, ...]:
    unit = verdict.goal.unit
    limit = f"{verdict.goal.limit:g} {unit}"
    if verdict.measured is None:
        return verdict.goal.title, limit, "", "", "not measured"
    found = verdict.measured
    span = "" if found.low == found.high else f"{number(found.low)} to {number(found.high)}"
    ruling = "reached" if verdict.reached else "missed"
    return verdict.goal.title, limit, f"{number(found.median)} {unit}", span, ruling


def dearer(results: Results) -> list[tuple[str, float]]:
    """Workloads in which Rolecall costs more CPU time than Envoy, and how many times as much."""
    found = {
        workload: _against_measure(results, workload, "rolecall")
        for workload in results.plan.workloads
    }
    medians = {name: Spread.of(ratios).median for name, ratios in found.items() if ratios}
    return [(name, ratio) for name, ratio in medians.items() if ratio > 1]


def of_peers(results: Results) -> Table:
    """The gateways, their versions, and why some are not there."""
    rows = tuple(
        (peer_of(peer), _version(results, peer), _PEERS[peer].manner if peer in _PEERS else "")
        for peer in results.plan.peers
    )
    return Table("gateways", ("gateway", "version", "what it does here"), rows, words=3)


def _version(results: Results, peer: str) -> str:
    if peer in results.versions:
        return results.versions[peer]
    return f"not measured: {results.skipped.get(peer, 'unknown')}"


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
    return Table(f"{workload}, round by round", ("round", *head, "ratio"), rows)


def notes(results: Results) -> list[str]:
    """What went wrong, and what makes figures doubtful."""
    said = [
        f"{failure.step.workload}, {peer_of(failure.step.peer)}, round {failure.step.round}:"
        f" {failure.reason}"
        for failure in results.failures
    ]
    shares = [
        sample.figures["others_share"]
        for sample in results.samples
        # two workers share cores with the load where there are only two
        if "others_share" in sample.figures and sample.step.workload != "workers-2"
    ]
    if shares and Spread.of(shares).median > _CROWDED:
        said.append(
            f"Other programs kept the gateway's core busy for {_percent(shares)} of the time:"
            " answers a second and latencies are too bad by that; CPU time hardly."
        )
    return said
