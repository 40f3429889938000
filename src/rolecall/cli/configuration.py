"""The options that name a configuration, and how its problems are shown."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from rolecall.config import ConfigurationError, Loaded, Problem, load

_COLOURS: Final[Mapping[str, str]] = {"error": "red", "warning": "yellow", "note": "cyan"}

Command = TypeVar("Command", bound=Callable[..., Any])


def config_options(command: Command) -> Command:
    """``--config FILE`` and ``--allow-unknown``."""
    unknown = click.option(
        "--allow-unknown",
        is_flag=True,
        help="Unknown keys are warnings and not errors.",
    )
    config = click.option(
        "--config",
        "-c",
        required=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="The configuration file (YAML).",
    )
    return config(unknown(command))


def load_or_exit(
    config: Path, *, allow_unknown: bool, offline: bool = False, status: int = 1
) -> Loaded:
    """Load a configuration; on errors show them all and exit with ``status``."""
    try:
        return load(config, os.environ, allow_unknown=allow_unknown, offline=offline)
    except ConfigurationError as error:
        show(error.problems)
        sys.exit(status)


def show(problems: Iterable[Problem]) -> None:
    """Write problems to standard error, one a line, errors in red on a terminal.

    A code that begins with ``litellm-`` is told with its place in the documentation.
    """
    # a gateway that has none to show goes without
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    console = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)
    for problem in problems:
        colour = _COLOURS[problem.level]
        place, _, rest = str(problem).partition(f" {problem.level}: ")
        code = escape(f" [{_told(problem.code)}]") if problem.code else ""
        console.print(f"{escape(place)} [{colour}]{problem.level}:[/] {escape(rest)}{code}")


def _told(code: str) -> str:
    return f"docs/litellm.md#{code}" if code.startswith("litellm-") else code
