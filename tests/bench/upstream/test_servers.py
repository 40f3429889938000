"""The mock providers and the key server, a connection at a time."""

import pytest

from bench.upstream import answers
from bench.upstream.events import Events
from bench.upstream.keys import Keys

PAID = f"authorization: Bearer {answers.PROVIDER_KEY}\r\n"


def ask(connection, wire, body, headers=PAID):
    head = f"POST /v1/chat/completions HTTP/1.1\r\n{headers}content-length: {len(body)}\r\n\r\n"
    connection.connection_made(wire)
    connection.data_received(head.encode())
    connection.data_received(body)
    return wire.written.partition(b"\r\n\r\n")


@pytest.mark.parametrize("body", [b'{"stream": true}', b'{"stream":true,"model":"m"}'])
async def test_a_stream_begins_with_its_first_event(wire, body):
    head, _, events = ask(Events(), wire, body)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding: chunked" in head
    assert events.endswith(answers.event(0) + b"\r\n")


async def test_who_asks_for_no_stream_gets_a_whole_answer(wire):
    head, _, body = ask(Events(), wire, b'{"stream": false}')
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == answers.COMPLETION.encode()


@pytest.mark.parametrize("headers", ["", "authorization: Bearer of.the.caller\r\n"])
async def test_a_token_that_was_not_swapped_is_refused(wire, headers):
    head, _, _ = ask(Events(), wire, b'{"stream": true}', headers)
    assert head.startswith(b"HTTP/1.1 401 ")


async def test_keys_are_read_for_each_answer(wire, tmp_path):
    path = tmp_path / "jwks.json"
    tally = tmp_path / "asked"
    keys = Keys(path, tally)
    for text in ('{"keys": []}', '{"keys": [{}]}'):
        path.write_text(text)
        ask(keys, wire, b"")
        assert wire.written.endswith(text.encode())
    assert tally.stat().st_size == 2


async def test_without_its_file_the_key_server_hangs(wire, tmp_path):
    ask(Keys(tmp_path / "jwks.json", tmp_path / "asked"), wire, b"")
    assert wire.written == b""
    assert not wire.closed
