"""The command line: ``python -m bench``."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from bench import machine, results, runner, stage
from bench.peers import PEERS
from bench.places import CACHE
from bench.programs import Missing, ProgramFailed
from bench.report import comparison, tables, terminal
from bench.results import Failure, Plan, Results, Sample, Step
from bench.workloads import GROUPS, NAMES, QUICK

_WIDE: Final = None if sys.stdout.isatty() else 120
out = Console(highlight=False, width=_WIDE)
err = Console(stderr=True, highlight=False, width=_WIDE)

_PEER_NAMES: Final = tuple(peer.name for peer in PEERS)
_COMPARED: Final = ("rolecall", "envoy")


def _chosen(known: Sequence[str]) -> Callable[..., tuple[str, ...] | None]:
    def chosen(
        _: click.Context, parameter: click.Parameter, value: str | None
    ) -> tuple[str, ...] | None:
        if value is None:
            return None
        names = value.split(",")
        if unknown := [name for name in names if name not in known]:
            told = f"{unknown[0]!r} is none of {', '.join(known)}"
            raise click.BadParameter(told, param=parameter)
        # in the benchmark's own order, each once
        return tuple(name for name in known if name in names)

    return chosen


@click.command()
@click.option("--list", "listed", is_flag=True, help="List workloads and gateways, and end.")
@click.option("--only", metavar="NAME,…", callback=_chosen(NAMES), help="Only these workloads.")
@click.option(
    "--peers", metavar="NAME,…", callback=_chosen(_PEER_NAMES), help="Only these gateways."
)
@click.option("--quick", is_flag=True, help="Rolecall and Envoy alone; under two minutes.")
@click.option("--seconds", type=click.IntRange(1), help="Of load in each measurement.")
@click.option("--rounds", type=click.IntRange(1, 100), help="How often each is measured.")
def main(  # noqa: PLR0913 - one parameter an option
    *,
    listed: bool,
    only: tuple[str, ...] | None,
    peers: tuple[str, ...] | None,
    quick: bool,
    seconds: int | None,
    rounds: int | None,
) -> None:
    """Measure gateways side by side on this machine."""
    if listed:
        _list()
        return
    plan = Plan(
        workloads=only or (QUICK if quick else NAMES),
        peers=peers or (_COMPARED if quick else _PEER_NAMES),
        rounds=rounds or (4 if quick else 5),
        seconds=seconds or 2,
        requests=1_000_000,
    )
    try:
        stage.demand()
        found = _run(plan)
    except (Missing, ProgramFailed) as failed:
        err.print(f"bench: {failed}")
        sys.exit(1)
    _show(found)
    if quick:
        _show_ratios(found)
    else:
        out.print(terminal.drawn(tables.of_goals(found)))
    if any(failure.step.peer == "rolecall" for failure in found.failures):
        sys.exit(1)


def _list() -> None:
    for group in GROUPS:
        for workload in group.workloads:
            out.print(f"{workload.name:12} {workload.title}")
    for peer in PEERS:
        out.print(f"{peer.name:12} {peer.title}: {peer.manner}")


def _run(plan: Plan) -> Results:
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(what: str) -> None:
            progress.update(task, description=what)

        wanted = [peer for peer in PEERS if peer.name in plan.peers]
        versions, skipped = stage.install(wanted, told)
        peers = [peer for peer in wanted if peer.name in versions]
        began = datetime.now(UTC).isoformat(timespec="seconds")
        found = Results(began, machine.this(), plan, versions, skipped)
        steps = runner.steps(GROUPS, plan.workloads, peers, plan.rounds)
        progress.update(task, total=len(steps))
        path = CACHE / "last.json"
        with stage.ready(peers, plan.seconds, plan.requests, told) as bench:
            for event in runner.run(bench, GROUPS, steps):
                if isinstance(event, Step):
                    told(f"round {event.round} of {plan.rounds}: {event.workload}: {event.peer}")
                    continue
                found = found.with_outcome(event)
                results.write(found, path)
                progress.advance(task)
                progress.console.print(_line(event))
    return found


def _line(outcome: Sample | Failure) -> str:
    step = outcome.step
    head = f"{step.round} {step.workload:12} {step.peer:9}"
    if isinstance(outcome, Failure):
        return f"{head} failed: {outcome.reason}"
    figures = (f"{name} {tables.number(value)}" for name, value in outcome.figures.items())
    return f"{head} {'  '.join(figures)}"


def _show(found: Results) -> None:
    for table in tables.of_workloads(found):
        out.print(terminal.drawn(table))
    for peer, reason in found.skipped.items():
        out.print(f"{peer} is not measured: {reason}")
    for failure in found.failures:
        step = failure.step
        out.print(f"{step.workload}: {step.peer}: round {step.round} failed: {failure.reason}")


def _show_ratios(found: Results) -> None:
    for workload in found.plan.workloads:
        figures = tables.by_round(found, workload, _COMPARED)
        if figures.rows:
            out.print(terminal.drawn(figures))
    for line in comparison.lines(found, _COMPARED):
        out.print(line, soft_wrap=True)
