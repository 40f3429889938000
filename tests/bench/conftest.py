"""What tests of the benchmark share."""

import pytest

from .parts import runs
from .parts.wire import Wire


@pytest.fixture
def run():
    """Makes results."""
    return runs.run


@pytest.fixture
def wire():
    """A connection that nobody is at the other end of."""
    return Wire()
