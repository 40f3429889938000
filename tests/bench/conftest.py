"""What tests of the benchmark share."""

import pytest

from .parts import runs


@pytest.fixture
def run():
    """Makes results."""
    return runs.run
