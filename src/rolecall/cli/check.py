"""``rolecall check``."""

import sys
import time
from pathlib import Path

import click

from rolecall.cli.configuration import config_options, load_or_exit, show
from rolecall.policy import compile_policy
from rolecall.policy.lints import lint


@click.command()
@config_options
@click.option("--strict", is_flag=True, help="Exit 1 if there are warnings.")
def check(config: Path, *, allow_unknown: bool, strict: bool) -> None:
    """Check a configuration without serving it.

    Every error and warning names its file and line; what is valid and surely not meant has a code,
    which docs/lints.md explains. Notes tell where a configuration of LiteLLM's means something else
    here (docs/litellm.md). Exits 1 if there are errors.
    """
    loaded = load_or_exit(config, allow_unknown=allow_unknown)
    settings = loaded.settings
    lints = lint(settings, compile_policy(settings.roles, settings.rules), time.time())
    warnings = (*loaded.warnings, *loaded.secrets, *lints)
    show(
        sorted(
            (*warnings, *loaded.notes),
            key=lambda problem: (problem.file, problem.line, problem.column),
        )
    )
    counts = [
        f"{len(items)} {one if len(items) == 1 else one + 's'}"
        for items, one in (
            (settings.issuers, "issuer"),
            *([(settings.keys, "static key")] if settings.keys else []),
            (settings.roles, "role mapping"),
            (settings.rules, "rule"),
            (settings.models, "model"),
            (warnings, "warning"),
            *([(loaded.notes, "note")] if loaded.notes else []),
        )
    ]
    click.echo(f"{config}: ok: {', '.join(counts)}")
    sys.exit(1 if strict and warnings else 0)
