"""(Caller, Call) → Decision. Pure: no I/O, no clock."""

from rolecall.policy.evaluate import assign_roles, callable_models, decide
from rolecall.policy.explain import Explanation, Step, explain
from rolecall.policy.table import Table, compile_policy

__all__ = [
    "Explanation",
    "Step",
    "Table",
    "assign_roles",
    "callable_models",
    "compile_policy",
    "decide",
    "explain",
]
