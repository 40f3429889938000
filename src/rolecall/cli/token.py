"""``rolecall token``."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from rolecall.cli.asking import UNUSABLE
from rolecall.cli.configuration import load_or_exit
from rolecall.cli.terminal import plain, print_columns, stdout
from rolecall.identity import Inspection
from rolecall.identity import inspect as inspect_token

_STYLES: Final = {"passed": "green", "failed": "red", "skipped": "dim"}


@click.group()
def token() -> None:
    """Tokens, looked at closely."""


@token.command()
@click.option(
    "--config",
    "-c",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration whose issuers it is checked against (YAML).",
)
@click.option(
    "--offline", is_flag=True, help="Fetch no keys and no groups, and check no signature."
)
@click.option("--allow-unknown", is_flag=True, help="Unknown keys are warnings and not errors.")
@click.argument("token")
def inspect(token: str, config: Path | None, *, offline: bool, allow_unknown: bool) -> None:
    """Print what a token says, and make the gateway's checks one by one; - reads standard input.

    Without a configuration only its form, its kind and its times are looked at. Exits 0 if no check
    fails, 1 if one does: the first that fails is the last one shown.
    """
    settings = None
    if config is not None:
        loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=UNUSABLE)
        settings = loaded.settings
    sent = sys.stdin.buffer.read() if token == "-" else os.fsencode(token)  # noqa: S105
    seen = asyncio.run(inspect_token(sent.strip(), settings, offline=offline))
    _show(seen)
    sys.exit(1 if seen.failed else 0)


def _show(seen: Inspection) -> None:
    for name, part in (("header", seen.header), ("claims", seen.claims)):
        if part is not None:
            click.echo(f"{name} {_json(part)}")
    print_columns(
        [(finding.check, finding.outcome, finding.why) for finding in seen.findings],
        [_STYLES[finding.outcome] for finding in seen.findings],
    )
    for finding in seen.findings:
        if finding.advice:
            stdout().print(plain(finding.advice), soft_wrap=True)


def _json(part: Mapping[str, Any]) -> str:
    # in ASCII: nothing in it steers the terminal
    return json.dumps(dict(part), indent=2)
