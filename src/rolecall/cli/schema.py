"""``rolecall schema``."""

import json
from typing import Final

import click

from rolecall.config.json_schema import case_schema, config_schema, included_schema

_SCHEMAS: Final = {"config": config_schema, "included": included_schema, "cases": case_schema}


@click.command()
@click.option(
    "--of",
    "what",
    type=click.Choice(list(_SCHEMAS)),
    default="config",
    show_default=True,
    help="A configuration, a file that one includes, or a case file.",
)
def schema(what: str) -> None:
    """Print a JSON Schema for editors.

    Write it to a file, and name that in the first line of a YAML file:
    # yaml-language-server: $schema=rolecall.json
    """
    click.echo(json.dumps(_SCHEMAS[what](), indent=2, ensure_ascii=False))
