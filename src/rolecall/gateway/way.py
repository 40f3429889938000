"""The way of a request, a step a line: who, what, may they, where to, and back."""

from dataclasses import replace
from typing import Any, Final

from rolecall.core import (
    MODEL_ENDPOINTS,
    Call,
    Circumstances,
    Decision,
    Reason,
    Refusal,
    step_up,
)
from rolecall.gateway.answer import relay, send_json
from rolecall.gateway.body import read_body, whole_body
from rolecall.gateway.credentials import authenticated, find_token, verified
from rolecall.gateway.endpoints import Route
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.head import read_head
from rolecall.gateway.snapshot import Snapshot
from rolecall.gateway.surroundings import circumstances
from rolecall.policy import (
    callable_models,
    decide,
    lacking_scopes,
    looks_at_the_call,
    may_call,
)
from rolecall.record import Recorder
from rolecall.upstream import Transport, TransportError, outgoing
from rolecall.wire import (
    clamp,
    model,
    model_list,
    parse_call,
    read_parameters,
    strict_json,
)

_MOST_NAMED: Final = 20
_STEP_UP: Final = Reason.INSUFFICIENT_USER_AUTHENTICATION


async def call_model(
    exchange: Exchange, route: Route, snapshot: Snapshot, transport: Transport, recorder: Recorder
) -> None:
    """Answer a call of a model.

    Raises:
        Refusal: somebody says no, before anything was sent.
        ClientGone: nobody waits for the answer any more.
    """
    scope = exchange.scope
    head = read_head(scope)
    caller = snapshot.verifier.remembered(head.fingerprint) or await verified(
        head.token, head.fingerprint, exchange, snapshot
    )
    exchange.caller = caller
    if not head.checked:
        head.check(scope, snapshot.limits.body)
    body = whole_body(message := await exchange.receive(), snapshot.limits.body)
    if body is None:
        body = await read_body(exchange.receive, message, snapshot.limits.body)
    call, value = parse_call(route.endpoint.name, body)
    around = None
    if looks_at_the_call(snapshot.table, caller):
        call = replace(call, parameters=read_parameters(value, len(body)))
        around = around_of(exchange, snapshot)
    exchange.call = call
    decision = decide(snapshot.table, caller, call, around)
    if snapshot.observers:
        _observed(exchange, value, len(body), snapshot, around, decision)
    if not decision.allowed:
        raise _refused(decision, exchange, value, len(body), snapshot, around)
    unchanged: bytes | None = body
    if decision.exceeded:
        lower(value, call, decision)
        unchanged = None
    deployment = snapshot.catalogue.choose(call)
    fields = head.passed(scope, deployment)
    request, translation = outgoing(
        deployment, call, value, unchanged, fields, scope["query_string"]
    )
    try:
        response = await transport.send(request)
        if response.status >= 400:
            recorder.upstream_refused(exchange.request_id, response.status, call)
        failure = await relay(exchange, response, translation, route.form)
        if failure is not None:
            recorder.broken_off(exchange.request_id, failure, caller, call)
    except TransportError as error:
        raise Refusal(error.reason, error.message) from None


def _observed(  # noqa: PLR0913, PLR0917 - what observers are told
    exchange: Exchange,
    body: dict[str, Any],
    size: int,
    snapshot: Snapshot,
    around: Circumstances | None,
    decision: Decision,
) -> None:
    now = snapshot.clock() if around is None else around.now
    for observe in snapshot.observers:
        observe(exchange, body, size, now, around, decision)


def _refused(  # noqa: PLR0913, PLR0917 - what a refusal may be about
    decision: Decision,
    exchange: Exchange,
    body: dict[str, Any],
    size: int,
    snapshot: Snapshot,
    around: Circumstances | None,
) -> Refusal:
    assert exchange.caller is not None  # noqa: S101 - the caller and the call are known by now
    assert exchange.call is not None  # noqa: S101
    if decision.reason is Reason.CONDITION_ERROR:
        snapshot.watch.tally.condition_errors += 1
    elif decision.reason is _STEP_UP:
        snapshot.watch.tally.step_ups += 1
    doors = snapshot.catalogue.doors
    names = callable_models(snapshot.table, exchange.caller, doors, around)
    refusal = denied(decision, exchange.call, names)
    if refusal.status != 403 or not snapshot.table.scoped:
        return refusal
    try:
        # rules of roles that a scope would give may look at more than those of the caller's own
        call, around = exchange.call, around or around_of(exchange, snapshot)
        if call.parameters is None:
            call = replace(call, parameters=read_parameters(body, size))
    except Refusal:
        return refusal
    scopes = lacking_scopes(snapshot.table, exchange.caller, call, around)
    return _with_scopes(refusal, scopes) if scopes else refusal


def _with_scopes(refusal: Refusal, scopes: tuple[str, ...]) -> Refusal:
    text = f"{refusal.message} A token with the scope {' '.join(scopes)} would do."
    return Refusal(refusal.reason, text, param=refusal.param, scopes=scopes)


async def list_models(exchange: Exchange, route: Route, snapshot: Snapshot) -> None:
    """Answer with the models that the caller may call, or with one of them.

    Raises:
        Refusal: the token or the policy says no.
    """
    token = find_token(exchange.scope["headers"])
    exchange.caller = caller = await authenticated(token, exchange, snapshot)
    around = None
    if looks_at_the_call(snapshot.table, caller):
        around = around_of(exchange, snapshot)
    names = callable_models(snapshot.table, caller, snapshot.catalogue.doors, around)
    if route.endpoint.kind == "models" and caller.roles:
        answer = model_list(route.form, names)
    elif route.model in names:
        answer = model(route.form, route.model)
    else:
        raise _not_listed(exchange, route.model, snapshot, names, around)
    await send_json(exchange, 200, strict_json.dumps(answer))


def _not_listed(
    exchange: Exchange,
    name: str,
    snapshot: Snapshot,
    names: list[str],
    around: Circumstances | None,
) -> Refusal:
    assert exchange.caller is not None  # noqa: S101 - the caller is known by now
    calls = [Call(endpoint, name) for endpoint in MODEL_ENDPOINTS]
    if any(may_call(snapshot.table, exchange.caller, call, around) for call in calls):
        return Refusal(Reason.MODEL_NOT_FOUND, "No upstream serves this model.", param="model")
    decisions = [decide(snapshot.table, exchange.caller, call, around) for call in calls]
    # of several endpoints the one that opens once its caller has signed in again
    decision = next((one for one in decisions if one.reason is _STEP_UP), decisions[0])
    return denied(decision, calls[0], names)


def around_of(exchange: Exchange, snapshot: Snapshot) -> Circumstances:
    """What surrounds a request, as far as conditions of this configuration may read it.

    Raises:
        Refusal: ``invalid_request`` for a header that they may read and that is sent twice.
    """
    return circumstances(exchange.scope, snapshot.clock(), snapshot.settings.condition_headers)


def lower(body: dict[str, Any], call: Call, decision: Decision) -> None:
    """Write the ceilings of the rule that allows a call into its body."""
    if decision.rule is not None and decision.rule.ceilings is not None:
        clamp(body, call.endpoint, decision.rule.ceilings, decision.exceeded)


def denied(decision: Decision, call: Call, names: list[str]) -> Refusal:
    """The refusal that tells a caller what was denied, why, and what may be called instead."""
    instead = f"You may call: {', '.join(names[:_MOST_NAMED])}" if names else "You may call none"
    if len(names) > _MOST_NAMED:
        instead += f", and {len(names) - _MOST_NAMED} more (GET /v1/models)"
    held = ", ".join(sorted(decision.roles))
    match decision.reason:
        case Reason.NO_ROLE:
            text = (
                "Your token carries no role that this gateway knows; ask the administrator of your"
                " identity provider for one."
            )
        case Reason.ENDPOINT_NOT_ALLOWED:
            text = f"Your roles ({held}) may call {call.model}, but not at this endpoint."
        case Reason.DENIED_BY_RULE:
            text = f"A rule denies {call.model} to your roles ({held}){_why(decision)}. {instead}."
        case Reason.CEILING_EXCEEDED:
            return _beyond(decision, call)
        case Reason.INSUFFICIENT_USER_AUTHENTICATION:
            assert decision.rule is not None  # noqa: S101 - the rule that demands it
            assert decision.rule.authentication is not None  # noqa: S101
            return step_up(decision.rule.authentication, call.model, param="model")
        case Reason.CONDITION_ERROR:
            text = (
                f"A condition of the rules for your roles ({held or 'none'}) could not be"
                " evaluated, and so does not help you; tell the administrator of this gateway."
            )
        case _:
            text = f"Your roles ({held}) do not allow {call.model}. {instead}."
    return Refusal(decision.reason or Reason.MODEL_NOT_ALLOWED, text, param="model")


def _why(decision: Decision) -> str:
    """What the condition of a rule says, where it is written in words that its callers know."""
    condition = decision.rule.when if decision.rule is not None else None
    return f": it is {condition.meaning}" if condition is not None and condition.meaning else ""


def _beyond(decision: Decision, call: Call) -> Refusal:
    details = "; ".join(
        f"{excess.parameter} is {excess.asked}, allowed is {excess.allowed}"
        for excess in decision.exceeded
    )
    return Refusal(
        Reason.CEILING_EXCEEDED,
        f"Your roles may call {call.model}, but not with that much: {details}.",
        param=decision.exceeded[0].parameter,
    )
