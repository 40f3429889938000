"""An access token for the gateway itself, by the client credentials grant (RFC 6749 4.4)."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from rolecall.config import Client, Reach
from rolecall.identity.askings import Askings
from rolecall.identity.client_auth import credentials
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

# RFC 6750 2.1
_TOKEN: Final = re.compile("[A-Za-z0-9._~+/-]{1,16384}=*")
_ERROR_CODE: Final = re.compile("[a-z_]{1,40}")
_LONGEST: Final = 86_400
_MARGIN: Final = 60
_REST: Final = 1.0


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and the seconds since the epoch until which it is used."""

    token: str = field(repr=False)
    until: float


class ClientCredentials:
    """The gateway's own token: asked for when it is needed, and again shortly before it expires.

    Args:
        token_endpoint: where it is issued; the audience of assertions too, as Entra ID wants it.
        client: who the gateway is there.
        scope: what the token is for.
        reach: how the endpoint is reached.
        timeout: seconds for an answer.
        clock: seconds since the epoch.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - of whom, for what, by which way
        self,
        token_endpoint: str,
        client: Client,
        scope: str,
        reach: Reach,
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._endpoint = token_endpoint
        self._client = client
        self._scope = scope
        self._session = Session(token_endpoint, towards(token_endpoint, reach), Deadline(timeout))
        self._clock = clock
        self.granted: Granted | None = None
        self._askings: Askings[str, str | FetchError] = Askings()

    async def token(self) -> str:
        """The token; requests at the same time share one asking.

        Raises:
            FetchError: there is none; with the seconds for which asking again is of no use.
        """
        if self.granted is not None and self._clock() < self.granted.until:
            return self.granted.token
        outcome = await self._askings.outcome(self._scope, self._ask)
        if isinstance(outcome, FetchError):
            # an exception that is raised many times would gather all their tracebacks
            raise FetchError(str(outcome), outcome.retry_after)
        return outcome

    def drop(self, token: str) -> None:
        """Use a token no more that was not accepted."""
        if self.granted is not None and self.granted.token == token:
            self.granted = None

    def retire(self) -> None:
        """Keep no connection."""
        self._session.retire()

    async def close(self) -> None:
        """End an asking that is under way."""
        await self._askings.close()

    async def _ask(self) -> str | FetchError:
        try:
            return self._kept(await once_more(self._request))
        except FetchError as error:
            # without a token nobody is answered, whoever asks
            return FetchError(str(error), error.retry_after or _REST)

    async def _request(self) -> Answer:
        # an assertion is signed, or read from a file
        shown = await asyncio.to_thread(credentials, self._client, self._endpoint, self._clock())
        form = {"grant_type": "client_credentials", "scope": self._scope, **shown.form}
        return await self._session.ask("POST", form=form, headers=shown.headers)

    def _kept(self, answer: Answer) -> str:
        if answer.status != 200:
            raise FetchError(self._why_not(answer), retry_after(answer))
        granted = object_in(answer, self._endpoint)
        token, kind = granted.get("access_token"), granted.get("token_type")
        if (
            not (isinstance(token, str) and _TOKEN.fullmatch(token))
            or not isinstance(kind, str)
            or kind.lower() != "bearer"
        ):
            raise FetchError(f"{self._endpoint} answered with no bearer token")
        lifetime = granted.get("expires_in")
        # RFC 6749 5.1: it need not be there; then the token is used once
        known = lifetime if isinstance(lifetime, int | float) else 0
        self.granted = Granted(token, self._clock() + min(known, _LONGEST) - _MARGIN)
        return token

    def _why_not(self, answer: Answer) -> str:
        said = ""
        if answer.status in {400, 401}:
            with suppress(FetchError):
                error = object_in(answer, self._endpoint).get("error")
                if isinstance(error, str) and _ERROR_CODE.fullmatch(error):
                    said = f" ({error})"
            said += (
                "; compare the gateway's client_id, and its secret, certificate or assertion, with"
                " what it knows"
            )
        return f"{self._endpoint} answered with status {answer.status}{said}"
