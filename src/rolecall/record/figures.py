"""What one process has to say in its metrics, in plain numbers.

Nothing in it says anything about a person: there are issuers of the configuration, and reasons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KeySetFigures:
    """One key set.

    Attributes:
        keys: how many are usable.
        age: seconds since it was fetched; None while there is none.
        fetches: so far, failed ones included.
        failures: of those.
        unknown: tokens so far that named a key which was not in it.
    """

    keys: int
    age: float | None
    fetches: int
    failures: int
    unknown: int


@dataclass(frozen=True, slots=True)
class LookUpFigures:
    """The look-ups of one issuer's opaque tokens so far, and how many of them failed."""

    made: int
    failed: int


@dataclass(frozen=True, slots=True)
class IssuerFigures:
    """One issuer.

    Attributes:
        issuer: its name; empty for credentials that belong to none.
        accepted: credentials that were looked at and found good so far.
        remembered: credentials that needed no new look.
        refused: credentials that were looked at and refused, by reason.
        ready: whether its tokens can be verified; None where there is no issuer.
        key_set: None where its tokens are not signed.
        lookups: None where it has no opaque tokens.
        group_lookups: of the groups that tokens left out, by what became of them.
    """

    issuer: str
    accepted: int = 0
    remembered: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    ready: bool | None = None
    key_set: KeySetFigures | None = None
    lookups: LookUpFigures | None = None
    group_lookups: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """Decisions so far.

    Attributes:
        condition_errors: calls denied because a condition could not be evaluated.
        step_ups: calls refused until their caller signs in again.
        shadow: calls by what was decided and what the candidate would have decided.
        written: decisions that were written down.
        dropped: decisions that could not be.
    """

    condition_errors: int = 0
    step_ups: int = 0
    shadow: tuple[tuple[str, str, int], ...] = ()
    written: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process has to say.

    Attributes:
        issuers: everyone of whom there is something to say.
        verdicts: credentials that are remembered now.
        reloads: the configuration's reloads so far, by what came of them.
        revocations: entries that are kept now; None where none are.
        revoked: entries that this process has added so far, by what caused them.
        ended: answers so far that were ended because their caller was revoked.
        policy: of decisions.
    """

    issuers: Sequence[IssuerFigures]
    verdicts: int
    reloads: Mapping[str, int]
    policy: PolicyFigures = PolicyFigures()
    revocations: int | None = None
    revoked: Mapping[str, int] = field(default_factory=dict)
    ended: int = 0
