"""PyPI's oidc-provider-mock: its ID tokens name no key, and its access tokens are opaque."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from bench.programs import free_port

from .polling import SECONDS
from .process import Process, environment
from .web import answers, ask

CLIENT = "llm-gateway"
CALLBACK = "http://127.0.0.1:9/callback"
JOHN = {
    "sub": "john",
    "roles": ["basic_user"],
    "email": "john@example.com",
    "email_verified": True,
}


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


_OPENER = build_opener(ProxyHandler({}), _NoRedirect())


class ProviderMock:
    """A running provider; started again it has another key, and remembers nobody."""

    def __init__(self, folder: Path, port: int) -> None:
        self.version = f"oidc-provider-mock {version('oidc-provider-mock')}"
        self.issuer = f"http://localhost:{port}"
        self._folder = folder
        self._port = port
        self.start()

    def start(self) -> None:
        """Start it, with a key of its own."""
        users = ["--user-claims", json.dumps(JOHN)]
        self._process = Process(
            [sys.executable, "-m", "oidc_provider_mock", "--port", str(self._port), *users],
            self._folder / "oidc_provider_mock.log",
            environment(),
        )
        self._process.wait_for(lambda: answers(f"{self.issuer}/jwks"), what="the provider answers")

    def stop(self) -> None:
        """End it at once."""
        self._process.kill()

    def sign_in(self, subject: str) -> dict[str, str]:
        """The tokens of a person, by authorization code."""
        query = urlencode(
            {
                "client_id": CLIENT,
                "response_type": "code",
                "redirect_uri": CALLBACK,
                "scope": "openid email",
                "state": "x",
            }
        )
        asked = Request(f"{self.issuer}/oauth2/authorize?{query}", f"sub={subject}".encode())
        location = _location(asked)
        answer = ask(
            f"{self.issuer}/oauth2/token",
            form={
                "grant_type": "authorization_code",
                "code": re.search("code=([^&]+)", location)[1],
                "redirect_uri": CALLBACK,
                "client_id": CLIENT,
                "client_secret": "any",
            },
        )
        assert answer.status == 200, answer.body
        return answer.json()


def _location(asked: Request) -> str:
    try:
        with _OPENER.open(asked, timeout=SECONDS) as response:
            raise AssertionError(f"no redirect but {response.status}")
    except HTTPError as redirect:
        with redirect:
            return redirect.headers["location"]


@contextmanager
def running(folder: Path) -> Iterator[ProviderMock]:
    """Start the provider, and end it."""
    provider = ProviderMock(folder, free_port())
    try:
        yield provider
    finally:
        provider.stop()
