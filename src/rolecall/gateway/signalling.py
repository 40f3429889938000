"""Where issuers say that somebody's tokens are to be believed no more.

``POST /backchannel-logout`` (OpenID Connect Back-Channel Logout 1.0) and ``POST /security-events``
(push of Shared Signals, RFC 8935). Nobody signs in here: each message is signed.
"""

import logging
from typing import Final
from urllib.parse import parse_qsl

from rolecall.core import Reason, Refusal
from rolecall.gateway.answer import send_json
from rolecall.gateway.body import check_media_type, read_body
from rolecall.gateway.exchange import Exchange
from rolecall.gateway.snapshot import Snapshot
from rolecall.identity import Received, RevocationStore, logout, security_event
from rolecall.record import Recorder
from rolecall.wire import strict_json

log = logging.getLogger("rolecall.gateway")

_FORM: Final = b"application/x-www-form-urlencoded"
_EVENT: Final = b"application/secevent+jwt"
_FIELDS: Final = 16
_AROUND: Final = 4096
# RFC 8935 2.4
_ERRORS: Final = {
    Reason.UNKNOWN_ISSUER: "invalid_issuer",
    Reason.WRONG_AUDIENCE: "invalid_audience",
    Reason.UNKNOWN_KEY: "invalid_key",
    Reason.REVOKED: "invalid_key",
    Reason.ALGORITHM_NOT_ALLOWED: "invalid_key",
    Reason.BAD_SIGNATURE: "authentication_failed",
}
_TEMPORARY: Final = (Reason.ISSUER_UNAVAILABLE, Reason.UPSTREAM_UNAVAILABLE)


async def receive_logout(
    exchange: Exchange, snapshot: Snapshot, store: RevocationStore | None, recorder: Recorder
) -> None:
    """Answer a back-channel logout (section 2.8): 200, or 400 with an OAuth error.

    Raises:
        Refusal: nothing is received here, or nothing can be at the moment.
    """
    store = _receiving(store, [one.logout_audience for one in snapshot.settings.issuers])
    try:
        token = _logout_token(await _body(exchange, snapshot, _FORM))
        presented, issuer = await snapshot.verifier.statement(token)
        signal = logout(presented, issuer, snapshot.clock())
        assert signal.revocation is not None  # noqa: S101 - a logout is about somebody
        received = Received(signal.issuer, signal.jti, signal.until)
        if await store.add(signal.revocation, "logout", received) is None:
            raise Refusal(Reason.INVALID_CLAIM, "The logout token was received before (jti).")
    except Refusal as refusal:
        if refusal.reason in _TEMPORARY:
            raise
        recorder.refused(exchange.request_id, refusal, None, None)
        answer = {"error": "invalid_request", "error_description": refusal.message}
        await send_json(exchange, 400, strict_json.dumps(answer))
        return
    log.info("issuer %s: a back-channel logout", signal.issuer)
    await send_json(exchange, 200, b"{}")


async def receive_event(
    exchange: Exchange, snapshot: Snapshot, store: RevocationStore | None, recorder: Recorder
) -> None:
    """Answer a pushed security event (RFC 8935 2): 202, or 400 with what is wrong.

    Raises:
        Refusal: nothing is received here, or nothing can be at the moment.
    """
    store = _receiving(store, [one.event_audience for one in snapshot.settings.issuers])
    try:
        token = await _body(exchange, snapshot, _EVENT)
        presented, issuer = await snapshot.verifier.statement(token)
        signal = security_event(presented, issuer, snapshot.clock())
        if signal.revocation is not None and signal.revocation.expires > snapshot.clock():
            # one that comes twice says the same twice, and is acknowledged twice (RFC 8935 2)
            await store.add(signal.revocation, "security_event")
    except Refusal as refusal:
        if refusal.reason in _TEMPORARY:
            raise
        recorder.refused(exchange.request_id, refusal, None, None)
        answer = {
            "err": _ERRORS.get(refusal.reason, "invalid_request"),
            "description": refusal.message,
        }
        headers = [(b"content-language", b"en")]
        await send_json(exchange, 400, strict_json.dumps(answer), headers)
        return
    if signal.revocation is not None:
        log.info("issuer %s: a session was revoked", signal.issuer)
    await exchange.answer(202, [(b"x-request-id", exchange.request_id.encode())], b"")


def _receiving(store: RevocationStore | None, accepted: list[tuple[str, ...]]) -> RevocationStore:
    if store is None or not any(accepted):
        raise Refusal(
            Reason.NOT_FOUND,
            "No such messages are received here; logout_audience and event_audience of an issuer"
            " in the gateway's configuration change that.",
        )
    return store


async def _body(exchange: Exchange, snapshot: Snapshot, media_type: bytes) -> bytes:
    # room for what stands around a token in a form
    longest = snapshot.limits.token + _AROUND
    check_media_type(exchange.scope["headers"], longest, media_type)
    return await read_body(exchange.receive, await exchange.receive(), longest)


def _logout_token(body: bytes) -> bytes:
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=_FIELDS)
    except ValueError:
        fields = []
    tokens = [value for name, value in fields if name == "logout_token"]
    if len(tokens) != 1:
        raise Refusal(Reason.INVALID_REQUEST, "The form must hold one logout_token.")
    return tokens[0].encode()
