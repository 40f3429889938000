"""What is written in one round goes out together, in order, each to its own connection."""

import asyncio
import gc
import socket
import weakref

import pytest

from rolecall.upstream import Outbox, outbox


@pytest.fixture
async def pairs():
    """Transports, each with the other end of its connection."""
    loop, made, ends = asyncio.get_running_loop(), [], []
    for _ in range(3):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
        made.append((transport, theirs))
        ends.append(theirs)
    yield made
    for transport, theirs in made:
        transport.abort()
        theirs.close()
    await rounds()


async def rounds(number=4):
    for _ in range(number):
        await asyncio.sleep(0)


def arrived(end):
    try:
        return end.recv(100_000)
    except BlockingIOError:
        return b""


async def test_what_is_written_in_one_round_arrives_soon_and_in_order(pairs):
    box = Outbox()
    for number in range(3):
        for transport, _ in pairs:
            box.write(transport, b"%d;" % number)
    assert [arrived(end) for _, end in pairs] == [b""] * 3
    await rounds()
    assert [arrived(end) for _, end in pairs] == [b"0;1;2;"] * 3


async def test_nothing_goes_out_before_the_loop_has_looked_at_its_connections(pairs):
    """An answer that is there by then is no answer to what has not been sent."""
    box, seen = Outbox(), []
    (transport, end), (other, far), *_ = pairs

    class Reader(asyncio.Protocol):
        def data_received(self, data):
            seen.append((data, arrived(end)))

    other.set_protocol(Reader())
    far.send(b"early")
    box.write(transport, b"late")
    await rounds()
    assert seen == [(b"early", b"")]
    assert arrived(end) == b"late"


async def test_it_can_be_told_not_to_wait(pairs):
    box = Outbox()
    transport, end = pairs[0]
    box.write(transport, b"one")
    before = box.rounds
    box.flush()
    assert box.rounds == before + 1
    box.write(transport, b"two")
    await rounds()
    assert arrived(end) == b"onetwo"


async def test_what_is_written_while_it_writes_comes_after(pairs):
    box = Outbox()
    (transport, end), *_ = pairs

    class Eager:
        """A transport whose owner writes again as soon as it has been written to."""

        def is_closing(self):
            return False

        def write(self, _):
            box.write(transport, b"again")

    box.write(Eager(), b"")
    box.write(transport, b"first,")
    await rounds(8)
    assert arrived(end) == b"first,again"


async def test_a_connection_that_is_gone_takes_nothing_from_the_others(pairs):
    box = Outbox()
    (gone, _), (kept, end), *_ = pairs
    box.write(gone, b"nobody")
    box.write(kept, b"somebody")
    gone.abort()
    await rounds()
    assert arrived(end) == b"somebody"


async def test_a_loop_has_one_and_takes_it_along():
    loop = asyncio.get_running_loop()
    assert outbox(loop) is outbox(loop)
    other = asyncio.new_event_loop()
    kept = weakref.ref(other)
    assert outbox(other) is not outbox(loop)
    other.close()
    del other
    gc.collect()
    assert kept() is None
