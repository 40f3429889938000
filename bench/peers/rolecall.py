"""Rolecall as it is in this checkout."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.calls import ALLOWED
from bench.peers.peer import Launch, Setting, Unavailable
from bench.tokens import AUDIENCE, CLAIM, ISSUER, ROLE
from bench.upstream import answers


class Rolecall:
    """What this is all about."""

    name = "rolecall"
    title = "Rolecall"
    manner = "token and policy, in Python"
    guards = True
    warm = 1

    def install(self, folder: Path) -> str:  # noqa: ARG002 - `make install` has done it
        """It is in the environment that runs the benchmark."""
        if not _command().exists():
            raise Unavailable("rolecall is not installed beside this Python: make install")
        return version("rolecall")

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """The native dialect; the key set in a file, or fetched."""
        (folder / "jwks.json").write_text(setting.keys, encoding="ascii")
        config = folder / "rolecall.yaml"
        # JSON is YAML, and needs no quoting of our own
        config.write_text(json.dumps(configuration(setting, folder)), encoding="ascii")
        argv = [str(_command()), "serve", "--config", str(config), "--port", str(port)]
        return Launch([*argv, "--workers", str(setting.workers)])

    def headers(self, token: str) -> dict[str, str]:
        """The token."""
        return {"authorization": f"Bearer {token}"}


def configuration(setting: Setting, folder: Path) -> dict[str, Any]:
    """One issuer, one role that may call one model, and other rules up to as many as asked for."""
    if setting.keys_url is None:
        keys = {"jwks_file": str(folder / "jwks.json")}
    else:
        keys = {"jwks_url": setting.keys_url}
    # a hundred teams may call a hundred models, the one that is asked for among them
    pairs = [(f"team-{n % 100}", _model(n // 100)) for n in range(1, setting.rules)]
    models = dict.fromkeys([ALLOWED, *(model for _, model in pairs)])
    return {
        "issuers": [{"issuer": ISSUER, "audience": [AUDIENCE], "roles": [[CLAIM]], **keys}],
        "roles": [
            *({"role": role} for role in dict.fromkeys(role for role, _ in pairs)),
            {"role": "internal_user", "any_of": [ROLE]},
        ],
        "rules": [
            *({"allow": [role], "models": [model]} for role, model in pairs),
            {"allow": ["internal_user"], "models": [ALLOWED]},
        ],
        "models": [
            {
                "name": model,
                "provider": "openai",
                "model": model,
                "api_base": f"http://127.0.0.1:{setting.upstream}",
                "api_key": answers.PROVIDER_KEY,
            }
            for model in models
        ],
    }


def _model(number: int) -> str:
    return f"model-{number}" if number else ALLOWED


def _command() -> Path:
    return Path(sys.executable).parent / "rolecall"
