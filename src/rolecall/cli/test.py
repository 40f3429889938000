"""``rolecall test``."""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.markup import escape

from rolecall.cli.asking import UNUSABLE
from rolecall.cli.case_run import Run, Unrunnable, run
from rolecall.cli.configuration import show as show_problems
from rolecall.cli.explanation import tree_of
from rolecall.cli.junit import write_junit
from rolecall.cli.terminal import plain, stdout

_EVERY: Final = 0.5


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML.")
@click.option(
    "--coverage",
    type=click.FloatRange(0, 100),
    is_flag=False,
    flag_value=0.0,
    default=None,
    metavar="[PERCENT]",
    help="Name what no case decides; fail below so many percent.",
)
@click.option("--watch", is_flag=True, help="Run again whenever a file changes, until Ctrl-C.")
def test(
    paths: tuple[Path, ...], *, junit: Path | None, coverage: float | None, watch: bool
) -> None:
    """Run policy cases: what must be decided, for whom, and why.

    PATHS are case files, or folders with case files. Exits 0 if every case is decided as expected,
    1 if one is not or too little is covered, 2 if the cases cannot be run or test nothing.
    """
    if watch:
        watching(paths, lambda: _once(paths, junit, coverage), time.sleep)
    sys.exit(_once(paths, junit, coverage))


def _once(paths: Iterable[Path], junit: Path | None, coverage: float | None) -> int:
    console = stdout()
    try:
        done = run(paths)
        if junit is not None:
            write_junit(done, junit)
    except Unrunnable as error:
        show_problems(error.problems)
        return UNUSABLE
    except OSError as error:
        click.echo(f"Error: {junit} cannot be written: {error.strerror}.", err=True)
        return UNUSABLE
    failed = _show_verdicts(done, console)
    enough = coverage is None or _show_coverage(done, coverage, console)
    return 1 if failed or not enough else 0


def _show_verdicts(done: Run, console: Console) -> int:
    failed = [verdict for verdict in done.verdicts if verdict.faults]
    for verdict in failed:
        console.print(f"[red]✗[/] {escape(str(verdict.case.source))}: {plain(verdict.case.name)}")
        for fault in verdict.faults:
            console.print(f"  {plain(fault)}")
        console.print(tree_of(verdict.explanation, verdict.caller, verdict.call))
    passed = len(done.verdicts) - len(failed)
    console.print(f"{passed} passed, {len(failed)} failed")
    return len(failed)


def _show_coverage(done: Run, least: float, console: Console) -> bool:
    enough = True
    for policy in done.policies:
        found = policy.coverage()
        enough = enough and found.percent >= least
        colour = "green" if found.percent >= least else "red"
        console.print(f"{escape(policy.settings.file)}: [{colour}]{found.percent:.0f} %[/] covered")
        for gap in found.gaps:
            console.print(f"  {escape(str(gap.source))}: {plain(gap.sentence)}")
    return enough


def watching(
    paths: Iterable[Path], once: Callable[[], int], sleep: Callable[[float], None]
) -> None:
    """Run once, and again whenever a YAML file beside or below the paths changes."""
    folders = {path if path.is_dir() else path.parent for path in paths}
    seen = None
    while True:
        now = {
            file: file.stat().st_mtime_ns
            for folder in folders
            for file in folder.rglob("*.y*ml")
            if file.is_file()
        }
        if now != seen:
            seen = now
            once()
        sleep(_EVERY)
