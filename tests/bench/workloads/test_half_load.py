"""Callers who pause bring the rate that they should."""

import pytest

from bench.workloads.half_load import paced


@pytest.mark.parametrize("rate", [45, 90, 1000, 5000, 11_000, 25_000])
def test_pauses_and_callers_make_the_rate(rate):
    callers = paced(rate)
    assert callers.connections / callers.pause * 1e3 == pytest.approx(rate, rel=0.05)
    # much longer than an answer takes, so that a slow answer does not hold the next call back
    assert callers.pause >= 20


def test_a_rate_beyond_all_callers_is_tried_with_as_many_as_there_may_be():
    callers = paced(1_000_000)
    assert (callers.connections, callers.pause) == (512, 1)
