"""Tables on the terminal."""

from rich import box
from rich.table import Table as Drawn

from bench.report.tables import Table


def drawn(table: Table) -> Drawn:
    """The table as rich draws it."""
    out = Drawn(title=table.title, title_justify="left", box=box.SIMPLE_HEAD)
    for n, column in enumerate(table.columns):
        words = n < table.words
        out.add_column(column, justify="left" if words else "right", no_wrap=n == 0)
    for row in table.rows:
        out.add_row(*row)
    return out
