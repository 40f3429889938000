"""Whether a file has changed since it was read."""

from pathlib import Path

FileState = tuple[int, int, int] | None


def file_state(file: Path) -> FileState:
    """What tells whether a file has changed; None where there is none."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
