"""Tables on the terminal."""

from rich import box, table

from bench.report.tables import Table


def drawn(table_: Table) -> table.Table:
    """The table as rich draws it."""
    out = table.Table(title=table_.title, title_justify="left", box=box.SIMPLE_HEAD)
    for n, column in enumerate(table_.columns):
        out.add_column(column, justify="right" if n else "left", no_wrap=True)
    for row in table_.rows:
        out.add_row(*row)
    return out
