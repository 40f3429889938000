"""Where the benchmark keeps things."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CACHE: Final = ROOT / ".cache" / "bench"
"""Installed peers, tokens, logs, and the results of runs that are not whole; git ignores it."""
RUN: Final = CACHE / "run"
"""Configurations and logs of the run that goes on."""
RESULTS: Final = ROOT / "bench" / "results"
"""Results of whole runs, to be kept."""
PAGE: Final = ROOT / "docs" / "performance.md"


def shown(path: Path) -> str:
    """A path as it may be printed: from the root of the project."""
    return str(path.relative_to(ROOT))
