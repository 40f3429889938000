"""``rolecall check``."""

from pathlib import Path

import click

from rolecall.cli.configuration import config_options, load_or_exit, show


@click.command()
@config_options
def check(config: Path, *, allow_unknown: bool) -> None:
    """Check a configuration without serving it.

    Every error and warning names its file, line and column. Exits 1 if there are errors.
    """
    loaded = load_or_exit(config, allow_unknown=allow_unknown)
    show(loaded.warnings)
    settings = loaded.settings
    counts = [
        f"{len(items)} {one if len(items) == 1 else one + 's'}"
        for items, one in (
            (settings.issuers, "issuer"),
            *([(settings.keys, "static key")] if settings.keys else []),
            (settings.roles, "role mapping"),
            (settings.rules, "rule"),
            (settings.models, "model"),
            (loaded.warnings, "warning"),
        )
    ]
    click.echo(f"{config}: ok: {', '.join(counts)}")
