"""The statistics: medians with their spread, and ratios of figures of the same round."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of the ordered values does not exceed (nearest rank)."""
    rank = -int(-share * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def ratios(left: Mapping[int, float], right: Mapping[int, float]) -> list[float]:
    """Left over right in each round that has both: what drifts between rounds cancels out."""
    return [left[n] / right[n] for n in sorted(left.keys() & right.keys()) if right[n] > 0]


def differences(left: Mapping[int, float], right: Mapping[int, float]) -> list[float]:
    """Left minus right in each round that has both."""
    return [left[n] - right[n] for n in sorted(left.keys() & right.keys())]
