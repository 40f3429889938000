"""Keycloak, as Maven distributes it, with the realm ``acme`` of ``tests/data/keycloak``."""

import itertools
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.programs import free_port

from .cache import CACHE, REPOSITORY, alone
from .holder import Holder
from .missing import missing
from .process import Process, environment
from .web import Answer, answers, ask

VERSION = "26.4.0"
REALM = REPOSITORY / "tests/data/keycloak/realm.json"
CLIENT = "litellm-test-client-id"
WORKLOAD = "batch.reports"
URL_CLIENT = "https://gw.example.com/api"
URL_CLIENT_SECRET = "gateway-secret"
DOTTED_CLIENT = "com.example.gw"
ADMIN = "admin"
_AUDIENCE = {
    "name": "aud",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.client.audience": CLIENT, "access.token.claim": "true"},
}
_FLOW = {"providerId": "basic-flow", "builtIn": False}
_REQUIREMENTS = {
    "Cookie": "ALTERNATIVE",
    "levels": "ALTERNATIVE",
    "silver": "CONDITIONAL",
    "gold": "CONDITIONAL",
}
_PRIORITY = itertools.count(1000)  # the realm's own keys have 100
_HOME = CACHE / f"keycloak-{VERSION}"


class Keycloak:
    """A running Keycloak."""

    def __init__(self, url: str, java: str) -> None:
        self.url = url
        self.version = f"Keycloak {VERSION} on Java {java}"
        self.issuer = f"{url}/realms/acme"
        self.key_set_url = f"{self.issuer}/protocol/openid-connect/certs"

    def sign_in(
        self, username: str, client: str = CLIENT, holder: Holder | None = None
    ) -> dict[str, Any]:
        """The tokens of a user whose password is the user's name: the password grant.

        ``holder`` has the key that they are bound to.
        """
        url = f"{self.issuer}/protocol/openid-connect/token"
        return self._token(
            "acme",
            {"DPoP": holder.proof("POST", url)} if holder else None,
            grant_type="password",
            client_id=client,
            username=username,
            password=username,
            scope="openid",
        )

    def refresh(self, tokens: dict[str, Any], client: str) -> Answer:
        """What comes of asking for new tokens with the refresh token of others."""
        form = {
            "grant_type": "refresh_token",
            "client_id": client,
            "refresh_token": tokens["refresh_token"],
        }
        return ask(f"{self.issuer}/protocol/openid-connect/token", form=form)

    def enable(self, username: str, *, enabled: bool = True) -> None:
        """Let a user sign in, or not any more."""
        users = f"{self.url}/admin/realms/acme/users"
        headers = self._administrator()
        (user,) = ask(f"{users}?username={username}&exact=true", headers=headers).json()
        user["enabled"] = enabled
        done = ask(f"{users}/{user['id']}", body=user, headers=headers, method="PUT")
        assert done.status == 204, done.body

    def sign_in_workload(self, client_id: str) -> dict[str, Any]:
        """The tokens of a service account: client credentials, ES256."""
        return self._token(
            "acme",
            grant_type="client_credentials",
            client_id=client_id,
            client_secret=f"{client_id}-secret",
        )

    def sign_out(self, tokens: dict[str, Any], client: str) -> None:
        """End the session of a user's tokens, as the client does when the user signs out."""
        form = {"client_id": client, "refresh_token": tokens["refresh_token"]}
        answer = ask(f"{self.issuer}/protocol/openid-connect/logout", form=form)
        assert answer.status == 204, answer.body

    def add_client(self, client: str, backchannel_logout_url: str) -> None:
        """Add a client like `CLIENT`, whose logouts are told to a URL."""
        self._add(
            "clients",
            {
                "clientId": client,
                "publicClient": True,
                "directAccessGrantsEnabled": True,
                "fullScopeAllowed": True,
                "attributes": {
                    "backchannel.logout.url": backchannel_logout_url,
                    "backchannel.logout.session.required": "true",
                },
                "protocolMappers": [_AUDIENCE],
            },
        )

    def add_step_up_client(self, client: str) -> None:
        """Add a client like `CLIENT`, in whose sign-in a second form makes ``acr`` gold of silver.

        The flow is that of Keycloak's documentation of step-up authentication.
        """
        self._add("authentication/flows", {"alias": "step-up", **_FLOW, "topLevel": True})
        for above, below in (("step-up", "levels"), ("levels", "silver"), ("levels", "gold")):
            self._add(
                f"authentication/flows/{above}/executions/flow",
                {"alias": below, "type": "basic-flow", "provider": "registration-page-form"},
            )
        for flow, provider in (
            ("step-up", "auth-cookie"),
            ("silver", "conditional-level-of-authentication"),
            ("silver", "auth-username-password-form"),
            ("gold", "conditional-level-of-authentication"),
            ("gold", "auth-password-form"),
        ):
            self._add(f"authentication/flows/{flow}/executions/execution", {"provider": provider})
        url = f"{self.url}/admin/realms/acme/authentication"
        headers = self._administrator()
        levels = iter(("1", "2"))
        for one in ask(f"{url}/flows/step-up/executions", headers=headers).json():
            required = _REQUIREMENTS.get(one["displayName"], "REQUIRED")
            done = ask(
                f"{url}/flows/step-up/executions",
                body={**one, "requirement": required},
                headers=headers,
                method="PUT",
            )
            assert done.status in {202, 204}, done.body
            if one.get("providerId") == "conditional-level-of-authentication":
                level = next(levels)
                config = {"loa-condition-level": level, "loa-max-age": "36000"}
                self._add(
                    f"authentication/executions/{one['id']}/config",
                    {"alias": f"level {level}", "config": config},
                )
        flows = ask(f"{url}/flows", headers=headers).json()
        (flow,) = (one["id"] for one in flows if one["alias"] == "step-up")
        self._add(
            "clients",
            {
                "clientId": client,
                "publicClient": True,
                "redirectUris": ["*"],
                "fullScopeAllowed": True,
                "authenticationFlowBindingOverrides": {"browser": flow},
                "attributes": {"acr.loa.map": '{"silver": 1, "gold": 2}'},
                "protocolMappers": [_AUDIENCE],
            },
        )

    def rotate_key(self) -> None:
        """Add an RSA key that signs from now on; the old one stays published."""
        realm = ask(f"{self.url}/admin/realms/acme", headers=self._administrator()).json()
        self._add(
            "components",
            {
                "name": "rotated",
                "providerId": "rsa-generated",
                "providerType": "org.keycloak.keys.KeyProvider",
                "parentId": realm["id"],
                "config": {"priority": [str(next(_PRIORITY))], "algorithm": ["RS256"]},
            },
        )

    def _add(self, kind: str, body: dict[str, Any]) -> None:
        url = f"{self.url}/admin/realms/acme/{kind}"
        added = ask(url, headers=self._administrator(), body=body)
        assert added.status == 201, added.body

    def _administrator(self) -> dict[str, str]:
        admin = self._token(
            "master",
            grant_type="password",
            client_id="admin-cli",
            username=ADMIN,
            password=ADMIN,
        )
        return {"Authorization": f"Bearer {admin['access_token']}"}

    def _token(
        self, realm: str, headers: dict[str, str] | None = None, **form: str
    ) -> dict[str, Any]:
        url = f"{self.url}/realms/{realm}/protocol/openid-connect/token"
        answer = ask(url, form=form, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json()


@contextmanager
def running(folder: Path) -> Iterator[Keycloak]:
    """Start Keycloak with its database in memory, and end it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with alone("keycloak"):  # the first start rewrites the installation
        java = _install()
        process = Process(
            [
                str(_HOME / "bin/kc.sh"),
                "start-dev",
                "--db=dev-mem",
                "--http-host=127.0.0.1",
                f"--http-port={port}",
                f"--http-management-port={free_port()}",
                "--import-realm",
            ],
            folder / "keycloak.log",
            environment(
                KC_BOOTSTRAP_ADMIN_USERNAME=ADMIN,
                KC_BOOTSTRAP_ADMIN_PASSWORD=ADMIN,
                JAVA_OPTS_KC_HEAP="-Xms64m -Xmx512m",
                JAVA_OPTS_APPEND="-XX:TieredStopAtLevel=1",  # ready in two thirds of the time
            ),
        )
        try:
            process.wait_for(
                lambda: answers(f"{url}/realms/acme/.well-known/openid-configuration"),
                what="Keycloak's realm answers",
                seconds=300,
            )
        except BaseException:
            process.kill()
            raise
    try:
        yield Keycloak(url, java)
    finally:
        process.terminate()


def _install() -> str:
    java = _java()
    if not _HOME.exists():
        _unpack(_download())
    imported = _HOME / "data/import"
    imported.mkdir(parents=True, exist_ok=True)
    shutil.copy(REALM, imported)
    return java


def _java() -> str:
    try:
        said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        missing("Keycloak", "needs Java 17 or newer, and there is no `java`")
    version = re.search(r'version "((\d+)[^"]*)', said.stderr)
    if not version or int(version[2]) < 17:
        missing("Keycloak", f"needs Java 17 or newer, and this is {said.stderr.splitlines()[0]}")
    return version[1]


def _download() -> Path:
    artifact = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
    if not shutil.which("mvn"):
        missing("Keycloak", f"`mvn` is needed to download {artifact}")
    copy = ["dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={CACHE}"]
    got = subprocess.run(
        ["mvn", "-q", "-B", *copy],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if got.returncode:
        missing("Keycloak", f"`mvn` cannot download {artifact}: {got.stdout.strip()[-500:]}")
    return CACHE / f"keycloak-quarkus-dist-{VERSION}.zip"


def _unpack(archive: Path) -> None:
    partial = CACHE / "keycloak.partial"
    shutil.rmtree(partial, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(partial)
    unpacked = partial / _HOME.name
    (unpacked / "bin/kc.sh").chmod(0o755)  # zipfile forgets modes
    unpacked.rename(_HOME)
    partial.rmdir()
    archive.unlink()
