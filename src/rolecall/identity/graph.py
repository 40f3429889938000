"""Microsoft Graph: which groups an account is a member of, asked as the gateway itself.

Sources: Microsoft's "directoryObject: getMemberGroups", "Paging Microsoft Graph data in your app"
and "Microsoft Graph error responses and resource types".
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Literal

from rolecall.config import GroupOverage
from rolecall.config.issuer_schema import GUID
from rolecall.core import Reason, Refusal
from rolecall.identity.claim_values import MAX_LOOKED_UP
from rolecall.identity.client_credentials import ClientCredentials
from rolecall.identity.dialing import Place
from rolecall.identity.documents import (
    Answer,
    Deadline,
    FetchError,
    object_in,
    once_more,
    retry_after,
    towards,
)
from rolecall.identity.session import Session

Kind = Literal["users", "servicePrincipals"]
"""What an account is, as Graph's paths name it."""

_MAX_PAGES: Final = 32
_REST: Final = 1.0
_GONE: Final = "Request_ResourceNotFound"
_TOO_MANY: Final = "Directory_ResultSizeLimitExceeded"


class Graph:
    """One tenant's directory.

    Whatever a token names as the place of its groups (``_claim_sources``) is never asked: what is
    asked is the endpoint of the configuration, and pages of the same server.

    Args:
        settings: where it is, and who asks.
        clock: seconds since the epoch.
    """

    def __init__(self, settings: GroupOverage, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._url = settings.endpoint
        self._place = Place.of(settings.endpoint)
        self.credentials = ClientCredentials(
            settings.token_endpoint,
            settings.client,
            f"{settings.endpoint}/.default",
            settings.reach,
            settings.timeout,
            clock,
        )
        self._session = Session(
            self._url, towards(self._url, settings.reach), Deadline(settings.timeout)
        )

    async def member_groups(self, kind: Kind, object_id: str) -> tuple[str, ...]:
        """The IDs of the groups that an account is a member of, also by way of other groups.

        Args:
            kind: what the account is.
            object_id: a GUID.

        Raises:
            Refusal: the account is gone, or in more groups than Graph lists.
            FetchError: Graph cannot be asked; with the seconds for which that holds for everybody,
                where it does.
        """
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._member_groups(kind, object_id)
        except TimeoutError:
            raise FetchError(f"{self._url} did not answer in time") from None

    def retire(self) -> None:
        """Keep no connection."""
        self._session.retire()
        self.credentials.retire()

    async def close(self) -> None:
        """End an asking for a token that is under way."""
        await self.credentials.close()

    async def _member_groups(self, kind: Kind, object_id: str) -> tuple[str, ...]:
        found: list[str] = []
        ask = partial(
            self._session.ask,
            "POST",
            document={"securityEnabledOnly": self._settings.security_groups_only},
            target=f"/v1.0/{kind}/{object_id}/getMemberGroups",
        )
        for _ in range(_MAX_PAGES):
            answer = await self._as_ourselves(ask)
            self._check(answer)
            page = object_in(answer, self._url)
            found += self._group_ids(page)
            if len(found) > MAX_LOOKED_UP:
                raise _too_many()
            if "@odata.nextLink" not in page:
                return tuple(found)
            ask = partial(self._session.ask, target=self._next(page["@odata.nextLink"]))
        raise FetchError(f"{self._url} answered with more than {_MAX_PAGES} pages")

    async def _as_ourselves(self, ask: Callable[..., Awaitable[Answer]]) -> Answer:
        token = await self.credentials.token()
        answer = await self._with(token, ask)
        if answer.status == 401:
            # revoked before its time: another one may do
            self.credentials.drop(token)
            answer = await self._with(await self.credentials.token(), ask)
        return answer

    @staticmethod
    async def _with(token: str, ask: Callable[..., Awaitable[Answer]]) -> Answer:
        return await once_more(partial(ask, headers={"authorization": f"Bearer {token}"}))

    def _check(self, answer: Answer) -> None:
        match answer.status:
            case 200:
                return
            case 404 if self._error(answer) == _GONE:
                raise Refusal(
                    Reason.REVOKED,
                    "The account that the token names is not in its directory any more.",
                )
            case 400 if self._error(answer) == _TOO_MANY:
                raise _too_many()
            case 401 | 403:
                raise FetchError(
                    f"{self._url} answered with status {answer.status}: the gateway may not read"
                    " memberships; grant its app registration the application permissions"
                    " User.ReadBasic.All and GroupMember.Read.All (for programs"
                    " Application.Read.All), with admin consent",
                    _REST,
                )
        raise FetchError(f"{self._url} answered with status {answer.status}", retry_after(answer))

    def _error(self, answer: Answer) -> Any:
        """Graph's own code; without it a status says nothing of the account."""
        error = object_in(answer, self._url).get("error")
        return error.get("code") if isinstance(error, dict) else None

    def _group_ids(self, page: dict[str, Any]) -> list[str]:
        value = page.get("value")
        if not isinstance(value, list) or not all(
            isinstance(one, str) and GUID.fullmatch(one) for one in value
        ):
            raise FetchError(f"{self._url} answered with no list of group IDs")
        return value

    def _next(self, link: Any) -> str:
        """The path of a following page, which must be the same server's."""
        try:
            place = Place.of(link)
        except (ValueError, TypeError, AttributeError):
            raise FetchError(f"{self._url} named a next page that is no URL") from None
        ours = self._place
        if (place.secure, place.host, place.port) != (ours.secure, ours.host, ours.port):
            raise FetchError(f"{self._url} named a next page on another server")
        return place.target


def _too_many() -> Refusal:
    return Refusal(
        Reason.INVALID_CLAIM,
        f"The account is in more than {MAX_LOOKED_UP:,} groups, more than its directory lists"
        " (group overage); ask the administrator of your Entra ID for app roles instead.",
    )
