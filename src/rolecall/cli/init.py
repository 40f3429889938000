"""``rolecall init``."""

import sys
from pathlib import Path
from typing import get_args

import click

from rolecall.cli.asking import UNUSABLE, Unusable
from rolecall.cli.configuration import load_or_exit, show
from rolecall.config.first import First, first_configuration
from rolecall.config.settings import Profile

_PROFILES = get_args(Profile)


@click.command(short_help="Write a first configuration.")
@click.argument("file", default="rolecall.yaml", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--issuer", help="The identity provider's issuer: the iss of its tokens.")
@click.option("--profile", type=click.Choice(_PROFILES), help="Which identity provider it is.")
@click.option("--audience", help="The aud that its tokens for this gateway have.")
@click.option("--value", help="The value of a role claim that opens the gateway.")
@click.option("--role", help="The role that it gives.")
@click.option("--model", "-m", help="The upstream's name of the model.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def init(file: Path, *, force: bool, **given: str | None) -> None:
    """Write a first configuration to FILE (default: rolecall.yaml), and check it.

    What no option tells is asked for. Exits 2 if the file is there already, or would not be right.
    """
    if file.exists() and not force:
        raise Unusable(f"{file} is there already; --force writes over it.")
    first = First(
        issuer=_asked(given, "issuer", "The identity provider's issuer (iss of its tokens)"),
        profile=_asked(given, "profile", f"Which provider ({', '.join(_PROFILES)})", "generic"),
        audience=_asked(given, "audience", "The audience of this gateway (aud)", "llm-gateway"),
        value=_asked(given, "value", "The role claim's value that opens it", "basic_user"),
        role=_asked(given, "role", "The role that this gives", "internal_user"),
        model=_asked(given, "model", "The model", "claude-sonnet-4-5"),
    )
    if first.profile not in _PROFILES:
        raise Unusable(f"there is no profile {first.profile!r}: {', '.join(_PROFILES)}.")
    try:
        text = first_configuration(first)
    except ValueError as error:
        raise Unusable(f"the model {error}.") from None
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Unusable(f"{file} cannot be written: {error.strerror}.") from None
    loaded = load_or_exit(file, allow_unknown=False, offline=True, status=UNUSABLE)
    show(loaded.warnings)
    click.echo(f"{file} written")
    click.echo(f"next: rolecall check --config {file}")


def _asked(given: dict[str, str | None], name: str, question: str, usual: str | None = None) -> str:
    value = given[name]
    if value is None and sys.stdin.isatty():
        value = click.prompt(question, default=usual)
    if value is None:
        value = usual
    if not value:
        raise Unusable(f"name --{name}.")
    return value
