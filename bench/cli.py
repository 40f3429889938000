"""The command line: ``python -m bench``."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from bench import machine, results, runner, stage
from bench.peers import PEERS
from bench.places import CACHE, PAGE, RESULTS, shown
from bench.programs import Missing, ProgramFailed
from bench.report import comparison, files, tables, terminal
from bench.report.page import UnknownBlock
from bench.results import Failure, Plan, Results, Sample, Step, Unreadable
from bench.workloads import GROUPS, NAMES, QUICK

_WIDE: Final = None if sys.stdout.isatty() else 120
out = Console(highlight=False, width=_WIDE)
err = Console(stderr=True, highlight=False, width=_WIDE)

_PEER_NAMES: Final = tuple(peer.name for peer in PEERS)
_COMPARED: Final = ("rolecall", "envoy")
_WHOLE: Final = Plan(NAMES, _PEER_NAMES, rounds=5, seconds=2, requests=1_000_000)
_QUICK: Final = Plan(QUICK, _COMPARED, rounds=4, seconds=2, requests=100_000)
_LAST: Final = "last"
_FULL: Final = "full"


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


@click.group(invoke_without_command=True)
@click.option("--list", "listed", is_flag=True, help="List workloads and gateways, and end.")
@click.option("--only", metavar="NAME,…", callback=_chosen(NAMES), help="Only these workloads.")
@click.option(
    "--peers", metavar="NAME,…", callback=_chosen(_PEER_NAMES), help="Only these gateways."
)
@click.option("--quick", is_flag=True, help="Rolecall and Envoy alone; under two minutes.")
@click.option("--seconds", type=click.IntRange(1), help="Of load in each measurement.")
@click.option("--rounds", type=click.IntRange(1, 100), help="How often each is measured.")
@click.option("--resume", is_flag=True, help="Go on where the last run was broken off.")
@click.pass_context
def main(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    *,
    listed: bool,
    only: tuple[str, ...] | None,
    peers: tuple[str, ...] | None,
    quick: bool,
    seconds: int | None,
    rounds: int | None,
    resume: bool,
) -> None:
    """Measure gateways side by side on this machine.

    A run of everything leaves its figures, tables and chart in bench/results and renews
    docs/performance.md; any other leaves them in .cache/bench.
    """
    if context.invoked_subcommand is not None:
        return
    if listed:
        _list()
        return
    base = _QUICK if quick else _WHOLE
    plan = replace(
        base,
        workloads=only or base.workloads,
        peers=peers or base.peers,
        rounds=rounds or base.rounds,
        seconds=seconds or base.seconds,
    )
    try:
        stage.demand()
        found = _run(_begun(plan, resume=resume))
    except (Missing, ProgramFailed, Unreadable) as failed:
        err.print(f"bench: {failed}")
        sys.exit(1)
    _show(found)
    if quick:
        _show_ratios(found)
    else:
        out.print(terminal.drawn(tables.of_goals(found)))
    _keep(found)
    if any(failure.step.peer == "rolecall" for failure in found.failures):
        sys.exit(1)


@main.command()
def report() -> None:
    """Write tables, chart and page anew from the figures in bench/results."""
    try:
        found = results.read(RESULTS / f"{_FULL}.json")
    except Unreadable as failed:
        err.print(f"bench: {failed}")
        sys.exit(1)
    try:
        # a workload that has come since is not measured there, and its goal says so
        _tell(_kept(found))
    except UnknownBlock as failed:
        err.print(f"bench: {shown(PAGE)}: {failed}")
        sys.exit(1)


def _list() -> None:
    for group in GROUPS:
        for workload in group.workloads:
            out.print(f"{workload.name:12} {workload.title}")
    for peer in PEERS:
        out.print(f"{peer.name:12} {peer.title}: {peer.manner}")


def _begun(plan: Plan, *, resume: bool) -> Results:
    """A run with no figures, or the last one with those that it has."""
    if not resume:
        began = datetime.now(UTC).isoformat(timespec="seconds")
        return Results(began, machine.this(), plan, {}, {})
    last = results.read(CACHE / f"{_LAST}.json")
    if (last.plan, last.machine) != (plan, machine.this()):
        raise Unreadable("the last run had another plan, machine or commit; begin anew")
    return replace(last, failures=())


def _run(found: Results) -> Results:
    plan = found.plan
    with Progress(console=err, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(what: str) -> None:
            progress.update(task, description=what)

        wanted = [peer for peer in PEERS if peer.name in plan.peers]
        versions, skipped = stage.install(wanted, told)
        found = replace(found, versions=versions, skipped=skipped)
        peers = [peer for peer in wanted if peer.name in versions]
        steps = runner.steps(GROUPS, plan.workloads, peers, plan.rounds)
        left = [step for step in steps if step not in found.done]
        progress.update(task, total=len(steps), completed=len(steps) - len(left))
        with stage.ready(peers, plan.seconds, plan.requests, told) as bench:
            for event in runner.run(bench, GROUPS, left):
                if isinstance(event, Step):
                    told(f"round {event.round} of {plan.rounds}: {event.workload}: {event.peer}")
                    continue
                found = found.with_outcome(event)
                results.write(found, CACHE / f"{_LAST}.json")
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
    for note in tables.notes(found):
        out.print(note)


def _show_ratios(found: Results) -> None:
    for workload in found.plan.workloads:
        figures = tables.by_round(found, workload, _COMPARED)
        if figures.rows:
            out.print(terminal.drawn(figures))
    for line in comparison.lines(found, _COMPARED):
        out.print(line, soft_wrap=True)


def _keep(found: Results) -> None:
    _tell(_kept(found) if found.plan == _WHOLE else files.write(found, CACHE, _LAST))


def _kept(found: Results) -> list[Path]:
    return [*files.write(found, RESULTS, _FULL), files.renew_page(found)]


def _tell(paths: list[Path]) -> None:
    err.print(f"written: {', '.join(map(shown, paths))}")
