"""A person's browser at Keycloak: cookies, redirects and the forms of its pages."""

import re
from html import unescape
from http.client import HTTPMessage
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import (
    HTTPCookieProcessor,
    HTTPRedirectHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from .keycloak import Keycloak
from .polling import SECONDS
from .web import ask

_CALLBACK = "http://127.0.0.1:1/callback"
_FORM = re.compile(r'<form[^>]* action="(?P<action>[^"]+)"')
_MOST_PAGES = 8


class _Stay(HTTPRedirectHandler):
    """Redirects are answers."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


class Browser:
    """Who signs in with a password that is the user's name, and stays signed in.

    Attributes:
        pages: how many forms were filled in so far.
    """

    def __init__(self, keycloak: Keycloak, client: str, username: str) -> None:
        self.pages = 0
        self._keycloak = keycloak
        self._client = client
        self._username = username
        # Keycloak marks its cookies as for https alone, which browsers read otherwise on loopback
        jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        self._open = build_opener(ProxyHandler({}), HTTPCookieProcessor(jar), _Stay()).open

    def sign_in(self, **asked: str) -> str:
        """An access token, by authorization code; ``asked`` goes into the authorization request."""
        url = f"{self._keycloak.issuer}/protocol/openid-connect"
        query = {
            "client_id": self._client,
            "redirect_uri": _CALLBACK,
            "response_type": "code",
            "scope": "openid",
            **asked,
        }
        answer = ask(
            f"{url}/token",
            form={
                "grant_type": "authorization_code",
                "client_id": self._client,
                "redirect_uri": _CALLBACK,
                "code": self._code(f"{url}/auth?{urlencode(query)}"),
            },
        )
        assert answer.status == 200, answer.body
        return str(answer.json()["access_token"])

    def _code(self, url: str) -> str:
        """The code that a row of redirects and pages ends in."""
        form = None
        for _ in range(_MOST_PAGES):
            headers, page = self._load(url, form)
            location = headers["location"]
            if location is None:
                found = _FORM.search(page)
                assert found, page
                self.pages += 1
                url = unescape(found["action"])
                form = {"username": self._username, "password": self._username}
            elif location.startswith(_CALLBACK):
                query = parse_qs(urlsplit(location).query)
                assert "code" in query, location
                return query["code"][0]
            else:
                url, form = location, None
        raise AssertionError(f"no code after {_MOST_PAGES} pages")

    def _load(self, url: str, form: dict[str, str] | None) -> tuple[HTTPMessage, str]:
        data = None if form is None else urlencode(form).encode()
        try:
            with self._open(Request(url, data), timeout=SECONDS) as response:
                return response.headers, response.read().decode()
        except HTTPError as other:
            with other:
                return other.headers, other.read().decode()
