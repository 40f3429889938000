"""(Caller, Call) → Decision. Pure: no I/O, no clock."""

from rolecall.policy.evaluate import (
    assign_roles,
    callable_models,
    decide,
    included_roles,
    looks_at_the_call,
    may_call,
)
from rolecall.policy.explain import Explanation, explain
from rolecall.policy.explain_roles import Step
from rolecall.policy.lacking_scopes import lacking_scopes
from rolecall.policy.nearest import Change
from rolecall.policy.role_origins import role_origins
from rolecall.policy.table import Table, compile_policy

__all__ = [
    "Change",
    "Explanation",
    "Step",
    "Table",
    "assign_roles",
    "callable_models",
    "compile_policy",
    "decide",
    "explain",
    "included_roles",
    "lacking_scopes",
    "looks_at_the_call",
    "may_call",
    "role_origins",
]
