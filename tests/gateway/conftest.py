"""One upstream and one gateway for all tests of this folder; what they keep is forgotten."""

import logging

import pytest

from tests.parts.clock import Asyncio

from .parts import serving
from .parts.upstream import running as upstream_running


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": Asyncio}


@pytest.fixture(scope="session")
def the_upstream():
    with upstream_running() as running:
        yield running


@pytest.fixture(scope="session")
def the_gateway(the_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    with serving.running(folder, serving.configuration(folder, the_upstream.url)) as running:
        yield running


@pytest.fixture
def upstream(the_upstream):
    """The upstream, with nothing received yet."""
    the_upstream.forget()
    return the_upstream


@pytest.fixture
def gateway(the_gateway, upstream):
    """The gateway, with its upstream as new."""
    return the_gateway


@pytest.fixture(autouse=True)
def never_a_traceback(caplog):
    """Whatever a client or an upstream does, the gateway itself has no fault to report."""
    caplog.set_level(logging.INFO)
    yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert record.exc_info is None, record.getMessage()
            assert record.levelno < logging.ERROR, record.getMessage()
