"""The way of a request, a step a line: who, what, may they, where to, and back."""

from typing import Final

from rolecall.core import MODEL_ENDPOINTS, Call, Decision, Reason, Refusal
from rolecall.gateway.answer import relay, send_json
from rolecall.gateway.body import check_head, read_body
from rolecall.gateway.credentials import find_token
from rolecall.gateway.endpoints import Route
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.presence import WhileClientWaits
from rolecall.gateway.snapshot import Snapshot
from rolecall.policy import callable_models, decide
from rolecall.record import Recorder
from rolecall.upstream import Transport, TransportError, outgoing
from rolecall.wire import check_query, model, model_list, parse_call, strict_json

_MOST_NAMED: Final = 20


async def call_model(
    exchange: Exchange, route: Route, snapshot: Snapshot, transport: Transport, recorder: Recorder
) -> None:
    """Answer a call of a model.

    Raises:
        Refusal: somebody says no, before anything was sent.
        ClientGone: nobody waits for the answer any more.
    """
    headers, query = exchange.scope["headers"], exchange.scope["query_string"]
    token = find_token(headers)
    exchange.caller = caller = await snapshot.verifier.authenticate(token)
    check_head(headers, snapshot.limits.body)
    check_query(query)
    body = await read_body(exchange.receive, snapshot.limits.body)
    call, value = parse_call(route.endpoint.name, body)
    exchange.call = call
    decision = decide(snapshot.table, caller, call)
    if not decision.allowed:
        names = callable_models(snapshot.table, caller, snapshot.catalogue.doors)
        raise denied(decision, call, names)
    deployment = snapshot.catalogue.choose(call)
    out = outgoing(deployment, call, value, headers, query)
    with WhileClientWaits(exchange):
        try:
            response = await transport.send(out.request)
            if response.status >= 400:
                recorder.upstream_refused(exchange.request_id, response.status, call)
            failure = await relay(exchange, response, out.translation, route.form)
            if failure is not None:
                recorder.broken_off(exchange.request_id, failure, caller, call)
        except TransportError as error:
            raise Refusal(error.reason, error.message) from None


async def list_models(exchange: Exchange, route: Route, snapshot: Snapshot) -> None:
    """Answer with the models that the caller may call, or with one of them.

    Raises:
        Refusal: the token or the policy says no.
    """
    token = find_token(exchange.scope["headers"])
    exchange.caller = caller = await snapshot.verifier.authenticate(token)
    names = callable_models(snapshot.table, caller, snapshot.catalogue.doors)
    if route.endpoint.kind == "models" and caller.roles:
        answer = model_list(route.form, names)
    elif route.model in names:
        answer = model(route.form, route.model)
    else:
        raise _not_listed(exchange, route.model, snapshot, names)
    await send_json(exchange, 200, strict_json.dumps(answer))


def _not_listed(exchange: Exchange, name: str, snapshot: Snapshot, names: list[str]) -> Refusal:
    assert exchange.caller is not None  # noqa: S101 - the caller is known by now
    calls = [Call(endpoint, name) for endpoint in MODEL_ENDPOINTS]
    decisions = [decide(snapshot.table, exchange.caller, call) for call in calls]
    if any(decision.allowed for decision in decisions):
        return Refusal(Reason.MODEL_NOT_FOUND, "No upstream serves this model.", param="model")
    return denied(decisions[0], calls[0], names)


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
            text = f"A rule denies {call.model} to your roles ({held}). {instead}."
        case _:
            text = f"Your roles ({held}) do not allow {call.model}. {instead}."
    return Refusal(decision.reason or Reason.MODEL_NOT_ALLOWED, text, param="model")
