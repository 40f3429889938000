"""Virtual environments of peers that come from PyPI."""

import sys
from pathlib import Path

from bench import programs
from bench.peers.peer import Unavailable


def ensure(folder: Path, requirement: str) -> Path:
    """A virtual environment with ``requirement`` in it; its folder of programs.

    Raises:
        Unavailable: the package cannot be had.
    """
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == requirement:
        return folder / "bin"
    try:
        programs.run([sys.executable, "-m", "venv", "--clear", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        programs.run([*pip, "--disable-pip-version-check", requirement])
    except programs.ProgramFailed as error:
        raise Unavailable(f"{requirement} cannot be installed: {error}") from None
    stamp.write_text(requirement, encoding="utf-8")
    return folder / "bin"
