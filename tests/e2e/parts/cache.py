"""The folder that keeps what the real parts download, out of version control."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
CACHE = REPOSITORY / ".cache"


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Hold a lock of that name, so that two test runs do not install the same part at once."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
