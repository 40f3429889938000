"""The groups that a token of Entra ID has no room for: asked of its directory, seldom."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from rolecall.config import GroupOverage, IssuerSettings
from rolecall.config.issuer_schema import GUID
from rolecall.core import Reason, Refusal
from rolecall.identity.askings import Askings
from rolecall.identity.claim_values import Claims
from rolecall.identity.documents import FetchError
from rolecall.identity.graph import Graph, Kind
from rolecall.identity.guard import Presented
from rolecall.identity.memberships import Account, Membership, Memberships
from rolecall.identity.profiles import entra
from rolecall.wire import strict_json

log = logging.getLogger("rolecall.identity")

LOOKED_UP: Final = "the token has no room for its groups: they are those of its directory now"
"""What is said of a caller whose groups were looked up."""

MOST_ASKED: Final = 128
_NEGATIVE_TTL: Final = 5.0


@dataclass(slots=True)
class GroupLookUps:
    """What became of look-ups so far, for the metrics.

    Attributes:
        found: the account's groups are known.
        refused: the account is gone, or in too many groups.
        failed: the directory could not be asked.
    """

    found: int = 0
    refused: int = 0
    failed: int = 0


class Directory:
    """One tenant's accounts and their groups.

    Args:
        settings: where they are asked for, and how long they are remembered.
        issuer: whose callers they are, for the log.
        clock: seconds since the epoch.
    """

    def __init__(self, settings: GroupOverage, issuer: str, clock: Callable[[], float]) -> None:
        self.lookups = GroupLookUps()
        self.settings = settings
        self.graph = Graph(settings, clock)
        self.memberships = Memberships()
        self._issuer = issuer
        self._clock = clock
        self._askings: Askings[Account, Membership | FetchError] = Askings()
        # apart: what the gateway may not ask of programs must not keep persons out
        self._resting_until: dict[Kind, float] = {"users": 0.0, "servicePrincipals": 0.0}
        self._failing = ""

    async def membership(self, claims: Claims) -> Membership:
        """The groups of a token's account: remembered, asked for, or taken part in the asking.

        Args:
            claims: of a token that is good but for what is demanded of its groups.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable``.
        """
        object_id = claims.get("oid")
        if (
            claims.get("tid") != self.settings.tenant
            or not isinstance(object_id, str)
            or not GUID.fullmatch(object_id)
        ):
            raise Refusal(
                Reason.INVALID_CLAIM,
                "The token leaves its groups out (group overage), and names no account (oid) of its"
                " issuer's tenant (tid) for which they could be looked up.",
            )
        kind: Kind = "servicePrincipals" if entra.PROFILE.is_workload(claims) else "users"
        now, account = self._clock(), (kind, object_id)
        known = self.memberships.find(account, now) or await self._asked(account, now)
        if known.refusal is not None:
            # an exception that is raised many times would gather all their tracebacks
            raise Refusal(known.refusal.reason, known.refusal.message)
        return known

    def adopt(self, former: "Directory") -> None:
        """Take over what the same issuer's former directory has counted.

        And what it knows, where it was asked the same way.
        """
        self.lookups = former.lookups
        if self.settings == former.settings:
            self.memberships = former.memberships
            self.graph.credentials.granted = former.graph.credentials.granted

    def retire(self) -> None:
        """Keep no connection; look-ups that are under way still get their answers."""
        self.graph.retire()

    async def close(self) -> None:
        """End all look-ups that are under way."""
        await self._askings.close()
        await self.graph.close()

    async def _asked(self, account: Account, now: float) -> Membership:
        resting = self._resting_until[account[0]] - now
        if resting > 0:
            raise _unavailable(resting)
        if account not in self._askings and len(self._askings) >= MOST_ASKED:
            raise _unavailable()
        outcome = await self._askings.outcome(account, partial(self._ask, account))
        if isinstance(outcome, FetchError):
            raise _unavailable(outcome.retry_after)
        return outcome

    async def _ask(self, account: Account) -> Membership | FetchError:
        try:
            groups = await self.graph.member_groups(*account)
        except FetchError as error:
            self._fails(account[0], error)
            return error
        except Refusal as refusal:
            self.lookups.refused += 1
            # without the traceback, and all that it holds
            told = Refusal(refusal.reason, refusal.message)
            known = Membership(self._clock() + _NEGATIVE_TTL, refusal=told)
        else:
            self.lookups.found += 1
            known = Membership(self._clock() + self.settings.ttl, groups)
        self._works()
        self.memberships.keep(account, known)
        return known

    def _fails(self, kind: Kind, error: FetchError) -> None:
        self.lookups.failed += 1
        if error.retry_after is not None:
            self._resting_until[kind] = self._clock() + error.retry_after
        # once and not for each account
        level = logging.DEBUG if self._failing == str(error) else logging.WARNING
        self._failing = str(error)
        log.log(level, "issuer %s: groups cannot be looked up: %s", self._issuer, error)

    def _works(self) -> None:
        if self._failing:
            self._failing = ""
            log.info("issuer %s: groups can be looked up again", self._issuer)


def without_groups(issuer: IssuerSettings) -> IssuerSettings:
    """What can be demanded of a token before its groups are known."""
    if not issuer.require:
        return issuer
    return replace(issuer, require=tuple(one for one in issuer.require if one[0] != ("groups",)))


def with_groups(presented: Presented, membership: Membership) -> Presented:
    """A token as if it had room for its groups."""
    claims = {**presented.claims, "groups": list(membership.groups)}
    return Presented(replace(presented.jws, payload=strict_json.dumps(claims)), claims)


def _unavailable(retry_after: float | None = None) -> Refusal:
    return Refusal(
        Reason.ISSUER_UNAVAILABLE,
        "The groups that the token leaves out (group overage) cannot be looked up at the moment;"
        " try again shortly.",
        retry_after=retry_after,
    )
