"""Tables and facts in Markdown."""

from collections.abc import Sequence

from bench.report import tables
from bench.report.tables import Table
from bench.results import Results


def report(results: Results) -> str:
    """The whole run."""
    parts = ["# A run of the benchmark", facts(results), "## Goals", goals(results), "## Figures"]
    return "\n\n".join([*parts, figures(results)]) + "\n"


def facts(results: Results) -> str:
    """Where, when and with what it was measured."""
    machine, plan = results.machine, results.plan
    where = (
        f"Measured {results.began[:10]} on {machine.processor}, {machine.cores} cores,"
        f" {machine.memory_gib:g} GiB, Linux {machine.kernel}, Python {machine.python},"
        f" wrk {machine.wrk}, at commit {machine.commit}:"
        f" {plan.rounds} rounds, {plan.seconds} s of load in each measurement."
    )
    return f"{where}\n\n{_drawn(tables.of_peers(results))}"


def goals(results: Results) -> str:
    """The goals."""
    return _drawn(tables.of_goals(results))


def figures(results: Results) -> str:
    """A table a workload, and what makes figures doubtful."""
    parts = [f"**{table.title}**\n\n{_drawn(table)}" for table in tables.of_workloads(results)]
    if notes := tables.notes(results):
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts)


def losses(results: Results) -> str:
    """Where Rolecall costs more than the gateway that it is held against, and the missed goals."""
    lines = [
        f"- {tables.title_of(workload)}: {tables.number(ratio)} × the CPU time of Envoy"
        for workload, ratio in tables.dearer(results)
    ]
    lines += [
        f"- missed: {title}: {measured}, where {limit} was the goal"
        for title, limit, measured, _, verdict in tables.of_goals(results).rows
        if verdict == "missed"
    ]
    return "\n".join(lines) or "Nowhere in this run."


def _drawn(table: Table) -> str:
    numbers = len(table.columns) - table.words
    rule = [*["---"] * table.words, *["---:"] * numbers]
    return "\n".join(map(_row, [table.columns, rule, *table.rows]))


def _row(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(escaped)} |"
