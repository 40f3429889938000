"""A real language model on this machine: SmolLM2-135M-Instruct on llama.cpp.

llama.cpp answers OpenAI's and Anthropic's format itself, and answers whatever model name a call
carries; the aliases are what it lists, and the first in the alphabet is what it calls itself.
"""

import http.client
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self
from urllib.parse import urlsplit

from rolecall.demo.model.fetch import ModelFiles, fetch_model
from rolecall.demo.model.unavailable import ModelUnavailable

ALIASES: Final = ("smollm2",)
READY_LIMIT: Final = 60.0
_STOP_LIMIT: Final = 5.0
_MAX_TOKENS: Final = 256
_SERVER: Final = Path(__file__).with_name("llama_server.py")


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A running llama.cpp; leaving the ``with`` block stops it."""

    base_url: str
    describe: str
    _process: subprocess.Popen[str] = field(repr=False)

    @classmethod
    def start(
        cls,
        files: ModelFiles | None = None,
        *,
        aliases: Sequence[str] = ALIASES,
        n_ctx: int = 2048,
        n_parallel: int = 2,
        ready_within: float = READY_LIMIT,
    ) -> Self:
        """Start llama.cpp in a process of its own and wait until it answers.

        Args:
            files: what to run; fetched when it is not given.
            aliases: the model names it lists.
            n_ctx: the context in tokens, shared by the calls answered at once.
            n_parallel: how many calls are answered at once.
            ready_within: seconds until it must answer.

        Returns:
            The model; ``base_url`` ends before ``/v1``.

        Raises:
            ModelUnavailable: it cannot be fetched, does not start, or is not ready in time.
        """
        files = files or fetch_model()
        settings = {
            "folder": str(files.folder),
            "weights": str(files.weights),
            "aliases": list(aliases),
            "n_ctx": n_ctx,
            "n_parallel": n_parallel,
            "max_tokens": _MAX_TOKENS,
        }
        deadline = time.monotonic() + ready_within
        with tempfile.TemporaryFile() as complaints:
            process = _spawn(settings, complaints)
            try:
                base_url = _address(process, complaints, deadline)
                _await_health(base_url, deadline)
            except BaseException:
                process.kill()
                _end(process)
                raise
        return cls(base_url, f"{files.weights.name.split('.')[0]} on llama.cpp", process)

    def stop(self) -> None:
        """Stop llama.cpp and wait until it is gone; answers under way are cut off."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _spawn(settings: dict[str, Any], complaints: IO[bytes]) -> subprocess.Popen[str]:
    # -I: neither the working directory nor PYTHONPATH may bring another xllamacpp.
    command = [sys.executable, "-I", str(_SERVER), json.dumps(settings)]
    try:
        return subprocess.Popen(  # noqa: S603 - our own command, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ModelUnavailable(f"llama.cpp could not be started: {error}.") from error


def _address(process: subprocess.Popen[str], complaints: IO[bytes], deadline: float) -> str:
    """Wait for the line that says where llama.cpp listens."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    try:
        line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise ModelUnavailable("llama.cpp was not ready in time.") from None
    if line:
        return str(json.loads(line)["base_url"])
    code = process.wait()
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").strip().splitlines()
    detail = f": {said[-1]}" if said else ""
    raise ModelUnavailable(f"llama.cpp ended while it started, with code {code}{detail}")


def _read(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str]") -> None:
    """Pass on the lines of JSON, and an empty one at the end; nothing may fill the pipe."""
    assert process.stdout is not None  # noqa: S101 - asked for when it was started
    with process.stdout as output:
        for line in output:
            if line.startswith("{"):
                lines.put(line)
    lines.put("")


def _await_health(base_url: str, deadline: float) -> None:
    parts = urlsplit(base_url)
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise ModelUnavailable("llama.cpp was not ready in time.")


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
