"""A candidate policy beside the live one, and decisions that are written down.

Neither changes what callers get, unless decisions must be written (``on_failure: stop``) and cannot
be.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import ReferenceType, ref

from rolecall.config import DecisionSettings, ShadowSettings
from rolecall.core import (
    KEYS_ISSUER,
    Call,
    Caller,
    Circumstances,
    Decision,
    Reason,
    Refusal,
)
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.surroundings import circumstances
from rolecall.policy import (
    Table,
    assign_roles,
    compile_policy,
    decide,
    included_roles,
    looks_at_the_call,
)
from rolecall.record import DecisionLog, entry_of, outcome_of
from rolecall.wire import read_parameters


@dataclass(slots=True)
class PolicyTally:
    """Numbers about decisions, over all generations of this process.

    Attributes:
        condition_errors: calls that were denied because a condition could not be evaluated.
        step_ups: calls that were refused until their caller signs in again.
        shadow: calls by what was decided, and what the candidate would have.
    """

    condition_errors: int = 0
    step_ups: int = 0
    shadow: Counter[tuple[str, str]] = field(default_factory=Counter)


class Shadow:
    """A candidate policy, asked beside the live one."""

    def __init__(self, settings: ShadowSettings) -> None:
        self._table = compile_policy(settings.roles, settings.rules)
        self._callers: dict[int, tuple[ReferenceType[Caller], Caller]] = {}

    def would(
        self, caller: Caller, call: Call, around: Circumstances, unread: Refusal | None
    ) -> Decision | Refusal:
        """What the candidate would have decided, or how it would have refused to read the call.

        Args:
            caller: the verified caller.
            call: with its parameters, if they could be read.
            around: what surrounds it.
            unread: why the parameters or the headers could not be read.
        """
        caller = self._roles(caller)
        if unread is not None and looks_at_the_call(self._table, caller):
            return unread
        return decide(self._table, caller, call, around)

    def _roles(self, caller: Caller) -> Caller:
        number = id(caller)
        known = self._callers.get(number)
        if known is None:
            # as long as the caller itself is remembered, and so within the bounds of that
            gone = ref(caller, lambda _: self._callers.pop(number, None))
            known = self._callers[number] = (gone, _with_roles(self._table, caller))
        return known[1]


def _with_roles(table: Table, caller: Caller) -> Caller:
    if caller.issuer == KEYS_ISSUER:
        return replace(caller, roles=included_roles(table, caller.roles))
    return assign_roles(table, caller)


class Watch:
    """Looks on at decisions: asks the candidate, counts, and writes down.

    Args:
        decisions: where they are written; None for nowhere.
        shadow: the candidate; None for none.
        headers: the headers that the live policy may read.
    """

    def __init__(
        self,
        decisions: DecisionSettings | None = None,
        shadow: ShadowSettings | None = None,
        headers: frozenset[str] = frozenset(),
    ) -> None:
        self.tally = PolicyTally()
        self.log = DecisionLog(decisions) if decisions is not None else None
        self._shadow = Shadow(shadow) if shadow is not None else None
        self._headers = headers | (shadow.condition_headers if shadow is not None else headers)

    def adopt(self, former: "Watch") -> DecisionLog | None:
        """Go on with a former generation's numbers and file; what of it is to be closed."""
        self.tally = former.tally
        if (
            self.log is not None
            and former.log is not None
            and self.log.settings == former.log.settings
        ):
            self.log = former.log
            return None
        return former.log

    def __call__(  # noqa: PLR0913, PLR0917 - observers are called alike
        self,
        exchange: Exchange,
        body: dict[str, Any],
        size: int,
        now: float,
        around: Circumstances | None,
        decision: Decision,
    ) -> None:
        """Look on at one decision.

        Raises:
            Refusal: decisions must be written down, and cannot be.
        """
        if exchange.call is None or exchange.caller is None:
            return
        call, around, unread = self._facts(exchange, exchange.call, body, size, now)
        would = None
        if self._shadow is not None:
            would = self._shadow.would(exchange.caller, call, around, unread)
            self.tally.shadow[_word(decision), _word(would)] += 1
        if self.log is not None:
            self._write(exchange, exchange.caller, call, around, decision, would)

    def _facts(
        self, exchange: Exchange, call: Call, body: dict[str, Any], size: int, now: float
    ) -> tuple[Call, Circumstances, Refusal | None]:
        """All that any policy may look at; what cannot be read is left out, and said."""
        unread = None
        around = Circumstances(now)
        try:
            around = circumstances(exchange.scope, now, self._headers)
            if call.parameters is None:
                call = replace(call, parameters=read_parameters(body, size))
        except Refusal as refusal:
            unread = refusal
        return call, around, unread

    def _write(  # noqa: PLR0913, PLR0917 - the facts of a decision
        self,
        exchange: Exchange,
        caller: Caller,
        call: Call,
        around: Circumstances,
        decision: Decision,
        would: Decision | Refusal | None,
    ) -> None:
        assert self.log is not None  # noqa: S101 - the caller has looked
        settings = self.log.settings
        entry = entry_of(
            exchange.request_id, caller, call, around, decision, settings.include_claims
        )
        if isinstance(would, Decision):
            entry["shadow"] = outcome_of(would)
        elif would is not None:
            entry["shadow"] = {"decision": "deny", "reason": str(would.reason)}
        self.log.write(entry)
        if self.log.failing and settings.on_failure == "stop":
            raise Refusal(
                Reason.UPSTREAM_UNAVAILABLE,
                "Decisions cannot be written down at the moment, and so no call is forwarded; try"
                " again later.",
            )


def _word(outcome: Decision | Refusal) -> str:
    """An outcome in one word, for a label: allow, lowered, or the reason."""
    if isinstance(outcome, Refusal):
        return str(outcome.reason)
    if not outcome.allowed:
        return str(outcome.reason)
    return "lowered" if outcome.exceeded else "allow"
