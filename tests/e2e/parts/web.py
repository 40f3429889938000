"""Plain HTTP to a loopback server, without a client library's opinions."""

import json
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from .polling import SECONDS

_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP response."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        """The body as a JSON value."""
        return json.loads(self.body)


def ask(
    url: str,
    *,
    form: dict[str, str] | None = None,
    body: Any = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> Answer:
    """GET a URL, or POST a form or a JSON body to it, unless told otherwise.

    Every status is an answer.

    Raises:
        ConnectionError: nobody answers there.
    """
    sent = dict(headers or {})
    data = None
    if form is not None:
        data = urlencode(form).encode()
    elif body is not None:
        data = json.dumps(body).encode()
        sent["Content-Type"] = "application/json"
    try:
        with _OPENER.open(Request(url, data, sent, method=method), timeout=SECONDS) as response:
            return Answer(response.status, response.headers, response.read())
    except HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers, refused.read())
    except URLError as failed:
        raise ConnectionError(f"{url}: {failed.reason}") from None


def answers(url: str) -> bool:
    """Whether the URL is there and says 200."""
    try:
        return ask(url).status == 200
    except (ConnectionError, TimeoutError):
        return False
