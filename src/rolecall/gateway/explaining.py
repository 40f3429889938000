"""``POST /explain``: what the policy decides, and why, asked over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rolecall.config.instants import parse_instant
from rolecall.core import MODEL_ENDPOINTS, Call, Caller, Circumstances, Reason, Refusal
from rolecall.gateway.answer import send_json
from rolecall.gateway.body import check_head, read_body
from rolecall.gateway.credentials import authenticated, find_token
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.gateway.way import around_of
from rolecall.identity import caller_from
from rolecall.policy import assign_roles, explain
from rolecall.wire import parse_call, read_parameters, strict_json

_OF_OTHERS: Final = frozenset({"claims", "at", "source_ip", "headers"})
_KEYS: Final = frozenset({"endpoint", "model", "body"}) | _OF_OTHERS


@dataclass(frozen=True, slots=True)
class _Question:
    caller: Caller
    call: Call
    around: Circumstances


async def answer_explain(exchange: Exchange, snapshot: Snapshot) -> None:
    """Explain a call: the caller's own, or, for an administrator, anybody's.

    Raises:
        Refusal: the token says no, the question cannot be understood, or it is about somebody else
            and the caller is no administrator.
    """
    headers = exchange.scope["headers"]
    exchange.caller = caller = await authenticated(find_token(headers), exchange, snapshot)
    check_head(headers, snapshot.limits.body)
    asked = strict_json.loads(
        await read_body(exchange.receive, await exchange.receive(), snapshot.limits.body)
    )
    if not isinstance(asked, dict):
        raise _invalid("The body must be a JSON object.", None)
    if unknown := sorted(asked.keys() - _KEYS):
        raise _invalid(f"There is no {unknown[0]} to ask about.", unknown[0])
    administers = not caller.roles.isdisjoint(snapshot.settings.explain.administrators)
    if not administers and (foreign := sorted(asked.keys() & _OF_OTHERS)):
        raise Refusal(
            Reason.MODEL_NOT_ALLOWED if caller.roles else Reason.NO_ROLE,
            f"You may ask about your own calls; {foreign[0]} is for administrators.",
            param=foreign[0],
        )
    question = _Question(
        _caller(asked, caller, snapshot),
        _call(asked),
        _around(asked, around_of(exchange, snapshot)),
    )
    explanation = explain(snapshot.table, question.caller, question.call, question.around)
    if not administers:
        explanation = explanation.of_own_roles()
    await send_json(exchange, 200, strict_json.dumps(explanation.as_json()))


def _caller(asked: Mapping[str, Any], caller: Caller, snapshot: Snapshot) -> Caller:
    if "claims" not in asked:
        return caller
    claims = asked["claims"]
    if not isinstance(claims, dict):
        raise _invalid("claims must be an object.", "claims")
    name = claims.get("iss", caller.issuer)
    issuer = next((one for one in snapshot.settings.issuers if one.issuer == name), None)
    if issuer is None:
        raise _invalid("The claims' iss is not a configured issuer.", "claims")
    try:
        return assign_roles(snapshot.table, caller_from(issuer, claims))
    except Refusal as refusal:
        raise _invalid(refusal.message, "claims") from None


def _call(asked: Mapping[str, Any]) -> Call:
    endpoint, body = asked.get("endpoint", "chat"), asked.get("body", {})
    if endpoint not in MODEL_ENDPOINTS:
        raise _invalid(f"endpoint must be one of {', '.join(MODEL_ENDPOINTS)}.", "endpoint")
    if not isinstance(body, dict):
        raise _invalid("body must be an object.", "body")
    if "model" in asked:
        body = {**body, "model": asked["model"]}
    data = strict_json.dumps(body)
    call, _ = parse_call(endpoint, data)
    return replace(call, parameters=read_parameters(body, len(data)))


def _around(asked: Mapping[str, Any], own: Circumstances) -> Circumstances:
    around = own
    if "at" in asked:
        try:
            around = replace(around, now=parse_instant(str(asked["at"])))
        except ValueError:
            raise _invalid("at must be a time as 2026-12-31T18:00:00Z.", "at") from None
    if "source_ip" in asked:
        around = replace(around, source_ip=str(asked["source_ip"]))
    if "headers" in asked:
        headers = asked["headers"]
        if not isinstance(headers, dict) or not all(
            isinstance(value, str) for value in headers.values()
        ):
            raise _invalid("headers must be an object of strings.", "headers")
        around = replace(around, headers={name.lower(): headers[name] for name in headers})
    return around


def _invalid(message: str, param: str | None) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, message, param=param)
