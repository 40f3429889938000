"""What the tests of the signature step run against."""

import pytest

from rolecall.identity import signature
from tests.parts.clock import Asyncio

from .parts import gate, pyjwt_signature

LIBRARIES = {"joserfc": signature.verify, "PyJWT": pyjwt_signature.verify}


def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": Asyncio}


@pytest.fixture(params=LIBRARIES)
def verify(request, monkeypatch):
    """The signature step, made with each library in turn; gates are made with it too."""
    chosen = LIBRARIES[request.param]
    monkeypatch.setattr(gate, "VERIFY", chosen)
    return chosen
