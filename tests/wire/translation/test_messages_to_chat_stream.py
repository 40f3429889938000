from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from rolecall.wire import sse, strict_json
from rolecall.wire.translation import UpstreamFormatError, messages_answers_to_chat

CREATED = 1_700_000_000
USAGE = {"input_tokens": 12, "cache_read_input_tokens": 100, "output_tokens": 1}
WITH_USAGE = {"stream_options": {"include_usage": True}}
BROKEN_OFF = {
    "error": {
        "message": "The upstream's answer broke off before it was complete.",
        "type": "api_error",
        "param": None,
        "code": "upstream_error",
    }
}


def written(*events):
    return b"".join(
        sse.encode(sse.Event(event["type"], strict_json.dumps(event))) for event in events
    )


def start(**fields):
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-5-haiku-20241022",
        "content": [],
        "stop_reason": None,
        "usage": USAGE,
        **fields,
    }
    return {"type": "message_start", "message": message}


def block(index, kind, *deltas, **fields):
    content_block = {"type": kind, **fields}
    return [
        {"type": "content_block_start", "index": index, "content_block": content_block},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def text(words):
    return {"type": "text_delta", "text": words}


def fragment(partial_json):
    return {"type": "input_json_delta", "partial_json": partial_json}


def thought(words):
    return {"type": "thinking_delta", "thinking": words}


def stop(reason="end_turn", **usage):
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage},
        {"type": "message_stop"},
    ]


PING = {"type": "ping"}
TOOL = {"id": "toolu_01", "name": "get_weather", "input": {}}
ROLE = {"role": "assistant", "content": "", "refusal": None}


def opened(index=0, id="toolu_01", name="get_weather"):  # noqa: A002
    function = {"name": name, "arguments": ""}
    return {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}


def arguments(words, index=0):
    return {"tool_calls": [{"index": index, "function": {"arguments": words}}]}


TRANSCRIPTS = {
    "words": (
        [start(), *block(0, "text", text("Hel"), text("lo ✓"), text=""), *stop()],
        [{"content": "Hel"}, {"content": "lo ✓"}],
        "stop",
    ),
    "pings and events of tomorrow are passed over": (
        [
            start(),
            PING,
            {"type": "something_new", "index": 0},
            *block(
                0, "text", text("a"), {"type": "citations_delta"}, {"type": "new_delta"}, text=""
            ),
            PING,
            *stop("max_tokens"),
        ],
        [{"content": "a"}],
        "length",
    ),
    "words that come with the start of a block": (
        [start(), *block(0, "text", text("b"), text="a"), *stop()],
        [{"content": "a"}, {"content": "b"}],
        "stop",
    ),
    "a call in fragments after words": (
        [
            start(),
            *block(0, "text", text("Let me see."), text=""),
            *block(
                1, "tool_use", fragment(""), fragment('{"city": "Pa'), fragment('ris"}'), **TOOL
            ),
            *stop("tool_use"),
        ],
        [{"content": "Let me see."}, opened(), arguments('{"city": "Pa'), arguments('ris"}')],
        "tool_calls",
    ),
    "calls are counted without the blocks between": (
        [
            start(),
            *block(3, "tool_use", fragment("{}"), **TOOL),
            *block(4, "text", text("and"), text=""),
            *block(5, "tool_use", fragment('{"a":0.2}'), id="toolu_02", name="f", input={}),
            *stop("tool_use"),
        ],
        [
            opened(),
            arguments("{}"),
            {"content": "and"},
            opened(1, "toolu_02", "f"),
            arguments('{"a":0.2}', 1),
        ],
        "tool_calls",
    ),
    "a call without a fragment has empty arguments": (
        [start(), *block(0, "tool_use", **TOOL), *stop("tool_use")],
        [opened(), arguments("{}")],
        "tool_calls",
    ),
    "a call with an empty fragment has empty arguments": (
        [start(), *block(0, "tool_use", fragment(""), **TOOL), *stop("tool_use")],
        [opened(), arguments("{}")],
        "tool_calls",
    ),
    "an input that comes with the start of a block": (
        [start(), *block(0, "tool_use", **{**TOOL, "input": {"a": 1.0}}), *stop("tool_use")],
        [opened(), arguments('{"a":1.0}')],
        "tool_calls",
    ),
    "a block that is not stopped before the message": (
        [start(), *block(0, "tool_use", **TOOL)[:-1], *stop("tool_use")],
        [opened(), arguments("{}")],
        "tool_calls",
    ),
    "blocks that take turns": (
        [
            start(),
            block(0, "tool_use", **TOOL)[0],
            block(1, "tool_use", **{**TOOL, "id": "toolu_02"})[0],
            {"type": "content_block_delta", "index": 1, "delta": fragment('{"b":1}')},
            {"type": "content_block_delta", "index": 0, "delta": fragment('{"a":1}')},
            {"type": "content_block_stop", "index": 1},
            {"type": "content_block_stop", "index": 0},
            *stop("tool_use"),
        ],
        [opened(), opened(1, "toolu_02"), arguments('{"b":1}', 1), arguments('{"a":1}')],
        "tool_calls",
    ),
    "signed thoughts": (
        [
            start(),
            *block(
                0,
                "thinking",
                thought("Hm"),
                thought("."),
                {"type": "signature_delta", "signature": "c2ln"},
                thinking="",
                signature="",
            ),
            *block(1, "redacted_thinking", data="eHg="),
            *block(2, "text", text("a"), text=""),
            *stop(),
        ],
        [
            {"reasoning_content": "Hm"},
            {"reasoning_content": "."},
            {"thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}]},
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "eHg="}]},
            {"content": "a"},
        ],
        "stop",
    ),
    "what Anthropic's own tools do is passed over": (
        [
            start(),
            *block(0, "server_tool_use", fragment('{"query":"x"}'), id="s", name="web_search"),
            *block(1, "web_search_tool_result", content=[]),
            *block(2, "text", text("a"), text=""),
            *stop("pause_turn"),
        ],
        [{"content": "a"}],
        "stop",
    ),
    "a refusal without a word": ([start(), *stop("refusal")], [], "content_filter"),
}


def translated(pieces, body=WITH_USAGE):
    """What the caller is sent, whether or not the upstream kept to its format."""
    stream = messages_answers_to_chat(body, created=CREATED).stream()
    out = []
    try:
        for piece in pieces:
            out.append(stream.feed(piece))  # noqa: PERF401 - what came before a fault is kept
    except UpstreamFormatError:
        assert stream.feed(b"data: {}\n\n") == b""
    return b"".join([*out, stream.end(), stream.end()])


def chunks(sent):
    events = sse.Decoder().feed(sent)
    assert all(event.event is None for event in events)
    return [
        event.data if event.data == b"[DONE]" else strict_json.loads(event.data) for event in events
    ]


def chunk(delta, reason=None):
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return {
        "id": "chatcmpl-01",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": "claude-3-5-haiku-20241022",
        "choices": [choice],
    }


@pytest.mark.parametrize(("events", "deltas", "reason"), TRANSCRIPTS.values(), ids=TRANSCRIPTS)
def test_a_transcript_becomes_chunks(events, deltas, reason):
    got = chunks(translated([written(*events)], {}))
    assert got == [chunk(ROLE), *map(chunk, deltas), chunk({}, reason), b"[DONE]"]
    for each in got[:-1]:
        ChatCompletionChunk.model_validate(each, strict=True)


def test_usage_comes_last_and_only_where_it_is_wanted():
    events = [start(), *stop(output_tokens=6, input_tokens=None, cache_creation_input_tokens=1)]
    *others, last, done = chunks(translated([written(*events)]))
    assert done == b"[DONE]"
    assert [each["usage"] for each in others] == [None, None]
    assert last["choices"] == []
    assert last["usage"] == {
        "prompt_tokens": 113,
        "completion_tokens": 6,
        "total_tokens": 119,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1},
    }
    ChatCompletionChunk.model_validate(last, strict=True)
    for body in ({}, {"stream_options": None}, {"stream_options": {"include_usage": False}}):
        assert b"usage" not in translated([written(*events)], body)


def test_several_message_deltas_are_united():
    first = {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 3},
    }
    second = {"type": "message_delta", "delta": {"stop_reason": None}}
    got = chunks(translated([written(start(), first, second, {"type": "message_stop"})]))
    assert got[-3]["choices"][0]["finish_reason"] == "tool_calls"
    assert got[-2]["usage"]["completion_tokens"] == 3


@pytest.mark.parametrize(("events", "deltas", "reason"), TRANSCRIPTS.values(), ids=TRANSCRIPTS)
def test_a_truncated_transcript_never_looks_complete(events, deltas, reason):
    for length in range(len(events)):
        got = chunks(translated([written(*events[:length])]))
        assert got[-1] == BROKEN_OFF
        assert all(each["choices"][0]["finish_reason"] is None for each in got[:-1])


def test_a_last_event_without_its_blank_line_is_truncated():
    assert chunks(translated([written(start(), *stop())[:-1]]))[-1] == BROKEN_OFF


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


@pytest.mark.parametrize(
    "before", [[], [start()], [start(), *block(0, "text", text("a"), text="")]]
)
def test_an_error_event_ends_the_stream(before):
    sent = translated([written(*before, OVERLOADED, *stop())])
    shown = {"message": "Overloaded", "type": "overloaded_error", "param": None}
    assert chunks(sent)[-1] == {"error": {**shown, "code": "upstream_error"}}
    assert sent.count(b'"error"') == 1
    assert b"[DONE]" not in sent


def test_nothing_follows_a_complete_answer():
    complete = written(start(), *stop())
    assert (
        translated([complete, complete])
        == translated([complete + complete])
        == translated([complete])
    )


MALFORMED = {
    "no JSON": b"data: {\n\n",
    "no object": b"data: []\n\n",
    "a name twice": b'data: {"type":"x","type":"y"}\n\n',
    "a second start": written(start()),
    "a block without a content block": written({"type": "content_block_start", "index": 1}),
    "a block without a type": written(
        {"type": "content_block_start", "index": 1, "content_block": {}}
    ),
    "an index that is no integer": written(*block("1", "text", text="")),
    "text that is no string": written(*block(1, "text", text(None), text="")),
    "a fragment that is no string": written(*block(1, "tool_use", fragment({}), **TOOL)),
    "a thought that is no string": written(*block(1, "thinking", thought(1), thinking="")),
    "a signature that is no string": written(
        *block(1, "thinking", {"type": "signature_delta"}, thinking="")
    ),
    "a call without a name": written(*block(1, "tool_use", id="toolu_01")),
    "a call without an ID": written(*block(1, "tool_use", name="f")),
    "an input that is no object": written(*block(1, "tool_use", id="a", name="f", input=[])),
    "a delta for a block that is not open": written(block(7, "text", text("a"), text="")[1]),
    "a stop for a block that is not open": written({"type": "content_block_stop", "index": 7}),
    "a delta without a delta": written({"type": "message_delta"}),
    "a usage that is no object": written({"type": "message_delta", "delta": {}, "usage": 1}),
    "counts that are no numbers": written(*stop(output_tokens="6")),
}
BEGUN = written(start(), *block(0, "text", text("a"), text=""))


@pytest.mark.parametrize("event", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_an_error_and_what_came_before_is_not_lost(event):
    stream = messages_answers_to_chat({}, created=CREATED).stream()
    with pytest.raises(UpstreamFormatError):
        stream.feed(BEGUN + event)
    got = chunks(stream.end())
    assert got[:2] == [chunk(ROLE), chunk({"content": "a"})]
    assert got[-1] == BROKEN_OFF


@pytest.mark.parametrize(
    "first",
    [
        written({"type": "message_start"}),
        written(start(id=None)),
        written(start(model=1)),
        written(start(usage=None)),
        written(*block(0, "text", text("a"), text="")),
        written(*stop()),
    ],
)
def test_a_stream_that_does_not_begin_with_a_message_is_malformed(first):
    stream = messages_answers_to_chat({}, created=CREATED).stream()
    with pytest.raises(UpstreamFormatError):
        stream.feed(first)
    assert chunks(stream.end()) == [BROKEN_OFF]


def test_an_event_without_end_is_malformed():
    stream = messages_answers_to_chat({}, created=CREATED).stream()
    mebibyte = b"a" * (1024 * 1024)
    assert b"".join(stream.feed(mebibyte) for _ in range(16)) == b""
    with pytest.raises(UpstreamFormatError, match="longer than"):
        stream.feed(b"a")
    assert chunks(stream.end()) == [BROKEN_OFF]


EVERY_STREAM = {
    **{name: written(*events) for name, (events, _, _) in TRANSCRIPTS.items()},
    **{name: BEGUN + event for name, event in MALFORMED.items()},
    "an error event": BEGUN + written(OVERLOADED),
    "a truncated stream": BEGUN,
    "other line ends": written(*TRANSCRIPTS["words"][0]).replace(b"\n", b"\r\n"),
}


@given(st.sampled_from(sorted(EVERY_STREAM)), st.lists(st.integers(0, 5000), max_size=20))
def test_where_a_stream_is_cut_does_not_matter(name, cuts):
    stream = EVERY_STREAM[name]
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(places)]
    assert translated(pieces) == translated([stream])


@pytest.mark.parametrize("name", EVERY_STREAM)
def test_byte_by_byte_is_the_same_as_at_once(name):
    stream = EVERY_STREAM[name]
    assert translated(bytes([byte]) for byte in stream) == translated([stream])


@pytest.mark.parametrize(("events", "deltas", "reason"), TRANSCRIPTS.values(), ids=TRANSCRIPTS)
def test_a_stream_adds_up_to_the_answer_at_once(events, deltas, reason):
    """The blocks that the events describe, as one message, give what the chunks add up to."""
    blocks = {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif event["type"] == "content_block_delta":
            built, delta = blocks[event["index"]], event["delta"]
            for name in ("text", "thinking", "signature"):
                built[name] = built.get(name, "") + delta.get(name, "")
            built["json"] += delta.get("partial_json", "")
    for built in blocks.values():
        if built["json"]:
            built["input"] = strict_json.loads(built["json"].encode())
    whole = messages_answers_to_chat({}, created=CREATED).answer(
        {**start()["message"], "content": list(blocks.values())}
    )["choices"][0]["message"]
    texts = "".join(delta.get("content", "") for delta in deltas)
    thoughts = "".join(delta.get("reasoning_content", "") for delta in deltas)
    calls = {}
    for entry in (entry for delta in deltas for entry in delta.get("tool_calls", ())):
        calls.setdefault(entry["index"], "")
        calls[entry["index"]] += entry["function"]["arguments"]
    assert texts == (whole["content"] or "")
    assert thoughts == whole.get("reasoning_content", "")
    assert [strict_json.loads(words.encode()) for words in calls.values()] == [
        strict_json.loads(call["function"]["arguments"].encode())
        for call in whole.get("tool_calls", ())
    ]
