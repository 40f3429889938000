"""Every test of the transport runs on both event loops, and must leave nothing behind.

Both have a clock that a test can put forward.
"""

import os
from pathlib import Path

import pytest

from rolecall.upstream.http1 import Http1Transport
from tests.parts.clock import Asyncio, Uvloop

from .parts.certificates import Authority


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": Asyncio, "uvloop": Uvloop}


@pytest.fixture(autouse=True)
def no_proxy_of_the_machine(monkeypatch):
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
async def transport():
    """A transport; at the end every connection is closed and no task of it runs."""
    transport = Http1Transport()
    yield transport
    await transport.close()
    assert transport.counts() == (0, 0)


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "Rolecall test authority")


@pytest.fixture(scope="session")
def other_authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("other"), "Somebody else's authority")


@pytest.fixture
def descriptors():
    """How many files and sockets this process has open."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open descriptors can be counted on Linux alone")
    return lambda: len(list(folder.iterdir()))
