"""Which OAuth scopes would open a call that is refused (RFC 6750 3): the evaluator is asked."""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from rolecall.config.globs import matches
from rolecall.core import KEYS_ISSUER, Call, Caller, Circumstances, Rule
from rolecall.policy.evaluate import assign_roles, decide
from rolecall.policy.table import Table, concerns, covers

MOST: Final = 8
"""Scopes that are tried."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]{1,255}")  # RFC 6749 3.3


def lacking_scopes(
    table: Table, caller: Caller, call: Call, around: Circumstances | None
) -> tuple[str, ...]:
    """The scopes with which a refused call would be allowed as it is, none of them in vain.

    There are none where no scope would do, where too many would have to be tried, and where a
    condition reads the scopes of the token in another way than by their names in ``caller.scopes``.

    Args:
        table: the compiled policy.
        caller: whose call is refused, its roles assigned.
        call: what is asked, with its parameters.
        around: what surrounds it.
    """
    if not table.scoped or caller.issuer == KEYS_ISSUER:
        return ()
    named = _named(table, caller, call)
    if not 0 < len(named) <= MOST:
        return ()

    def suffice(scopes: Iterable[str]) -> bool:
        more = replace(caller, scopes=caller.scopes.union(scopes))
        return decide(table, assign_roles(table, more), call, around).allowed

    for scope in named:
        if suffice((scope,)):
            return (scope,)
    if len(named) == 1 or not suffice(named):
        return ()
    needed = named
    for scope in reversed(named):
        rest = [other for other in needed if other != scope]
        if suffice(rest):
            needed = rest
    return tuple(needed)


def _named(table: Table, caller: Caller, call: Call) -> list[str]:
    """The scopes that may help and that the caller has not, in an order of their own.

    First those that rules of its own roles look for, then those that would give it another role.
    """
    own: set[str] = set()
    giving: set[str] = set()
    for entry, scopes in table.scoped_rules(call.model):
        rule = entry.rule
        looked_for = entry.program.scopes if entry.program is not None else ()
        if not covers(rule, call.endpoint):
            continue
        if rule.effect == "deny" or concerns(rule, caller.roles):
            own.update(looked_for)
        elif scopes and _singles_out(rule, call.model):
            giving.update(scopes, looked_for)
    ordered = (*sorted(own), *sorted(giving - own))
    return [one for one in ordered if one not in caller.scopes and _SCOPE.fullmatch(one)]


def _singles_out(rule: Rule, model: str) -> bool:
    """Whether a rule speaks of a model in particular: nobody is sent for a scope that opens all."""
    return any(pattern.strip("*") and matches(pattern, model) for pattern in rule.models)
