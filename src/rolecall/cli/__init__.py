"""The command ``rolecall``: one file a subcommand, loaded when it is called."""

import io
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Final

import click

_COMMANDS: Final = (
    "serve",
    "check",
    "explain",
    "who",
    "can",
    "diff",
    "replay",
    "test",
    "init",
    "fmt",
    "schema",
    "key",
    "token",
    "demo",
    "version",
)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = getattr(import_module(f"rolecall.cli.{cmd_name}"), cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above says so
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = get_close_matches(args[0], _COMMANDS, 1)
            if not close:
                raise
            meant = f"{error.message} Did you mean {close[0]}?"
            raise click.UsageError(meant, ctx) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Roles call models: the roles in an OIDC token decide which language models it may call."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a claim may hold what the terminal's encoding does not
        sys.stdout.reconfigure(errors="backslashreplace")
