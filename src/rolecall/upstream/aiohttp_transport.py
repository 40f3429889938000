"""The transport on aiohttp."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from yarl import URL

from rolecall.config import Timeouts, proxy_for
from rolecall.core import Reason
from rolecall.upstream.transport import Headers, Request, TransportError

# shorter than the 5 s after which common servers drop an idle connection, so that a request is
# seldom sent into one that is just being closed
_KEEP_ALIVE: Final = 4.0
_NO_TOTAL: Final = aiohttp.ClientTimeout(total=None)


class AiohttpResponse:
    """One answer."""

    __slots__ = ("_idle", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, idle: float) -> None:
        self._response = response
        self._idle = idle
        self.status = response.status
        self.headers: Headers = [(name.lower(), value) for name, value in response.raw_headers]

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come."""
        content = self._response.content
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    data = await content.readany()
            except TimeoutError:
                raise TransportError(
                    Reason.UPSTREAM_TIMEOUT, f"The upstream sent nothing for {self._idle:g} s."
                ) from None
            except (aiohttp.ClientError, OSError):
                raise TransportError(
                    Reason.UPSTREAM_ERROR, "The upstream broke off its answer."
                ) from None
            if not data:
                return
            yield data

    async def close(self) -> None:
        """Give the connection back, or end it if the body was not read to its end."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


class AiohttpTransport:
    """One session with its pool of connections; make it inside the running loop."""

    def __init__(self) -> None:
        self._proxies: dict[str, str | None] = {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=_NO_TOTAL,
            skip_auto_headers=("accept", "accept-encoding", "user-agent"),
        )

    async def send(self, request: Request) -> AiohttpResponse:
        """Send a request and wait for the head of the answer."""
        timeouts = request.timeouts
        deadline = timeouts.stream if request.stream else timeouts.first_byte
        try:
            async with asyncio.timeout(deadline):
                response = await self._session.post(
                    URL(request.url, encoded=True),
                    data=request.body,
                    headers=[
                        (name.decode("latin-1"), value.decode("latin-1"))
                        for name, value in request.headers
                    ],
                    allow_redirects=False,
                    timeout=_connect_timeout(timeouts),
                    proxy=self._proxy(request.url),
                )
        except aiohttp.ConnectionTimeoutError:
            raise TransportError(
                Reason.UPSTREAM_TIMEOUT,
                f"The upstream did not accept a connection within {timeouts.connect:g} s.",
            ) from None
        except TimeoutError:
            raise TransportError(
                Reason.UPSTREAM_TIMEOUT, f"The upstream did not answer within {deadline:g} s."
            ) from None
        except aiohttp.ClientConnectorError:
            raise TransportError(
                Reason.UPSTREAM_UNAVAILABLE, "The upstream cannot be reached."
            ) from None
        except (aiohttp.ClientError, OSError, ValueError):
            raise TransportError(
                Reason.UPSTREAM_ERROR, "The upstream broke off before it answered."
            ) from None
        return AiohttpResponse(response, timeouts.idle)

    def _proxy(self, url: str) -> str | None:
        # aiohttp's own trust_env asks a thread for .netrc with every request
        origin = url.partition("?")[0]
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(origin)
        return self._proxies[origin]

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


def _connect_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect)
