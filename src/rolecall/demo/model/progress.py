"""What a download tells while it goes on, and how a terminal shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

Report: TypeAlias = Callable[[str, int, int | None], None]
"""Called with a description, bytes done, and bytes in total (``None`` when unknown)."""


def silent(_description: str, _done: int, _total: int | None) -> None:
    """Show nothing."""


@contextmanager
def shown(console: Console) -> Iterator[Report]:
    """Show progress on a console: bars on a terminal, one plain line a step elsewhere."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield _bars(bars)


def _bars(bars: Progress) -> Report:
    tasks: dict[str, TaskID] = {}

    def report(description: str, done: int, total: int | None) -> None:
        if description not in tasks:
            tasks[description] = bars.add_task(description, total=total)
        bars.update(tasks[description], completed=done, total=total)

    return report


def _lines(console: Console) -> Report:
    seen: set[str] = set()

    def report(description: str, _done: int, total: int | None) -> None:
        if description in seen:
            return
        seen.add(description)
        size = f" ({total / 1e6:.0f} MB)" if total else ""
        console.print(f"{description}{size}", markup=False, highlight=False)

    return report
