"""node's oidc-provider, which is OpenID certified, run by ``oidc_provider/provider.mjs``."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .cache import alone
from .holder import Holder
from .missing import missing
from .process import Process, environment
from .web import ask

AUDIENCE = "llm-gateway"
RESOURCE_ACCESS_KEY = "https://gateway.example/api"
_PROJECT = Path(__file__).with_name("oidc_provider")


class OidcProvider:
    """A running provider whose keys the tests turn."""

    def __init__(self, url: str, versions: dict[str, str]) -> None:
        self.issuer = url
        self.version = ", ".join(f"{name} {number}" for name, number in versions.items())

    def token(
        self,
        client: str = "batch",
        resource: str = "RS256",
        holder: Holder | None = None,
        certificate: bytes | None = None,
    ) -> str:
        """An access token by client credentials (``at+jwt``, RFC 9068).

        Args:
            client: ``batch`` has its role in ``roles``, ``nested`` under ``resource_access`` and
                ``RESOURCE_ACCESS_KEY``, ``stranger`` has none.
            resource: the algorithm to sign with, ``opaque`` for a token that is not signed, or
                ``elsewhere`` for another audience.
            holder: whose key to bind it to.
            certificate: the certificate (DER) that the client shows; those of ``certified`` are
                bound to it.
        """
        url = f"{self.issuer}/token"
        headers = {"DPoP": holder.proof("POST", url)} if holder else {}
        if certificate is not None:
            headers["Client-Certificate"] = base64.b64encode(certificate).decode()
        answer = ask(
            url,
            headers=headers,
            form={
                "grant_type": "client_credentials",
                "client_id": client,
                "client_secret": f"{client}-secret",
                "scope": "llm:invoke",
                "resource": f"https://gateway.example/{resource}",
            },
        )
        assert answer.status == 200, answer.body
        return answer.json()["access_token"]

    def sign_in(self, person: str) -> str:
        """A person's access token; ``jane`` has her role in ``roles``."""
        token: str = self._control(f"sign-in?account={person}")["access_token"]
        return token

    def exchange(self, token: str, agent: str, resource: str = "RS256") -> str:
        """The token with which an agent acts for another token's subject (RFC 8693 2.1).

        Args:
            token: the subject's, or one with which another agent acts for it.
            agent: ``planner`` or ``assistant``.
            resource: as for `token`.
        """
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "client_id": agent,
            "client_secret": f"{agent}-secret",
            "subject_token": token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "resource": f"https://gateway.example/{resource}",
        }
        answer = ask(f"{self.issuer}/token", form=form)
        assert answer.status == 200, answer.body
        exchanged: str = answer.json()["access_token"]
        return exchanged

    def dpop_client(self, url: str, calls: int) -> list[dict[str, Any]]:
        """What an independent client of DPoP (oauth4webapi) gets for its calls of a URL.

        It takes a token for ``batch`` that is bound to a key of its own, and the nonces as they
        come. Of each call: its ``status``, and the error with which it was ``refused`` before.
        """
        done = subprocess.run(
            ["node", str(_PROJECT / "dpop_client.mjs"), self.issuer, url, str(calls)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    def revoke(self, token: str, client: str = "batch") -> None:
        """Revoke an opaque token (RFC 7009)."""
        form = {"token": token, "client_id": client, "client_secret": f"{client}-secret"}
        answer = ask(f"{self.issuer}/token/revocation", form=form)
        assert answer.status == 200, answer.body

    def client_key(self) -> dict[str, str]:
        """The private key of the client ``gateway-jwt``, a JWK."""
        return self._control("client-key")

    def rotate(self) -> None:
        """Sign with new keys from now on; the old ones stay published."""
        self._control("rotate")

    def drop_old_keys(self) -> None:
        """Publish the newest keys only."""
        self._control("drop-old")

    def replace_keys(self) -> None:
        """Sign with new keys from now on, and publish them alone."""
        self._control("emergency")

    def key_server(
        self, *, down: bool = False, delay_ms: int = 0, introspection: bool = False
    ) -> None:
        """Let the key set and discovery fail or come late, or, without either, be well.

        ``introspection`` fares alike, if so said.
        """
        self._control(f"jwks?down={int(down)}&delay={delay_ms}&introspection={int(introspection)}")

    def introspections(self) -> int:
        """How often a token was asked about, in vain or not."""
        return self._control("stats")["introspection"]

    def key_set_fetches(self) -> int:
        """How often the key set was asked for, in vain or not."""
        return self._control("stats")["jwks"]

    def _control(self, order: str) -> dict[str, Any]:
        answer = ask(f"{self.issuer}/_ctl/{order}")
        assert answer.status == 200, answer.body
        return answer.json()


@contextmanager
def running(folder: Path) -> Iterator[OidcProvider]:
    """Install what ``package-lock.json`` pins, start the provider, and end it."""
    _install()
    process = Process(
        ["node", str(_PROJECT / "provider.mjs")], folder / "oidc_provider.log", environment()
    )
    try:
        ready = process.wait_for(
            lambda: next(
                (line for line in process.log().splitlines() if line.startswith('{"url"')), None
            ),
            what="the provider says where it listens",
        )
        said = json.loads(ready)
        yield OidcProvider(said["url"], said["versions"])
    finally:
        process.kill()


def _install() -> None:
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            missing("oidc-provider", f"there is no `{tool}`")
    found = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(found.removeprefix("v").partition(".")[0]) < 20:
        missing("oidc-provider", f"needs node 20 or newer, and this is {found.strip()}")
    lock, installed = _PROJECT / "package-lock.json", _PROJECT / "node_modules/.installed-lock.json"
    with alone("oidc-provider"):
        if installed.exists() and installed.read_bytes() == lock.read_bytes():
            return
        got = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund"],
            cwd=_PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if got.returncode:
            missing("oidc-provider", f"`npm ci` failed: {got.stderr.strip()[-500:]}")
        shutil.copy(lock, installed)
