"""HTTP towards one server of an identity provider: small answers, in time, and from it alone."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal
from urllib.parse import urlencode

from rolecall import __version__
from rolecall.config import Proxy, Reach, forward_proxy, is_public
from rolecall.identity.client_tls import ClientTls
from rolecall.identity.conversation import Broken, Conversation, Unanswered
from rolecall.identity.dialing import Place, Resolve, addresses_of, straight, through, written
from rolecall.identity.documents import Answer, Deadline, Disconnected, FetchError
from rolecall.wire import strict_json

_CONNECTIONS: Final = 32
_IDLE: Final = 15.0
_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "user-agent": f"rolecall/{__version__}",
}

_Body = tuple[str, bytes]
"""A media type, and what is of it."""


class Session:
    """The connections to one URL, made when they are first needed and kept for later requests.

    Redirects are refused (a server that sends us elsewhere is not the one that was configured),
    compression too (it hides the size), and at most 1 MiB is read. A private address is refused
    when it is connected to, whatever name led there: no second answer of a name server can come
    between. Behind a forward proxy the proxy decides.

    Args:
        url: an absolute URL.
        reach: whom to trust, and whether private addresses may be connected to.
        deadline: for a whole answer.
        resolve: finds addresses; None for the system's way.

    Attributes:
        url: the same.
    """

    def __init__(
        self, url: str, reach: Reach, deadline: Deadline, resolve: Resolve | None = None
    ) -> None:
        self.url = url
        self._reach = reach
        self._deadline = deadline
        self._resolve = resolve or addresses_of
        self._room = asyncio.Semaphore(_CONNECTIONS)
        self._tls = ClientTls(reach)
        self._idle: list[tuple[float, Conversation]] = []
        self._kept = True

    async def ask(
        self,
        method: Literal["GET", "POST"] = "GET",
        *,
        form: Mapping[str, str] | None = None,
        document: Any = None,
        headers: Mapping[str, str] | None = None,
        target: str | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            method: of the request.
            form: what is sent, as a form.
            document: what is sent, as JSON.
            headers: beside those that every request has.
            target: another path and query of the same server, in ASCII.

        Raises:
            FetchError: there is no such answer.
        """
        url = self.url
        try:
            place = Place.of(url)
            if target is not None:
                place = replace(place, target=target)
            body = _as_json(document) if document is not None else _as_form(form)
            async with asyncio.timeout(self._deadline.total), self._room:
                answer = await self._ask(place, method, body, headers or {})
        except Unanswered as error:
            raise Disconnected(f"{url} cannot be reached: {error}") from None
        except Broken as error:
            raise FetchError(f"{url} cannot be used: {error}") from None
        except TimeoutError:
            raise FetchError(f"{url} did not answer in time") from None
        except (ssl.SSLError, ConnectionError, socket.gaierror) as error:
            raise FetchError(f"{url} cannot be reached: {type(error).__name__}") from None
        except (OSError, ValueError) as error:
            raise FetchError(f"{url} cannot be fetched: {type(error).__name__}") from None
        if 300 <= answer.status < 400:
            raise FetchError(f"{url} answered with status {answer.status}")
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise FetchError(f"{url} answered with a compressed document")
        return answer

    def retire(self) -> None:
        """Keep no connection any more; requests under way, and later ones, get their answers."""
        self._kept = False
        while self._idle:
            self._idle.pop()[1].close()

    async def _ask(
        self, place: Place, method: str, body: _Body | None, headers: Mapping[str, str]
    ) -> Answer:
        proxy = forward_proxy(self.url)
        request = _request(place, None if place.secure else proxy, method, body, headers)
        conversation = self._take_idle()
        if conversation is None:
            async with asyncio.timeout(self._deadline.connect):
                conversation = await self._connect(place, proxy)
        answer = await conversation.ask(request)
        if self._kept and conversation.usable:
            self._idle.append((asyncio.get_running_loop().time(), conversation))
        else:
            conversation.close()
        return answer

    def _take_idle(self) -> Conversation | None:
        oldest = asyncio.get_running_loop().time() - _IDLE
        while self._idle:
            since, conversation = self._idle.pop()
            if conversation.usable and since >= oldest:
                return conversation
            conversation.close()
        return None

    async def _connect(self, place: Place, proxy: Proxy | None) -> Conversation:
        context = await self._tls.context() if place.secure else None
        if proxy is not None:
            return await through(place, proxy, context)
        addresses = await self._resolve(place.host, place.port)
        if not self._reach.private_network:
            public = [address for address in addresses if is_public(address)]
            if not public:
                raise self._private(addresses[-1])
            addresses = public
        return await straight(place, addresses, context, self._deadline.connect)

    def _private(self, address: str) -> FetchError:
        return FetchError(
            f"{self.url} is at {address}, which is no public address; write"
            " private_network: true at the issuer (JWT_PRIVATE_NETWORK=true in the environment) if"
            " it is to be reached there"
        )


def _request(
    place: Place,
    proxy: Proxy | None,
    method: str,
    body: _Body | None,
    headers: Mapping[str, str],
) -> bytes:
    fields = {"host": place.authority, **_HEADERS, **headers}
    target = place.target
    if proxy is not None:
        target = f"http://{place.authority}{target}"
        if proxy.authorization is not None:
            fields["proxy-authorization"] = proxy.authorization.decode()
    kind, data = body or ("", b"")
    if body is not None:
        fields["content-type"] = kind
        fields["content-length"] = str(len(data))
    return written(f"{method} {target} HTTP/1.1", fields) + data


def _as_form(form: Mapping[str, str] | None) -> _Body | None:
    if form is None:
        return None
    return "application/x-www-form-urlencoded", urlencode(form).encode()


def _as_json(document: Any) -> _Body:
    return "application/json", strict_json.dumps(document)
