"""``rolecall key``."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import click

from rolecall.core import KEY_PREFIX

_DAYS = 90


@click.group()
def key() -> None:
    """Static keys, for machines that have no identity provider."""


@key.command()
@click.option("--subject", required=True, help="Who will hold the key.")
@click.option(
    "--role", "roles", required=True, multiple=True, help="A role of the key; repeat for several."
)
@click.option(
    "--days",
    default=_DAYS,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="Days until it expires.",
)
def new(subject: str, roles: tuple[str, ...], days: int) -> None:
    """Make a key: print it, and the entry that admits it.

    The key is on the first line and is shown once. The entry goes into the configuration; it
    holds the key's SHA-256, from which nobody makes the key.
    """
    made = KEY_PREFIX + secrets.token_hex(32)
    expires = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
    click.echo(
        f"{made}\n\n"
        "keys:\n"
        f"  - hash: sha256:{sha256(made.encode()).hexdigest()}\n"
        f"    subject: {json.dumps(subject)}\n"
        f"    roles: {json.dumps(list(roles))}\n"
        f"    expires: {expires}"
    )
