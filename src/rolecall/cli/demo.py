"""``rolecall demo``."""

import sys
from importlib import import_module

import click
from rich.console import Console


@click.command(short_help="Walk the whole way on this machine.")
@click.option("--once", is_flag=True, help="End after the walk: exit 0 if every step went well.")
@click.option(
    "--port",
    default=4000,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The gateway's port; another one is taken when it is not free.",
)
@click.option(
    "--shape",
    type=click.Choice(["keycloak", "entra"]),
    default="keycloak",
    show_default=True,
    help="Whose tokens the identity provider writes.",
)
@click.option("--echo", is_flag=True, help="Take the built-in echo model; fetch nothing.")
def demo(*, once: bool, port: int, shape: str, echo: bool) -> None:
    """Walk the whole way on this machine, with a real identity provider and a real model.

    Starts a development identity provider, a small language model and the gateway, all on
    loopback, shows who may call what and what the others are told, and stays up until Ctrl-C.
    """
    try:
        performance = import_module("rolecall.demo.performance")
        stage = import_module("rolecall.demo.stage")
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the demo needs {error.name}; install it with: pip install 'rolecall[demo]'"
        ) from None
    console = Console(highlight=False)
    try:
        good = performance.perform(console, shape=shape, port=port, echo=echo, once=once)
    except stage.StageError as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0 if good else 1)
