"""Portkey's open gateway on Node.js: forwards with the caller's key, checks no token."""

import json
from pathlib import Path
from typing import Final

from bench import programs
from bench.peers.peer import Launch, Setting, Unavailable
from bench.upstream import answers

_VERSION: Final = "1.15.2"


class Portkey:
    """A gateway whose open edition trusts whoever reaches it."""

    name = "portkey"
    title = "Portkey"
    manner = "its open gateway: no token, no policy"
    guards = False

    def __init__(self) -> None:
        self._server = Path()
        self._upstream = 0

    def install(self, folder: Path) -> str:
        """Install from npm."""
        package = folder / "node_modules" / "@portkey-ai" / "gateway"
        self._server = package / "build" / "start-server.js"
        try:
            if _version(package) != _VERSION:
                folder.mkdir(parents=True, exist_ok=True)
                npm = [programs.find("npm", "npm"), "install", "--prefix", str(folder)]
                quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
                programs.run([*npm, *quiet, f"@portkey-ai/gateway@{_VERSION}"])
        except (programs.Missing, programs.ProgramFailed) as error:
            raise Unavailable(str(error)) from None
        return _VERSION

    def launch(self, setting: Setting, folder: Path, port: int) -> Launch:  # noqa: ARG002
        """Everything is in the caller's headers."""
        self._upstream = setting.upstream
        node = programs.find("node", "nodejs")
        argv = [node, str(self._server), f"--port={port}", "--headless"]
        return Launch(argv, {"NODE_ENV": "production"})

    def headers(self, token: str) -> dict[str, str]:  # noqa: ARG002 - it forwards what it gets
        """The provider's key, its kind and its address."""
        return {
            "authorization": f"Bearer {answers.PROVIDER_KEY}",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://127.0.0.1:{self._upstream}/v1",
        }


def _version(package: Path) -> str:
    try:
        described = json.loads((package / "package.json").read_text(encoding="utf-8"))
    except OSError:
        return ""
    return str(described.get("version", ""))
