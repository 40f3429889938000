"""``rolecall fmt``."""

import difflib
import sys
from pathlib import Path

import click

from rolecall.cli.asking import UNUSABLE, Unusable
from rolecall.cli.configuration import load_or_exit, show
from rolecall.config import ConfigurationError
from rolecall.config.layout import NotLaidOut, lay_out
from rolecall.config.native import native_policy


@click.command(short_help="Lay files out, comments and all.")
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@click.option("--diff", "as_diff", is_flag=True, help="Write nothing; print what would change.")
@click.option("--native", is_flag=True, help="Print the policy of a file in the native dialect.")
def fmt(files: tuple[Path, ...], *, check: bool, as_diff: bool, native: bool) -> None:
    """Lay FILES out canonically; comments, quotes and the order of keys stay.

    --native prints roles and rules instead, those of LiteLLM's dialect too, and writes nothing.
    Exits 0, 1 with --check if a file would change, 2 for files that cannot be read or laid out.
    """
    if native:
        for file in files:
            loaded = load_or_exit(file, allow_unknown=True, offline=True, status=UNUSABLE)
            click.echo(native_policy(loaded.settings), nl=False)
        return
    changed = [file for file in files if _lay_out(file, write=not check and not as_diff)]
    if as_diff:
        for file in changed:
            _show_difference(file)
    elif check:
        for file in changed:
            click.echo(f"{file} would change")
    sys.exit(1 if check and changed else 0)


def _lay_out(file: Path, *, write: bool) -> bool:
    """Lay a file out; whether that changes it."""
    before = _text(file)
    after = _laid_out(before, file)
    if write and after != before:
        file.write_text(after, encoding="utf-8")
        click.echo(f"{file} laid out")
    return after != before


def _show_difference(file: Path) -> None:
    before = _text(file)
    after = _laid_out(before, file)
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), str(file), str(file)
    )
    click.echo("".join(lines), nl=False)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Unusable(f"{file} is not UTF-8 text.") from None


def _laid_out(text: str, file: Path) -> str:
    try:
        return lay_out(text, str(file))
    except ConfigurationError as error:
        show(error.problems)
        sys.exit(UNUSABLE)
    except NotLaidOut as error:
        raise Unusable(f"{file} cannot be laid out: {error}.") from None
