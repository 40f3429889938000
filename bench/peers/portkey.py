"""Portkey's open gateway on Node.js: forwards with the caller's key, checks no token."""

import json
from pathlib import Path
from typing import Final

from bench import programs
from bench.peers.peer import Launch, Setting, Unavailable
from bench.upstream import answers

_VERSION: Final = "1.15.2"
_PACKAGE: Final = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": _VERSION},
    # with a newer one every stream is a 500: github.com/Portkey-AI/gateway/issues/1389
    "overrides": {"@hono/node-server": "1.14.1"},
}


class Portkey:
    """A gateway whose open edition trusts whoever reaches it."""

    name = "portkey"
    title = "Portkey"
    manner = "its open gateway: no token, no policy"
    guards = False
    warm = 8  # V8 compiles what it has seen often

    def __init__(self) -> None:
        self._server = Path()
        self._upstream = 0

    def install(self, folder: Path) -> str:
        """Install from npm."""
        package = folder / "node_modules" / "@portkey-ai" / "gateway"
        self._server = package / "build" / "start-server.js"
        wanted = json.dumps(_PACKAGE)
        if _read(folder / "installed") == wanted:
            return _VERSION
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text(wanted, encoding="ascii")
        try:
            npm = [programs.find("npm", "npm"), "install", "--prefix", str(folder)]
            programs.run([*npm, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
        except (programs.Missing, programs.ProgramFailed) as error:
            raise Unavailable(str(error)) from None
        (folder / "installed").write_text(wanted, encoding="ascii")
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


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii") if path.exists() else ""
