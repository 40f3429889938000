"""LiteLLM's proxy with a master key; its check of tokens needs a licence."""

import json
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from bench.calls import ALLOWED
from bench.peers import venv
from bench.peers.peer import Launch, Setting, Unavailable
from bench.upstream import answers

_VERSION: Final = "1.106.2"
_MASTER_KEY: Final = "sk-bench-master"


class LiteLLM:
    """The gateway whose configuration Rolecall reads."""

    name = "litellm"
    title = "LiteLLM"
    manner = "its proxy with a master key; its token check needs a licence"
    guards = False
    warm = 2

    def __init__(self) -> None:
        self._bin = Path()

    def install(self, folder: Path) -> str:
        """Install from PyPI."""
        self._bin = venv.ensure(folder, f"litellm[proxy]=={_VERSION}")
        return installed(self._bin.parent, "litellm")

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:
        """One model, one key, its log turned down."""
        model = {
            "model": f"openai/{ALLOWED}",
            "api_base": f"http://127.0.0.1:{setting.upstream}/v1",
            "api_key": answers.PROVIDER_KEY,
        }
        config = {
            "model_list": [{"model_name": ALLOWED, "litellm_params": model}],
            "general_settings": {"master_key": _MASTER_KEY},
            "litellm_settings": {"telemetry": False, "num_retries": 0},
        }
        path = folder / "litellm.yaml"
        path.write_text(json.dumps(config), encoding="ascii")
        argv = [str(self._bin / "litellm"), "--config", str(path), "--host", "127.0.0.1"]
        return Launch(
            [*argv, "--port", str(port), "--num_workers", str(setting.workers)],
            # no download of price lists; its own advice for production
            {
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOG": "ERROR",
            },
        )

    def headers(self, token: str) -> dict[str, str]:  # noqa: ARG002 - it takes its key alone
        """The master key in the token's place."""
        return {"authorization": f"Bearer {_MASTER_KEY}"}


def installed(environment: Path, name: str) -> str:
    """The version of a package in a virtual environment.

    Raises:
        Unavailable: it is not in there.
    """
    places = [str(place) for place in environment.glob("lib/python*/site-packages")]
    found: Distribution | None = next(iter(distributions(name=name, path=places)), None)
    if found is None:
        raise Unavailable(f"{name} is not where it was installed")
    return found.version
