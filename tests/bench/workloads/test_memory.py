"""Memory is flat if nothing comes in the second half."""

import pytest

from bench.workloads.memory import growth


@pytest.mark.parametrize(
    ("seen", "grown"),
    [
        ([(100, 50.0)], 0),
        ([(100, 40.0), (200, 50.0), (300, 50.0), (400, 50.0)], 0),
        ([(100, 40.0), (200, 50.0), (300, 51.0), (400, 52.5)], 2.5),
        ([(100, 40.0), (190, 50.0), (300, 51.0), (400, 50.0)], -1),
    ],
)
def test_the_first_half_is_for_filling_what_is_remembered(seen, grown):
    assert growth(seen) == grown
