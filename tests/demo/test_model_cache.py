from pathlib import Path

import pytest

from rolecall.demo.model.cache import cache_folder

HOME = Path("/home/alice").absolute()
OTHER = Path("/elsewhere").absolute()


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", HOME / ".cache" / "rolecall"),
        ({}, "darwin", HOME / "Library" / "Caches" / "rolecall"),
        ({}, "win32", HOME / "AppData" / "Local" / "rolecall" / "Cache"),
        ({"LOCALAPPDATA": str(OTHER)}, "win32", OTHER / "rolecall" / "Cache"),
        ({"XDG_CACHE_HOME": str(OTHER)}, "linux", OTHER / "rolecall"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", HOME / ".cache" / "rolecall"),
        ({"ROLECALL_CACHE": str(OTHER), "XDG_CACHE_HOME": "/unused"}, "darwin", OTHER),
    ],
)
def test_the_cache_folder_follows_the_platform(environ, platform, expected):
    assert cache_folder(environ, platform=platform, home=HOME) == expected


def test_the_users_home_is_looked_up(monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: HOME)
    assert cache_folder({}, platform="linux") == HOME / ".cache" / "rolecall"
