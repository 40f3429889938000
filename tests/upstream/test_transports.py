"""Each destination gets the transport that it asks for."""

import subprocess
import sys
from dataclasses import replace

import pytest

from rolecall.core import Reason
from rolecall.upstream import Transports

from .http2.parts.server import serving as serving2
from .parts.exchange import body_of, outcome, request
from .parts.server import serving


def http2_request(url):
    asked = request(url)
    asked.destination = replace(asked.destination, transport="http2")
    return asked


async def test_a_destination_chooses_its_transport():
    transports = Transports()
    async with serving() as one, serving2() as two:
        for _ in range(2):
            assert await body_of(transports, request(f"{one.url}/own")) == b"own /own {}"
            assert await body_of(transports, http2_request(f"{two.url}/own")) == b"own /own {}"
        assert (len(one.requests), len(two.requests)) == (2, 2)
        await transports.close()
        await one.peers[0].gone.wait()
        await two.peers[0].gone.wait()


@pytest.mark.parametrize("used", [False, True])
async def test_after_the_end_neither_opens_a_connection(used):
    transports = Transports()
    async with serving() as one, serving2() as two:
        if used:
            await body_of(transports, http2_request(two.url))
        await transports.close()
        for asked in (request(one.url), http2_request(two.url)):
            assert await outcome(transports, asked) is Reason.UPSTREAM_UNAVAILABLE
        assert len(two.requests) == used


def test_http2_is_loaded_when_it_is_needed():
    """Start-up does not pay for it."""
    code = "import rolecall.cli.serve, rolecall.gateway, sys; print('h2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
