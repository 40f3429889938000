"""``rolecall version``."""

import platform

import click

from rolecall import __version__


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"rolecall {__version__} (Python {platform.python_version()})")
