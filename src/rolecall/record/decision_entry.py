"""A decision as one line of JSON: the facts that decided it, so that it can be decided again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from rolecall.config.instants import write_instant
from rolecall.core import (
    UNSAID,
    Actor,
    Call,
    Caller,
    Circumstances,
    Decision,
    Parameters,
    RoleClaim,
    SignIn,
)

_MOMENTS: Final = (int, float, type(None))


def entry_of(  # noqa: PLR0913, PLR0917 - the facts of a decision
    request_id: str,
    caller: Caller,
    call: Call,
    around: Circumstances,
    decision: Decision,
    included: Iterable[tuple[str, ...]],
) -> dict[str, Any]:
    """Everything that policy may look at, of the claims only those whose paths are given."""
    return {
        "time": write_instant(around.now),
        "request_id": request_id,
        "caller": {
            "issuer": caller.issuer,
            "subject": caller.subject,
            "actors": [actor.members for actor in caller.actors],
            "client": caller.client,
            "kind": caller.kind,
            "roles": sorted(caller.roles),
            "role_claims": [[list(claim.path), claim.value] for claim in caller.role_claims],
            "groups": sorted(caller.groups),
            "scopes": sorted(caller.scopes),
            "teams": sorted(caller.teams),
            "email": caller.email,
            "organization": caller.organization,
            "sign_in": _sign_in(caller.sign_in),
            "claims": _included(caller.claims, included),
        },
        "call": {
            "endpoint": call.endpoint,
            "model": call.model,
            "stream": call.stream,
            "parameters": None if call.parameters is None else _parameters(call.parameters),
        },
        "source_ip": around.source_ip,
        "headers": dict(around.headers),
        **outcome_of(decision),
    }


def outcome_of(decision: Decision) -> dict[str, Any]:
    """What was decided: allow or deny, why, by which rule, and the ceilings that are exceeded."""
    return {
        "decision": "allow" if decision.allowed else "deny",
        "reason": decision.reason and str(decision.reason),
        "rule": decision.rule and str(decision.rule.source),
        "exceeded": [excess.parameter for excess in decision.exceeded],
    }


def caller_of(entry: Mapping[str, Any]) -> Caller:
    """The caller of an entry, with the roles that it had.

    Raises:
        KeyError, TypeError, ValueError: it is no entry of ours.
    """
    told = entry["caller"]
    return Caller(
        issuer=told["issuer"],
        subject=told["subject"],
        client=told["client"],
        kind=told["kind"],
        role_claims=tuple(RoleClaim(tuple(path), value) for path, value in told["role_claims"]),
        roles=frozenset(told["roles"]),
        groups=frozenset(told["groups"]),
        scopes=frozenset(told["scopes"]),
        teams=frozenset(told["teams"]),
        email=told["email"],
        organization=told["organization"],
        claims=told["claims"],
        # entries of former versions do not say
        actors=tuple(Actor(**actor) for actor in told.get("actors", ())),
        sign_in=_sign_in_of(told.get("sign_in")),
    )


def _sign_in(said: SignIn) -> dict[str, Any] | None:
    return (
        None if said == UNSAID else {"acr": said.acr, "auth_time": said.at, "leeway": said.leeway}
    )


def _sign_in_of(told: Mapping[str, Any] | None) -> SignIn:
    # nor do entries of former versions tell
    if told is None:
        return UNSAID
    acr, at, leeway = told["acr"], told["auth_time"], told["leeway"]
    if not isinstance(acr, str | None) or type(at) not in _MOMENTS or type(leeway) is not int:
        raise TypeError("no sign-in")
    return SignIn(acr, at, leeway)


def call_of(entry: Mapping[str, Any]) -> Call:
    """The call of an entry.

    Raises:
        KeyError, TypeError, ValueError: it is no entry of ours.
    """
    told = entry["call"]
    parameters = told["parameters"]
    if parameters is not None:
        parameters = Parameters(
            **{
                **parameters,
                "tools": tuple(parameters["tools"]),
                "inputs": frozenset(parameters["inputs"]),
                "thinking_budget": _unbounded(parameters["thinking_budget"]),
            }
        )
    return Call(told["endpoint"], told["model"], told["stream"], parameters)


def circumstances_of(entry: Mapping[str, Any]) -> Circumstances:
    """The circumstances of an entry.

    Raises:
        KeyError, TypeError, ValueError: it is no entry of ours.
    """
    now = datetime.fromisoformat(entry["time"]).timestamp()
    return Circumstances(now, entry["source_ip"], entry["headers"])


def _parameters(parameters: Parameters) -> dict[str, Any]:
    budget = parameters.thinking_budget
    return {
        "max_tokens": parameters.max_tokens,
        "n": parameters.n,
        "reasoning_effort": parameters.reasoning_effort,
        # JSON has no infinity
        "thinking_budget": "unbounded" if budget == float("inf") else budget,
        "tools": list(parameters.tools),
        "inputs": sorted(parameters.inputs),
        "web_search": parameters.web_search,
        "service_tier": parameters.service_tier,
        "temperature": parameters.temperature,
        "size": parameters.size,
    }


def _unbounded(budget: Any) -> float | None:
    return float("inf") if budget == "unbounded" else budget


def _included(claims: Mapping[str, Any], paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """The claims at some paths, where they stand in the token."""
    found: dict[str, Any] = {}
    for path in paths:
        value: Any = claims
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is None:
            continue
        place = found
        for key in path[:-1]:
            inner = place.setdefault(key, {})
            place = inner if isinstance(inner, dict) else {}
        place[path[-1]] = value
    return found
