"""Many requests among many faults: each gets what is its own, and nothing is left behind.

``ROLECALL_SOAK`` is the number of requests (3,000), ``ROLECALL_STREAMS`` that of streams at once
(500); a real soak is 200,000 and 5,000.
"""

import asyncio
import gc
import os
import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rolecall.config import Timeouts
from rolecall.core import Reason
from rolecall.upstream.http1 import Http1Transport
from rolecall.upstream.http1.pool import MOST_IDLE
from tests.parts.waiting import rounds, until

from ..parts.exchange import PATIENT, Answer, come_to, outcome, request
from ..parts.server import serving
from .parts.transcripts import BAD, CHUNKED, OK

REQUESTS = int(os.environ.get("ROLECALL_SOAK", "3000"))
STREAMS = int(os.environ.get("ROLECALL_STREAMS", "500"))
AT_ONCE = 64
HASTY = Timeouts(connect=10, first_byte=0.05, stream=0.05, idle=0.05, total=10)
BROKEN = [transcript.sent for transcript in BAD if len(transcript.sent) < 5_000]


def whole(own):
    return OK + b"Content-Length: %d\r\n\r\n%b" % (len(own), own)


@dataclass(frozen=True)
class Kind:
    """How an upstream answers: what it sends, what it does then, and what must come of it."""

    sends: Callable[[bytes], bytes]
    then: str | None
    outcome: Reason | None = None


ERROR, LATE = Reason.UPSTREAM_ERROR, Reason.UPSTREAM_TIMEOUT
KINDS = {
    "length": Kind(whole, None),
    "chunked": Kind(lambda own: CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(own), own), None),
    "close": Kind(
        lambda own: whole(own).replace(b"\r\n", b"\r\nConnection: close\r\n", 1), "close"
    ),
    "until close": Kind(lambda own: OK + b"\r\n" + own, "close"),
    "two answers": Kind(lambda own: whole(own) * 2, "until_closed"),
    "hang-up": Kind(whole, "close"),
    "reset": Kind(lambda own: whole(own)[:-1], "reset", ERROR),
    "cut": Kind(lambda own: whole(own)[:-1], "close", ERROR),
    "broken": Kind(lambda own: BROKEN[len(own) % len(BROKEN)], "until_closed", ERROR),
    "stall in the head": Kind(lambda _: OK, "until_closed", LATE),
    "stall in the body": Kind(lambda own: whole(own)[:-1], "until_closed", LATE),
    "cancelled": Kind(lambda _: b"", "until_closed"),
}


async def misbehave(peer, received):
    """Answer ``/kind`` in its kind of way, with the request's own body, in two pieces."""
    kind = KINDS[received.path[1:].replace("%20", " ")]
    data = kind.sends(received.body)
    half = len(received.body) % (len(data) + 1)
    await peer.send(data[:half])
    await asyncio.sleep(0)
    await peer.send(data[half:])
    if kind.then == "until_closed":
        await peer.until_closed()
    elif kind.then is not None:
        getattr(peer, kind.then)()


def resident():
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.takes(120 + REQUESTS / 100)
async def test_nothing_is_confused_and_nothing_is_left(descriptors):
    chance = random.Random(1)
    names = ["length"] * 60 + ["chunked"] * 20 + sorted(set(KINDS) - {"length", "chunked"})

    async def one(number):
        name = chance.choice(names)
        expected = KINDS[name].outcome
        own = b"%d:" % number * chance.randrange(1, 400)
        url = f"{server.url}/{name.replace(' ', '%20')}"
        # all that can be too late is to be
        asked = request(url, own, timeouts=HASTY if expected is LATE else PATIENT)
        asking = asyncio.create_task(outcome(transport, asked))
        if name == "cancelled":
            await asyncio.sleep(chance.random() * 0.01)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()
        elif expected is None:
            got = await asking
            assert isinstance(got, Answer), (name, got)
            assert got.body == own
        else:
            assert await asking is expected, name

    async def worker(numbers):
        for number in numbers:
            await one(number)

    async def all_of(numbers):
        async with asyncio.TaskGroup() as workers:
            for _ in range(AT_ONCE):
                workers.create_task(worker(numbers))

    # the first fifth warms everything up
    transport = Http1Transport()
    async with serving(misbehave, keeping=False) as server:
        await all_of(iter(range(REQUESTS // 5)))
        await transport.close()
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    await rounds(100)
    gc.collect()
    before = descriptors()
    tracemalloc.start()
    memory, size = tracemalloc.get_traced_memory()[0], resident()
    transport = Http1Transport()
    async with serving(misbehave, keeping=False) as server:
        await all_of(iter(range(REQUESTS)))
        await until(lambda: len(set(transport.counts())) == 1)
        assert transport.counts()[0] <= AT_ONCE
        await transport.close()
        assert transport.counts() == (0, 0)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    await until(lambda: descriptors() <= before)
    gc.collect()
    grown, bigger = tracemalloc.get_traced_memory()[0] - memory, resident() - size
    tracemalloc.stop()
    print(  # noqa: T201 - what a long soak is run for
        f"{REQUESTS} requests: traced memory {grown:+,} bytes, resident {bigger:+,} bytes"
    )
    assert grown < 2_000_000
    assert bigger < 64_000_000


@pytest.mark.takes(120 + STREAMS / 10)
async def test_streams_at_once_keep_to_themselves(transport, descriptors):
    async def stream(peer, received):
        await peer.send(CHUNKED)
        if len(server.requests) == STREAMS:
            all_began.set()
        for number in range(10):
            piece = b"%b-%d;" % (received.body, number)
            await peer.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            await turn.wait()
            await asyncio.sleep(0)
        await peer.send(b"0\r\n\r\n")

    async def one(number):
        asked = request(server.url, b"%d" % number, stream=True)
        return await outcome(transport, asked)

    turn, all_began = asyncio.Event(), asyncio.Event()
    before = descriptors()
    if before + 2 * STREAMS + 100 > _most_descriptors():
        pytest.skip(f"{STREAMS} streams need more descriptors than this process may open")
    async with serving(stream) as server:
        asking = [asyncio.create_task(one(number)) for number in range(STREAMS)]
        await all_began.wait()
        assert transport.counts() == (STREAMS, 0)
        turn.set()
        got = await asyncio.gather(*asking)
        for number, answer in enumerate(got):
            assert answer.body == b"".join(b"%d-%d;" % (number, piece) for piece in range(10))
        await come_to(transport, min(STREAMS, MOST_IDLE), min(STREAMS, MOST_IDLE))
        await transport.close()


def _most_descriptors():
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
