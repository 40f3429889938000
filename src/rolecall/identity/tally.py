"""What became of credentials so far, in plain numbers that are read when somebody asks."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from rolecall.core import Reason

NOBODY: Final = ""
"""Stands for the issuer of credentials that belong to none that is configured."""


@dataclass(slots=True)
class Tally:
    """One issuer's credentials.

    Attributes:
        accepted: looked at, and found good.
        remembered: not looked at again.
        refused: looked at, and why not.
    """

    accepted: int = 0
    remembered: int = 0
    refused: dict[Reason, int] = field(default_factory=dict)

    def refuse(self, reason: Reason) -> None:
        """Count a refusal."""
        self.refused[reason] = self.refused.get(reason, 0) + 1


class Tallies:
    """One tally an issuer; issuers are of the configuration, never of what somebody sent."""

    def __init__(self) -> None:
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def of(self, issuer: str) -> Tally:
        """The tally of an issuer."""
        return self._tallies[issuer]

    def items(self) -> list[tuple[str, Tally]]:
        """Every issuer and its tally."""
        return list(self._tallies.items())
