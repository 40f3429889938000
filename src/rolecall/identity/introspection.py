"""What an issuer says of an opaque token: by introspection (RFC 7662), or as userinfo."""

from collections.abc import Awaitable, Callable

from rolecall.config import Client
from rolecall.core import Refusal
from rolecall.identity.claim_values import Claims
from rolecall.identity.client_auth import credentials
from rolecall.identity.documents import Answer, Disconnected, FetchError
from rolecall.identity.session import Session
from rolecall.wire import strict_json

LookUp = Callable[[str], Awaitable[Claims | None]]
"""A token → what its issuer says of it, None if it is not active; raises `FetchError`."""


def by_introspection(
    session: Session, url: str, client: Client, issuer: str, clock: Callable[[], float]
) -> LookUp:
    """Look tokens up at an introspection endpoint."""

    async def ask(token: str) -> Answer:
        shown = credentials(client, issuer, clock())
        form = {"token": token, "token_type_hint": "access_token", **shown.form}
        return await session.ask("POST", form=form, headers=shown.headers)

    async def look_up(token: str) -> Claims | None:
        answer = await _again(lambda: ask(token))
        if answer.status != 200:
            # RFC 7662 2.2: whatever a token is, the answer is 200; all else is about the gateway
            raise FetchError(
                f"{url} answered with status {answer.status}; compare the gateway's client_id and"
                " client_auth with what it knows"
            )
        claims = _object(answer, url)
        # a string or a number is no statement that a token is good
        return claims if claims.get("active") is True else None

    return look_up


def by_userinfo(session: Session, url: str) -> LookUp:
    """Look tokens up at a userinfo endpoint (OpenID Connect Core 5.3), each with itself."""

    async def look_up(token: str) -> Claims | None:
        headers = {"authorization": f"Bearer {token}"}
        answer = await _again(lambda: session.ask(headers=headers))
        # RFC 6750 3.1; the token is all that the request says, so that a 400 is about it too
        if answer.status in {400, 401, 403}:
            return None
        if answer.status != 200:
            raise FetchError(f"{url} answered with status {answer.status}")
        return _object(answer, url)

    return look_up


async def _again(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask a second time where the first request met a connection that was about to close."""
    try:
        return await ask()
    except Disconnected:
        return await ask()


def _object(answer: Answer, url: str) -> Claims:
    try:
        value = strict_json.loads(answer.body)
    except Refusal as refusal:
        raise FetchError(f"{url} answered with no usable JSON: {refusal.reason}") from None
    if not isinstance(value, dict):
        raise FetchError(f"{url} answered with no JSON object")
    return value
