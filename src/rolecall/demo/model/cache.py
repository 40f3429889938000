"""Where downloads are kept between runs."""

import sys
from collections.abc import Mapping
from pathlib import Path


def cache_folder(
    environ: Mapping[str, str], *, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Name the folder; it need not exist.

    Args:
        environ: ``ROLECALL_CACHE`` names the folder itself; ``XDG_CACHE_HOME`` (when absolute,
            as the XDG base directory specification wants it) and ``LOCALAPPDATA`` its parent.
        platform: as ``sys.platform``.
        home: the user's home; looked up when it is not given.
    """
    if chosen := environ.get("ROLECALL_CACHE"):
        return Path(chosen).expanduser().absolute()
    if (xdg := environ.get("XDG_CACHE_HOME")) and Path(xdg).is_absolute():
        return Path(xdg) / "rolecall"
    home = home or Path.home()
    if platform == "darwin":
        return home / "Library" / "Caches" / "rolecall"
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / "rolecall" / "Cache"
    return home / ".cache" / "rolecall"
