"""A configuration is written as text; what is said about it is read as lines."""

from collections.abc import Callable
from textwrap import dedent

import pytest

from rolecall.config import ConfigurationError, Loaded, load


@pytest.fixture(scope="module")
def configure(tmp_path_factory) -> Callable[..., Loaded]:
    """Load a text as the configuration file."""
    file = tmp_path_factory.mktemp("configuration") / "rolecall.yaml"

    def configure(text, environ=None, **options):
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return load(file, environ or {}, **options)

    return configure


@pytest.fixture(scope="module")
def told(configure) -> Callable[..., list[str]]:
    """Load a text, and give every problem as ``line:column: level: path: message``."""

    def told(text, environ=None, **options):
        try:
            problems = configure(text, environ, **options).warnings
        except ConfigurationError as error:
            problems = error.problems
        return [str(problem).removeprefix(problem.file).removeprefix(":") for problem in problems]

    return told


@pytest.fixture(scope="module")
def settings(configure):
    """Load a text that is right, and give its settings."""

    def settings(text, environ=None, **options):
        return configure(text, environ, **options).settings

    return settings
