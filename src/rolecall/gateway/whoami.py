"""``GET /whoami``: whom the gateway takes the holder of a token for."""

import math

from rolecall.gateway.answer import send_json
from rolecall.gateway.credentials import authenticated, find_token
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.gateway.way import around_of
from rolecall.policy import callable_models, looks_at_the_call, role_origins
from rolecall.wire import strict_json


async def answer_whoami(exchange: Exchange, snapshot: Snapshot) -> None:
    """Say who the caller is, which roles that leads to and why, and which models they open.

    Raises:
        Refusal: the token says no.
    """
    token = find_token(exchange.scope["headers"])
    exchange.caller = caller = await authenticated(token, exchange, snapshot)
    around = None
    if looks_at_the_call(snapshot.table, caller):
        around = around_of(exchange, snapshot)
    origins = role_origins(snapshot.table, caller)
    answer = {
        "issuer": caller.issuer,
        "subject": caller.subject,
        "actors": [actor.members for actor in caller.actors],
        "kind": caller.kind,
        "client": caller.client,
        "roles": [{"role": role, "from": origins[role]} for role in sorted(caller.roles)],
        "notes": list(caller.notes),
        "models": callable_models(snapshot.table, caller, snapshot.catalogue.doors, around),
        # a static key may be good for ever, for which JSON has no number
        "expires": caller.expires if math.isfinite(caller.expires) else None,
    }
    await send_json(exchange, 200, strict_json.dumps(answer))
