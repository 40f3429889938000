"""``/revocations``: what is revoked, told to administrators, and changed by them."""

import math
from typing import Any, Final
from urllib.parse import parse_qsl

from rolecall.config.instants import parse_instant, write_instant
from rolecall.core import KEYS_ISSUER, Reason, Refusal, Revocation
from rolecall.gateway.answer import send_json
from rolecall.gateway.body import check_head, read_body
from rolecall.gateway.credentials import authenticated, find_token
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.identity import RevocationStore, Stored, lifetime
from rolecall.wire import strict_json

_NAMES: Final = ("jti", "sid", "sub", "client")
_TIMES: Final = ("issued_before", "expires")
_LONGEST: Final = 2048
_NUMBER_DIGITS: Final = 18


async def administered(
    exchange: Exchange, snapshot: Snapshot, store: RevocationStore | None
) -> RevocationStore:
    """The store, for an administrator.

    Raises:
        Refusal: there is none here, or it is not for this caller.
    """
    administrators = snapshot.settings.revocations.administrators
    if store is None or not administrators:
        raise Refusal(
            Reason.NOT_FOUND,
            "No revocations are kept here; revocations: in the gateway's configuration says who"
            " may revoke, and where that is kept.",
        )
    token = find_token(exchange.scope["headers"])
    exchange.caller = caller = await authenticated(token, exchange, snapshot)
    if caller.roles.isdisjoint(administrators):
        held = ", ".join(sorted(caller.roles)) or "none"
        raise Refusal(Reason.ENDPOINT_NOT_ALLOWED, f"Your roles ({held}) may not revoke anything.")
    return store


async def revoke(exchange: Exchange, snapshot: Snapshot, store: RevocationStore) -> None:
    """Answer ``POST /revocations``; what it says has taken effect here when it is answered.

    Raises:
        Refusal: the body cannot be understood, or the file cannot be written.
    """
    check_head(exchange.scope["headers"], snapshot.limits.body)
    asked = strict_json.loads(
        await read_body(exchange.receive, await exchange.receive(), snapshot.limits.body)
    )
    if not isinstance(asked, dict):
        raise _invalid("The body must be a JSON object.", None)
    stored = await store.add(_revocation(asked, snapshot), "administrator")
    assert stored is not None  # noqa: S101 - no message was received
    await send_json(exchange, 201, strict_json.dumps(_shown(stored)))


async def list_revocations(exchange: Exchange, store: RevocationStore) -> None:
    """Answer ``GET /revocations?after=NUMBER``: a page, and whether there is another.

    Raises:
        Refusal: ``after`` is no number, or the file cannot be read.
    """
    query = dict(parse_qsl(exchange.scope["query_string"].decode("latin-1")))
    after = _number(query.get("after", "0"))
    if after is None:
        raise _invalid("after must be the id of a revocation.", "after")
    page = await store.listed(after)
    answer = {
        "revocations": [_shown(stored) for stored in page],
        "next": page[-1].number if page and await store.listed(page[-1].number) else None,
    }
    await send_json(exchange, 200, strict_json.dumps(answer))


async def reinstate(exchange: Exchange, number: str, store: RevocationStore) -> None:
    """Answer ``DELETE /revocations/NUMBER``.

    Raises:
        Refusal: there is no such entry, or the file cannot be written.
    """
    found = _number(number)
    if found is None or not await store.remove(found):
        raise Refusal(Reason.NOT_FOUND, "There is no revocation with this id.")
    await send_json(exchange, 200, strict_json.dumps({"id": found, "deleted": True}))


def _revocation(asked: dict[str, Any], snapshot: Snapshot) -> Revocation:
    if unknown := sorted(asked.keys() - {"issuer", *_NAMES, *_TIMES}):
        raise _invalid(f"A revocation has no {unknown[0]}.", unknown[0])
    for name in ("issuer", *_NAMES):
        value = asked.get(name, "a")
        if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
            raise _invalid(f"{name} must be a string of at most {_LONGEST} characters.", name)
    if asked.keys() <= {"issuer", "expires"}:
        raise _invalid(
            "Say what is revoked: jti, sid, sub, client or issued_before.", "issued_before"
        )
    issuer = asked.get("issuer")
    settings = next(
        (one for one in snapshot.settings.issuers if issuer in (one.issuer, *one.aliases)), None
    )
    if settings is None and issuer != KEYS_ISSUER:
        raise _invalid("issuer must be a configured issuer.", "issuer")
    issued_before, expires = (_instant(asked, name) for name in _TIMES)
    if expires is not None and expires <= snapshot.clock():
        raise _invalid("expires must lie in the future, or nothing is revoked.", "expires")
    longest = math.inf if settings is None else lifetime(settings)
    if expires is None and issued_before is not None:
        expires = issued_before + longest
    elif expires is None and "jti" in asked:
        # a token whose ID is known has been issued
        expires = snapshot.clock() + longest
    return Revocation(
        KEYS_ISSUER if settings is None else settings.issuer,
        **{name: asked.get(name) for name in _NAMES},
        issued_before=issued_before,
        expires=math.inf if expires is None else expires,
    )


def _instant(asked: dict[str, Any], name: str) -> float | None:
    if name not in asked:
        return None
    try:
        return parse_instant(str(asked[name]))
    except ValueError:
        raise _invalid(f"{name} must be a time as 2026-12-31T18:00:00Z.", name) from None


def _shown(stored: Stored) -> dict[str, Any]:
    revocation = stored.revocation
    written = {"issuer": revocation.issuer} | {
        name: value for name in _NAMES if (value := getattr(revocation, name)) is not None
    }
    if revocation.issued_before is not None:
        written["issued_before"] = write_instant(revocation.issued_before)
    return {
        "id": stored.number,
        **written,
        "expires": None if revocation.expires == math.inf else write_instant(revocation.expires),
        "cause": stored.cause,
        "created": write_instant(stored.created),
    }


def _number(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS:
        return int(text)
    return None


def _invalid(message: str, param: str | None) -> Refusal:
    return Refusal(Reason.INVALID_REQUEST, message, param=param)
