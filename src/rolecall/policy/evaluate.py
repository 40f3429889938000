"""The evaluator: the one place where a call is allowed or denied. Pure, and fails closed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rolecall.core import Call, Caller, Decision, Reason
from rolecall.policy.table import Table


def assign_roles(table: Table, caller: Caller) -> Caller:
    """The caller with the roles that its claims lead to; the roles of all sources are united."""
    return replace(
        caller,
        roles=frozenset(
            mapping.role
            for claim in caller.role_claims
            for mapping in table.by_value.get(claim.value, ())
            if not mapping.issuers or caller.issuer in mapping.issuers
        ),
    )


def decide(table: Table, caller: Caller, call: Call) -> Decision:
    """Allow or deny a call. Deny wins over every allow; where no rule speaks the answer is no."""
    roles = caller.roles
    if not roles:
        return Decision(allowed=False, reason=Reason.NO_ROLE, rule=None, roles=roles)
    view = table.view(roles)
    if call.endpoint not in view.allow:
        return Decision(allowed=False, reason=Reason.ENDPOINT_NOT_ALLOWED, rule=None, roles=roles)
    denying = view.deny[call.endpoint].first(call.model)
    if denying is not None:
        return Decision(allowed=False, reason=Reason.DENIED_BY_RULE, rule=denying, roles=roles)
    allowing = view.allow[call.endpoint].first(call.model)
    if allowing is not None:
        return Decision(allowed=True, reason=None, rule=allowing, roles=roles)
    elsewhere = any(names.first(call.model) for names in view.allow.values())
    reason = Reason.ENDPOINT_NOT_ALLOWED if elsewhere else Reason.MODEL_NOT_ALLOWED
    return Decision(allowed=False, reason=reason, rule=None, roles=roles)


def callable_models(table: Table, caller: Caller, doors: Mapping[str, Iterable[str]]) -> list[str]:
    """The models that the caller may call.

    Args:
        table: the compiled policy.
        caller: a caller whose roles are assigned.
        doors: the model names that are served, and the endpoints that serve each.
    """
    return [
        name
        for name, endpoints in doors.items()
        if any(decide(table, caller, Call(endpoint, name)).allowed for endpoint in endpoints)
    ]
