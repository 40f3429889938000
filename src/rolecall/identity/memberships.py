"""Which groups accounts are members of, as far as that is remembered."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from rolecall.core import Refusal
from rolecall.identity.graph import Kind

MOST_ACCOUNTS: Final = 8192
MOST_GROUPS: Final = 262_144
"""Of all accounts together: some 25 MiB."""

Account = tuple[Kind, str]
"""What it is, and its ID."""


@dataclass(frozen=True, slots=True)
class Membership:
    """What is known of an account: its groups, or why its tokens are refused.

    ``until`` is seconds since the epoch: then it must be asked about again.
    """

    until: float
    groups: tuple[str, ...] = ()
    refusal: Refusal | None = None


class Memberships:
    """Those that were asked for lately, a bounded number of them; the oldest make room."""

    def __init__(self) -> None:
        # a plain dict looks for its first entry among all those that went before it
        self._known: OrderedDict[Account, Membership] = OrderedDict()
        self._groups = 0

    def __len__(self) -> int:
        return len(self._known)

    def find(self, account: Account, now: float) -> Membership | None:
        """What is known of an account, if that may still be believed."""
        known = self._known.get(account)
        return known if known is not None and now < known.until else None

    def keep(self, account: Account, membership: Membership) -> None:
        """Remember what has just been found out."""
        before = self._known.pop(account, None)
        if before is not None:
            self._groups -= len(before.groups)
        self._known[account] = membership
        self._groups += len(membership.groups)
        while len(self._known) > MOST_ACCOUNTS or self._groups > MOST_GROUPS:
            _, oldest = self._known.popitem(last=False)
            self._groups -= len(oldest.groups)
