"""``rolecall can``."""

import csv
import html
import io
import json
import sys
from pathlib import Path
from typing import Final

import click

from rolecall.cli.asking import UNUSABLE, Unusable
from rolecall.cli.configuration import config_options, load_or_exit
from rolecall.cli.terminal import print_columns
from rolecall.core import MODEL_ENDPOINTS
from rolecall.policy import Table, compile_policy
from rolecall.policy.access import Level, access, everywhere, models_of, roles_of, terms

_WORDS: Final = {
    Level.NONE: "",
    Level.DENIED: "denied",
    Level.CONDITIONAL: "if",
    Level.LIMITED: "limited",
    Level.ALLOWED: "yes",
}

_LEGEND: Final = (
    "yes: without conditions; limited: within ceilings; if: under conditions, after a sign-in, or"
    " for a time; denied: a rule denies it; empty: nothing allows it. A pattern stands for what no"
    " other line names."
)
_HTML_HEAD: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Roles and models</title>
<style>
body { font: 15px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
table { border-collapse: collapse; }
caption { caption-side: bottom; padding: .8rem 0; text-align: left; color: #555; }
th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left; }
thead th { position: sticky; top: 0; background: #f3f3f3; }
.yes { background: #d8f0d8; }
.limited { background: #e8f4d4; }
.if { background: #fdf3cf; }
.denied { background: #f8d9d6; }
</style>
"""


@click.command(short_help="Say which models a role calls, or print the matrix.")
@config_options
@click.option("--role", "-r", help="One role, with the terms of each model; default: all roles.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "html", "json"]),
    default="table",
    show_default=True,
    help="How the matrix of roles and models is written.",
)
def can(config: Path, *, allow_unknown: bool, role: str | None, form: str) -> None:
    """Say which models a role calls, or print the matrix of all roles and models.

    yes: without conditions; limited: within ceilings; if: under conditions; denied: a rule denies
    it. Endpoints are named where they differ. Exits 2 for a configuration that cannot be used.
    """
    loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=UNUSABLE)
    table = compile_policy(loaded.settings.roles, loaded.settings.rules)
    roles = roles_of(table)
    if role is not None and role not in roles:
        raise Unusable(f"there is no role {role!r}; there are: {', '.join(roles) or 'none'}.")
    models = models_of(table, dict.fromkeys(model.name for model in loaded.settings.models))
    if role is not None:
        header, rows = _of_one(table, role, models)
    else:
        header = ["model", *roles]
        rows = [[model, *(_cell(table, one, model) for one in roles)] for model in models]
    _WRITERS[form](header, rows)


def _of_one(table: Table, role: str, models: list[str]) -> tuple[list[str], list[list[str]]]:
    rows = []
    for model in models:
        word = _cell(table, role, model)
        if word:
            rows.append([model, word, "; ".join(_terms(table, role, model))])
    return ["model", role, "terms"], rows


def _cell(table: Table, role: str, model: str) -> str:
    levels: dict[Level, list[str]] = {}
    for endpoint in MODEL_ENDPOINTS:
        levels.setdefault(access(table, role, model, endpoint).level, []).append(endpoint)
    return ", ".join(
        _WORDS[level] if everywhere(at) else f"{_WORDS[level]} at {' and '.join(at)}"
        for level, at in sorted(levels.items(), reverse=True)
        if _WORDS[level]
    )


def _terms(table: Table, role: str, model: str) -> list[str]:
    found: dict[str, None] = {}
    for endpoint in MODEL_ENDPOINTS:
        one = access(table, role, model, endpoint)
        for entry in (*one.allow, *one.deny):
            told = ", ".join(terms(entry.rule))
            if told:
                found[f"{entry.rule.effect} {told} ({entry.rule.source})"] = None
    return list(found)


def _table(header: list[str], rows: list[list[str]]) -> None:
    print_columns([header, *rows], ["bold"])


def _csv(header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_as_text, header))
    writer.writerows([[_as_text(value) for value in row] for row in rows])
    sys.stdout.write(text.getvalue())


def _as_text(value: str) -> str:
    """A spreadsheet must not take a name for a formula (CWE-1236)."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@"} else value


def _html(header: list[str], rows: list[list[str]]) -> None:
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in header)
    body = "\n".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>{"".join(map(_html_cell, row[1:]))}</tr>'
        for row in rows
    )
    sys.stdout.write(
        f"{_HTML_HEAD}<table>\n<caption>{_LEGEND}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n</html>\n"
    )


def _html_cell(value: str) -> str:
    word = value.partition(" ")[0].rstrip(",")
    kind = f' class="{word}"' if word in _WORDS.values() and word else ""
    return f"<td{kind}>{html.escape(value)}</td>"


def _json(header: list[str], rows: list[list[str]]) -> None:
    click.echo(json.dumps([dict(zip(header, row, strict=True)) for row in rows], indent=2))


_WRITERS: Final = {"table": _table, "csv": _csv, "html": _html, "json": _json}
