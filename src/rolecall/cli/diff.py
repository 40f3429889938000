"""``rolecall diff``."""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from rolecall.cli.asking import UNUSABLE, Unusable
from rolecall.cli.callers import load_callers
from rolecall.cli.configuration import load_or_exit
from rolecall.cli.terminal import print_columns
from rolecall.config import Settings
from rolecall.core import Circumstances
from rolecall.policy import Table, compile_policy
from rolecall.policy.access import models_of
from rolecall.policy.differences import Difference, differences, differences_for

_SIGNS: Final = {"gains": ("+", "green"), "loses": ("-", "red"), "changes": ("~", "yellow")}


@click.command(short_help="Say who gains and who loses by a change.")
@click.argument("old", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--callers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare for these callers: YAML with claims by name, or recorded decisions (JSONL).",
)
@click.option("--exit-code", is_flag=True, help="Exit 1 if there are differences.")
@click.option("--markdown", is_flag=True, help="Print a table for a pull request.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--allow-unknown", is_flag=True, help="Unknown keys are warnings and not errors.")
def diff(  # noqa: PLR0913 - one parameter an option
    old: Path,
    new: Path,
    *,
    callers: Path | None,
    exit_code: bool,
    markdown: bool,
    as_json: bool,
    allow_unknown: bool,
) -> None:
    """Say who gains and who loses what between the configurations OLD and NEW.

    Conditions are compared by their syntax, and listed as changed where they differ. Exits 0, or 1
    with --exit-code where there are differences, 2 for configurations that cannot be used.
    """
    if markdown and as_json:
        raise Unusable("name either --markdown or --json.")
    before, after = (
        load_or_exit(path, allow_unknown=allow_unknown, offline=True, status=UNUSABLE).settings
        for path in (old, new)
    )
    tables = (
        compile_policy(before.roles, before.rules),
        compile_policy(after.roles, after.rules),
    )
    served = (_served(before), _served(after))
    if callers is None:
        found = differences(*tables, served)
    else:
        found = _for_callers(callers, (before, after), tables, served)
    if as_json:
        click.echo(json.dumps([asdict(line) for line in found], indent=2))
    elif markdown:
        click.echo(_markdown(found))
    else:
        _show(found)
    sys.exit(1 if exit_code and found else 0)


def _for_callers(
    path: Path,
    settings: tuple[Settings, Settings],
    tables: tuple[Table, Table],
    served: tuple[Mapping[str, None], Mapping[str, None]],
) -> list[Difference]:
    before, after = load_callers(path, *zip(settings, tables, strict=True))
    models = dict.fromkeys((*models_of(tables[0], served[0]), *models_of(tables[1], served[1])))
    names = [model for model in models if "*" not in model]
    around = Circumstances(time.time())
    return differences_for((tables[0], before), (tables[1], after), names, around)


def _served(settings: Settings) -> dict[str, None]:
    return dict.fromkeys(model.name for model in settings.models)


def _show(found: list[Difference]) -> None:
    if not found:
        click.echo("no differences")
        return
    print_columns(
        [(_SIGNS[line.kind][0], *_columns(line)) for line in found],
        [_SIGNS[line.kind][1] for line in found],
    )


def _columns(line: Difference) -> tuple[str, str, str, str]:
    if not line.endpoints:
        what = f"who holds it: {line.before or 'nobody'} → {line.after or 'nobody'}"
        return line.subject, line.kind, "", what
    told = f"{line.before} → {line.after}" if line.before or line.after else ""
    return line.subject, line.kind, f"{line.what} at {', '.join(line.endpoints)}", told


def _markdown(found: list[Difference]) -> str:
    if not found:
        return "No differences in policy."
    rows = ["| who | | what | before → after |", "| --- | --- | --- | --- |"]
    for line in found:
        subject, kind, what, told = map(_escaped, _columns(line))
        rows.append(f"| {subject} | **{kind}** | {what} | {told} |")
    return "\n".join(rows)


def _escaped(text: str) -> str:
    shown: Any = text if text.isprintable() else ascii(text)
    return str(shown).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
