"""What an issuer says of an opaque token: by introspection (RFC 7662), or as userinfo."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rolecall.config import Client
from rolecall.identity import signed_answer
from rolecall.identity.claim_values import Claims
from rolecall.identity.client_auth import credentials
from rolecall.identity.documents import Answer, FetchError, object_in, once_more
from rolecall.identity.session import Session
from rolecall.identity.signed_answer import SignedAnswers


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of an active token.

    Attributes:
        claims: about it, or about whoever holds it.
        thumbprint: the key that vouches for the answer, where it is signed.
    """

    claims: Claims
    thumbprint: str | None = None


LookUp = Callable[[str], Awaitable[Said | None]]
"""A token → what its issuer says of it, None if it is not active; raises `FetchError`."""


def by_introspection(
    session: Session,
    client: Client,
    issuer: str,
    clock: Callable[[], float],
    signed: SignedAnswers | None,
) -> LookUp:
    """Look tokens up at an introspection endpoint, whose answers are signed ones if they are to be.

    Args:
        session: towards the endpoint.
        client: who asks.
        issuer: who is asked.
        clock: seconds since the epoch.
        signed: what signed answers must be; None for plain ones.
    """
    accept = {} if signed is None else {"accept": signed_answer.MEDIA_TYPE}

    async def ask(token: str) -> Answer:
        shown = credentials(client, issuer, clock())
        form = {"token": token, "token_type_hint": "access_token", **shown.form}
        return await session.ask("POST", form=form, headers={**accept, **shown.headers})

    async def look_up(token: str) -> Said | None:
        asked = clock()
        answer = await once_more(lambda: ask(token))
        if answer.status != 200:
            # RFC 7662 2.2: whatever a token is, the answer is 200; all else is about the gateway
            raise FetchError(
                f"{session.url} answered with status {answer.status}; compare the gateway's"
                " client_id and client_auth with what it knows"
            )
        if signed is None:
            said = Said(object_in(answer, session.url))
        else:
            said = Said(*await signed_answer.read(answer, signed, session.url, asked, clock()))
        # a string or a number is no statement that a token is good
        return said if said.claims.get("active") is True else None

    return look_up


def by_userinfo(session: Session) -> LookUp:
    """Look tokens up at a userinfo endpoint (OpenID Connect Core 5.3), each with itself."""

    async def look_up(token: str) -> Said | None:
        headers = {"authorization": f"Bearer {token}"}
        answer = await once_more(lambda: session.ask(headers=headers))
        # RFC 6750 3.1; the token is all that the request says, so that a 400 is about it too
        if answer.status in {400, 401, 403}:
            return None
        if answer.status != 200:
            raise FetchError(f"{session.url} answered with status {answer.status}")
        return Said(object_in(answer, session.url))

    return look_up
