"""The stage of the demo: identity provider, model and gateway, all real, all on loopback."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rolecall.demo.idp import DevelopmentIdP, Lifetimes, ShapeName
from rolecall.demo.model import EchoModel, LocalModel, Report, start_model

_ROLE_FIELDS: Final[dict[ShapeName, str]] = {
    "keycloak": "resource_access.litellm-test-client-id.roles",
    "entra": "roles",
}
_READY_WITHIN: Final = 30.0
# long enough for whoever stays to try things
_LIFETIMES: Final = Lifetimes(access_token=8 * 3600)

_CONFIG: Final = """\
general_settings:
  enable_jwt_auth: True
  litellm_jwtauth:
    user_roles_jwt_field: "{roles}" # the field in the JWT that contains the roles
    user_allowed_roles: ["basic_user"] # roles that map to an 'internal_user' role
    enforce_rbac: true # if true, will check if the user has the correct role to access the model

  role_permissions: # control what models are allowed for each role
    - role: internal_user
      models: ["anthropic-claude"]

model_list:
  - model_name: anthropic-claude
    litellm_params:
      model: claude-3-5-haiku-20241022
      api_base: {model} # the local model stands in for both providers
      api_key: local
  - model_name: openai-gpt-4o
    litellm_params:
      model: gpt-4o
      api_base: {model}
      api_key: local
"""


class StageError(Exception):
    """The demo cannot be set up; the text says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs, and the folder with the configuration, the log and the tokens."""

    idp: DevelopmentIdP
    model: LocalModel | EchoModel
    gateway: str
    folder: Path

    @property
    def config(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "config.yaml"

    def keep_token(self, name: str, token: str) -> Path:
        """Write a token into a file of the folder, for ``curl``."""
        path = self.folder / f"{name}.token"
        path.touch(mode=0o600)
        path.write_text(token, encoding="ascii")
        return path


@contextmanager
def set_up(*, shape: ShapeName, port: int, echo: bool, report: Report) -> Iterator[Stage]:
    """Start everything; leaving the block stops it and removes the folder.

    Args:
        shape: whose tokens the identity provider writes.
        port: the gateway's; another one is taken when it is not free.
        echo: take the built-in echo model without trying to fetch the real one.
        report: is told how the model's download goes on.

    Raises:
        StageError: something does not start.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rolecall-demo-")))
        model = start_model(progress=report, echo=echo)
        stack.callback(model.stop)
        idp = stack.enter_context(DevelopmentIdP.start(shape, lifetimes=_LIFETIMES))
        config = _CONFIG.format(roles=_ROLE_FIELDS[shape], model=model.base_url)
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        gateway = stack.enter_context(_gateway(folder, _free_port(port), idp))
        yield Stage(idp, model, gateway, folder)


@contextmanager
def _gateway(folder: Path, port: int, idp: DevelopmentIdP) -> Iterator[str]:
    environment = os.environ | {
        "JWT_PUBLIC_KEY_URL": idp.jwks_url,
        "JWT_ISSUER": idp.issuer,
        "JWT_AUDIENCE": idp.audience,
    }
    command = [sys.executable, "-m", "rolecall", "serve"]
    command += ["--config", str(folder / "config.yaml"), "--port", str(port)]
    log = folder / "gateway.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, process_group=0
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/health/readiness", timeout=2):  # noqa: S310
                return
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.05)
    raise StageError(f"the gateway did not start:\n{log.read_text(errors='replace')}")


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise StageError("no port is free")
