"""Medians, percentiles, and ratios within a round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.paired import Spread, differences, percentile, ratios

ROUNDS = st.dictionaries(st.integers(1, 9), st.floats(1, 1e6))


@pytest.mark.parametrize(
    ("values", "spread"),
    [([3.0], Spread(3, 3, 3)), ([5, 1, 2], Spread(2, 1, 5)), ([4, 1, 2, 9], Spread(3, 1, 9))],
)
def test_a_spread_is_the_median_and_the_extremes(values, spread):
    assert Spread.of(values) == spread


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.505, 51), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank(share, value):
    assert percentile(range(1, 101), share) == value


def test_only_rounds_that_both_have_are_compared():
    assert ratios({1: 10, 2: 30, 3: 7}, {1: 5, 2: 10, 4: 1}) == [2, 3]
    assert differences({1: 10, 2: 30, 3: 7}, {1: 5, 2: 10, 4: 1}) == [5, 20]


def test_nothing_is_divided_by_nothing():
    assert ratios({1: 10}, {1: 0}) == []


@given(left=ROUNDS, drift=st.floats(0.5, 2.0))
def test_what_slows_both_down_leaves_the_ratio_as_it_is(left, drift):
    right = {n: value / 2 * (drift if n % 2 else 1) for n, value in left.items()}
    slowed = {n: value * (drift if n % 2 else 1) for n, value in left.items()}
    assert ratios(slowed, right) == pytest.approx([2.0] * len(left))
