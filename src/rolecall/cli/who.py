"""``rolecall who``."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from rich.tree import Tree

from rolecall.cli.asking import UNUSABLE
from rolecall.cli.configuration import config_options, load_or_exit
from rolecall.cli.terminal import place, plain, stdout
from rolecall.config import Settings
from rolecall.core import MODEL_ENDPOINTS
from rolecall.policy import Table, compile_policy
from rolecall.policy.access import Access, Level, access, roles_of, terms
from rolecall.policy.view import Entry
from rolecall.policy.ways import way_to


@click.command(short_help="Say which roles call a model.")
@config_options
@click.option("--model", "-m", required=True, help="The model that is asked about.")
@click.option(
    "--endpoint",
    "-e",
    type=click.Choice(MODEL_ENDPOINTS),
    help="The endpoint that is asked about; default: all of them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def who(
    config: Path, *, allow_unknown: bool, model: str, endpoint: str | None, as_json: bool
) -> None:
    """Say which roles call a model, under which conditions, and who holds them.

    Exits 0 if some role may call it, 1 if none may, 2 for a configuration that cannot be used.
    """
    loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=UNUSABLE)
    table = compile_policy(loaded.settings.roles, loaded.settings.rules)
    endpoints = MODEL_ENDPOINTS if endpoint is None else (endpoint,)
    found = {
        role: {at: access(table, role, model, at) for at in endpoints} for role in roles_of(table)
    }
    told = {role: places for role, places in found.items() if any(a.level for a in places.values())}
    if as_json:
        click.echo(json.dumps(_as_json(told, table, loaded.settings), indent=2))
    else:
        _show(model, endpoints, told, table, loaded.settings)
    called = any(a.level > Level.DENIED for places in told.values() for a in places.values())
    sys.exit(0 if called else 1)


def _show(
    model: str,
    endpoints: Iterable[str],
    told: dict[str, dict[str, Access]],
    table: Table,
    settings: Settings,
) -> None:
    tree = Tree(f"{plain(model)} at {', '.join(endpoints)}")
    for role, places in told.items():
        branch = tree.add(plain(role))
        for entry, at in _entries(places).items():
            where = "" if at == list(places) else f" at {', '.join(at)}"
            told_terms = "".join(f", {term}" for term in terms(entry.rule))
            verb = "allowed" if entry.rule.effect == "allow" else "[red]denied[/]"
            branch.add(f"{verb}{where}{plain(told_terms)}{place(entry.rule.source)}")
        for way, source in ways(role, table, settings):
            branch.add(f"held by {plain(way)}{place(source)}")
    if not told:
        tree.add("no role")
    stdout().print(tree)


def _entries(places: dict[str, Access]) -> dict[Entry, list[str]]:
    """Each rule that speaks of the model, and at which endpoints."""
    found: dict[Entry, list[str]] = {}
    for endpoint, one in places.items():
        for entry in (*one.deny, *one.allow):
            found.setdefault(entry, []).append(endpoint)
    return found


def ways(role: str, table: Table, settings: Settings) -> list[tuple[str, Any]]:
    """Everything that leads to a role: mappings, roles that include it, static keys."""
    found: list[tuple[str, Any]] = [
        (
            way_to(mapping)
            if mapping.role == role
            else f"those who hold {mapping.role}, which includes it",
            mapping.source,
        )
        for mapping in table.roles.mappings
        if role in table.roles.closure[mapping.role]
    ]
    found += [
        (f"the static key of {key.subject}", key.source)
        for key in settings.keys
        if role in key.roles
    ]
    return found


def _as_json(
    told: dict[str, dict[str, Access]], table: Table, settings: Settings
) -> list[dict[str, Any]]:
    return [
        {
            "role": role,
            "endpoints": {at: one.level.name.lower() for at, one in places.items()},
            "rules": [
                {
                    "effect": entry.rule.effect,
                    "endpoints": at,
                    "terms": terms(entry.rule),
                    "file": entry.rule.source.file,
                    "line": entry.rule.source.line,
                }
                for entry, at in _entries(places).items()
            ],
            "held_by": [way for way, _ in ways(role, table, settings)],
        }
        for role, places in told.items()
    ]
