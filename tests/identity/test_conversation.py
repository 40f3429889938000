"""A connection carries one request at a time, and its answer is whole, small, and its own."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from rolecall.identity.conversation import Broken, Conversation, Unanswered

GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
CLOSING = b"HTTP/1.1 200 OK\r\n\r\n{}"
REQUEST = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class Server:
    """It sends the next of its wires whenever a request has come; None hangs up."""

    def __init__(self, *wires):
        self.wires = list(wires)
        self.gone = asyncio.Event()

    async def speak(self, reader, writer):
        try:
            while self.wires:
                await reader.readuntil(b"\r\n\r\n")
                wire = self.wires.pop(0)
                if wire is None:
                    break
                writer.write(wire)
                if wire == CLOSING:
                    break
            else:
                await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self.gone.set()


@asynccontextmanager
async def conversing(*wires):
    speaker = Server(*wires)
    server = await asyncio.start_server(speaker.speak, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    async with server:
        _, conversation = await loop.create_connection(
            lambda: Conversation(loop), *server.sockets[0].getsockname()
        )
        conversation.server = speaker
        try:
            yield conversation
        finally:
            conversation.close()
            await speaker.gone.wait()


async def test_a_connection_carries_one_request_after_another():
    async with conversing(GOOD, GOOD) as conversation:
        for _ in range(2):
            answer = await conversation.ask(REQUEST)
            assert (answer.status, answer.headers, answer.body) == (
                200,
                {"content-length": "2"},
                b"{}",
            )
            assert conversation.usable


async def test_an_answer_without_a_length_ends_with_its_connection():
    async with conversing(CLOSING) as conversation:
        assert (await conversation.ask(REQUEST)).body == b"{}"
        assert not conversation.usable


async def test_interim_answers_are_passed_over():
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    async with conversing(interim + GOOD) as conversation:
        answer = await conversation.ask(REQUEST)
    assert (answer.status, answer.headers) == (200, {"content-length": "2"})


async def test_values_of_one_name_are_joined():
    wire = GOOD.replace(b"OK\r\n", b"OK\r\nA: 1\r\na: 2\r\n")
    async with conversing(wire) as conversation:
        assert (await conversation.ask(REQUEST)).headers["a"] == "1, 2"


USELESS = {
    "a redirect": b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 99\r\n\r\n",
    "compressed": b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\n",
}


@pytest.mark.parametrize("wire", USELESS.values(), ids=USELESS)
async def test_the_body_of_a_useless_answer_is_not_waited_for(wire):
    async with conversing(wire) as conversation:
        assert (await conversation.ask(REQUEST)).body == b""
        assert not conversation.usable


BROKEN = {
    "no HTTP": (b"SSH-2.0-OpenSSH\r\n\r\n", "not good HTTP"),
    "another protocol": (
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        "not good HTTP",
    ),
    "a long head": (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", "too long"),
    "a long body": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\n" + b" " * 1_500_000,
        "more than 1048576 bytes",
    ),
}


@pytest.mark.parametrize(("wire", "why"), BROKEN.values(), ids=BROKEN)
async def test_an_answer_that_cannot_be_used_ends_the_connection(wire, why):
    async with conversing(wire) as conversation:
        with pytest.raises(Broken, match=why):
            await conversation.ask(REQUEST)
        assert not conversation.usable


async def test_who_is_cut_off_without_a_byte_may_ask_again():
    async with conversing(None) as conversation:
        with pytest.raises(Unanswered):
            await conversation.ask(REQUEST)
        with pytest.raises(Unanswered):
            await conversation.ask(REQUEST)


async def test_what_nobody_has_asked_for_is_nobody_s_answer():
    """Response smuggling: the rest of one answer must not be the next one's."""
    async with conversing(GOOD + GOOD.replace(b"{}", b"[]"), GOOD) as conversation:
        assert (await conversation.ask(REQUEST)).body == b"{}"
        assert not conversation.usable


async def test_who_gives_up_ends_the_connection():
    async with conversing(b"HTTP/1.1 200 OK\r\n") as conversation:
        asking = asyncio.create_task(conversation.ask(REQUEST))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await conversation.server.gone.wait()
        assert not conversation.usable
