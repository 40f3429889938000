"""The whole demo: set the stage, walk, and stay for whoever wants to try more."""

import shlex
import signal
import threading

from rich.console import Console
from rich.markup import escape

from rolecall.demo.idp import ShapeName
from rolecall.demo.model import EchoModel, shown
from rolecall.demo.stage import Stage, set_up
from rolecall.demo.walk import walk


def perform(console: Console, *, shape: ShapeName, port: int, echo: bool, once: bool) -> bool:
    """Perform the demo; return whether every step went as it should.

    Args:
        console: where it is shown.
        shape: whose tokens the identity provider writes.
        port: the gateway's.
        echo: take the built-in echo model.
        once: do not stay after the walk.

    Raises:
        StageError: something does not start.
    """
    console.print("[bold]Rolecall[/]: roles call models. Setting the stage …")
    with (
        shown(console) as report,
        set_up(shape=shape, port=port, echo=echo, report=report) as stage,
    ):
        _introduce(stage, console)
        good = walk(stage, console)
        console.print(
            "\n[green bold]Every step went as it should.[/]"
            if good
            else "\n[red bold]Not every step went as it should.[/]"
        )
        if not once:
            _stay(stage, console)
    return good


def _introduce(stage: Stage, console: Console) -> None:
    facts = {
        "identity provider": f"{stage.idp.issuer} (users alice and bob, password = name)",
        "model": f"{stage.model.describe} at {stage.model.base_url}",
        "gateway": stage.gateway,
        "configuration": str(stage.config),
    }
    for name, fact in facts.items():
        console.print(f"  {name:<18} {escape(fact)}", soft_wrap=True)
    if isinstance(stage.model, EchoModel) and stage.model.reason:
        console.print(
            "  [yellow]The real model cannot be had, so an echo stands in:[/]"
            f" {escape(stage.model.reason)}",
            soft_wrap=True,
        )


def _stay(stage: Stage, console: Console) -> None:
    token = shlex.quote(str(stage.folder / "alice.token"))
    console.print(
        "\nEverything stays up until Ctrl-C. Point any client at it:\n"
        f"  export OPENAI_BASE_URL={stage.gateway}/v1 OPENAI_API_KEY=$(cat {token})\n"
        f"  export ANTHROPIC_BASE_URL={stage.gateway} ANTHROPIC_AUTH_TOKEN=$(cat {token})",
        markup=False,
        soft_wrap=True,
    )
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    done.wait()
    console.print("Good-bye.")
