"""Standard output: a terminal's colours, or plain text that is not wrapped."""

from collections.abc import Sequence
from typing import IO, Final

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from rolecall.core import Source

_UNWRAPPED: Final = 10_000


def stdout() -> Console:
    """A console on standard output; where that is no terminal, lines are as long as they are."""
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNWRAPPED
    return console


def plain_text(file: IO[str]) -> Console:
    """A console that writes plain text to a file, whose lines are as long as they are."""
    return Console(file=file, width=_UNWRAPPED, color_system=None, highlight=False, emoji=False)


def plain(text: str) -> str:
    """Text out of a token or a file, which must not steer the terminal that it is shown on."""
    return escape(text if text.isprintable() else ascii(text))


def place(source: Source) -> str:
    """Where something is written, dimmed, in brackets."""
    return f" [dim]({escape(str(source))})[/]"


def print_columns(rows: Sequence[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Print rows in columns of their own width; ``styles`` are rich's, one a row."""
    shown = [[text if text.isprintable() else ascii(text) for text in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    console = stdout()
    for index, row in enumerate(shown):
        cells = (
            text + " " * (width - cell_len(text)) for text, width in zip(row, widths, strict=True)
        )
        line = escape("  ".join(cells).rstrip())
        style = styles[index] if index < len(styles) else ""
        console.print(f"[{style}]{line}[/]" if style else line, soft_wrap=True)
