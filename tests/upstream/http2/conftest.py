"""The transport of these tests is the one on HTTP/2."""

import pytest

from rolecall.upstream.http2 import Http2Transport


@pytest.fixture
async def transport():
    """A transport; at the end every connection is closed and no task of it runs."""
    transport = Http2Transport()
    yield transport
    await transport.close()
    assert transport.counts() == (0, 0)
