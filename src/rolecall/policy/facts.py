"""What a condition is asked about, as the values of its variables."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from rolecall.config.conditions import ConditionError, Program
from rolecall.core import Call, Caller, Circumstances, Parameters

Value = TypeVar("Value")

_CALLER: Final[Mapping[str, Callable[[Caller], Any]]] = {
    "caller.issuer": lambda caller: caller.issuer,
    "caller.subject": lambda caller: caller.subject,
    "caller.client": lambda caller: caller.client,
    "caller.kind": lambda caller: caller.kind,
    "caller.actor": lambda caller: caller.actor and caller.actor.members,
    "caller.actor.issuer": lambda caller: caller.actor and caller.actor.issuer,
    "caller.actor.subject": lambda caller: caller.actor and caller.actor.subject,
    "caller.actor.client": lambda caller: caller.actor and caller.actor.client,
    "caller.roles": lambda caller: list(caller.roles),
    "caller.groups": lambda caller: list(caller.groups),
    "caller.scopes": lambda caller: list(caller.scopes),
    "caller.teams": lambda caller: list(caller.teams),
    "caller.email": lambda caller: caller.email,
    "caller.organization": lambda caller: caller.organization,
}
_CALL: Final[Mapping[str, Callable[[Call], Any]]] = {
    "call.endpoint": lambda call: call.endpoint,
    "call.model": lambda call: call.model,
    "call.stream": lambda call: call.stream,
}
_PARAMETERS: Final[Mapping[str, Callable[[Parameters], Any]]] = {
    "call.max_tokens": lambda parameters: parameters.max_tokens,
    "call.n": lambda parameters: parameters.n,
    "call.reasoning_effort": lambda parameters: parameters.reasoning_effort,
    "call.thinking_budget": lambda parameters: _number(parameters.thinking_budget),
    "call.tools": lambda parameters: list(parameters.tools),
    "call.inputs": lambda parameters: list(parameters.inputs),
    "call.web_search": lambda parameters: parameters.web_search,
    "call.service_tier": lambda parameters: parameters.service_tier,
    "call.temperature": lambda parameters: parameters.temperature,
    "call.bytes": lambda parameters: parameters.size,
}
_CIRCUMSTANCES: Final[Mapping[str, Callable[[Circumstances], Any]]] = {
    "now": lambda around: datetime.fromtimestamp(around.now, UTC),
    "source_ip": lambda around: around.source_ip,
    "headers": lambda around: dict(around.headers),
}

OF_THE_CALL: Final = frozenset(_CALL) | frozenset(_PARAMETERS)
"""The variables that depend on the call."""

OF_THE_BODY: Final = frozenset(_PARAMETERS) | {"call.stream"}
"""The variables that depend on more of a call than its endpoint and its model."""


def holds_for_caller(program: Program, caller: Caller) -> bool:
    """Evaluate the condition of a role.

    Raises:
        ConditionError: it cannot be evaluated.
    """
    return program.holds({name: _of_caller(name, program, caller) for name in program.reads})


def holds_for_call(
    program: Program, caller: Caller, call: Call, around: Circumstances | None
) -> bool:
    """Evaluate the condition of a rule.

    Raises:
        ConditionError: it cannot be evaluated, or reads what is not known.
    """
    return program.holds(_values(program.reads, program, caller, call, around))


def holds_whatever_the_body(
    program: Program, caller: Caller, call: Call, around: Circumstances | None
) -> bool:
    """Evaluate the condition of a rule as far as the body does not matter.

    Raises:
        ConditionError: the body matters.
    """
    return program.holds(_values(program.reads - OF_THE_BODY, program, caller, call, around))


def _values(
    names: Iterable[str],
    program: Program,
    caller: Caller,
    call: Call,
    around: Circumstances | None,
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in names:
        if of_call := _CALL.get(name):
            values[name] = of_call(call)
        elif of_parameters := _PARAMETERS.get(name):
            values[name] = of_parameters(_known(call.parameters, name))
        elif of_circumstances := _CIRCUMSTANCES.get(name):
            values[name] = _known(of_circumstances(_known(around, name)), name)
        else:
            values[name] = _of_caller(name, program, caller)
    return values


def _of_caller(name: str, program: Program, caller: Caller) -> Any:
    if name != "claims":
        return _CALLER[name](caller)
    if program.claims is None:
        return dict(caller.claims)
    # CEL copies what it is given; most tokens hold much that no condition reads
    return {key: caller.claims[key] for key in program.claims if key in caller.claims}


def _known(value: Value | None, name: str) -> Value:
    if value is None:
        raise ConditionError(f"{name} is not known here")
    return value


def _number(value: float | None) -> float | int | None:
    return int(value) if value is not None and math.isfinite(value) else value
