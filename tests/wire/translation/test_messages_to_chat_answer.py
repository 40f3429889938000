import pytest
from openai.types.chat import ChatCompletion

from rolecall.wire import strict_json
from rolecall.wire.translation import UpstreamFormatError, messages_answers_to_chat

CREATED = 1_700_000_000
USAGE = {"input_tokens": 12, "output_tokens": 6}


def message(*content, **fields):
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-5-haiku-20241022",
        "content": list(content),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": USAGE,
        **fields,
    }


def text(words):
    return {"type": "text", "text": words}


def use(value, **fields):
    return {"type": "tool_use", "id": "toolu_01", "name": "get_weather", "input": value, **fields}


def answer(*content, **fields):
    completion = messages_answers_to_chat({}, created=CREATED).answer(message(*content, **fields))
    ChatCompletion.model_validate(completion, strict=True)
    return completion


def test_a_plain_answer():
    assert answer(text("Hi!")) == {
        "id": "chatcmpl-01",
        "object": "chat.completion",
        "created": CREATED,
        "model": "claude-3-5-haiku-20241022",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi!", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 12,
            "completion_tokens": 6,
            "total_tokens": 18,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        },
    }


def call(arguments, id="toolu_01"):  # noqa: A002
    function = {"name": "get_weather", "arguments": arguments}
    return {"id": id, "type": "function", "function": function}


CONTENTS = {
    "texts are joined": ([text("a"), text("b")], {"content": "ab"}),
    "nothing at all": ([], {"content": ""}),
    "a call alone": (
        [use({"city": "Paris"})],
        {"content": None, "tool_calls": [call('{"city":"Paris"}')]},
    ),
    "words and two calls": (
        [text("Let me see."), use({}), use({"a": [1]}, id="toolu_02")],
        {
            "content": "Let me see.",
            "tool_calls": [call("{}"), call('{"a":[1]}', id="toolu_02")],
        },
    ),
    "signed thoughts": (
        [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}, text("a")],
        {
            "content": "a",
            "reasoning_content": "Hm.",
            "thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}],
        },
    ),
    "thoughts without a signature": (
        [{"type": "thinking", "thinking": "Hm."}, text("a")],
        {"content": "a", "reasoning_content": "Hm."},
    ),
    "redacted thoughts": (
        [{"type": "redacted_thinking", "data": "eHg="}, text("a")],
        {"content": "a", "thinking_blocks": [{"type": "redacted_thinking", "data": "eHg="}]},
    ),
    "what Anthropic's own tools did": (
        [
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
            {"type": "something_new"},
            text("a"),
        ],
        {"content": "a"},
    ),
}


@pytest.mark.parametrize(("content", "wanted"), CONTENTS.values(), ids=CONTENTS)
def test_content_becomes_a_message(content, wanted):
    wanted = {"role": "assistant", "refusal": None, **wanted}
    assert answer(*content)["choices"][0]["message"] == wanted


@pytest.mark.parametrize("number", ["0.2", "1.0", "12345678901234567890123", "1e-7", "-0.0"])
def test_numbers_of_a_call_keep_their_value(number):
    sent = strict_json.loads(f'{{"n":{number}}}'.encode())
    arguments = answer(use(sent))["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert repr(strict_json.loads(arguments.encode())) == repr(sent)


@pytest.mark.parametrize(
    ("stop_reason", "finish_reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        (None, "stop"),
        (["end_turn"], "stop"),
    ],
)
def test_every_stop_reason_has_its_word(stop_reason, finish_reason):
    assert answer(stop_reason=stop_reason)["choices"][0]["finish_reason"] == finish_reason


def test_what_a_cache_gave_and_took_is_part_of_the_prompt():
    usage = {
        **USAGE,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000,
        "output_tokens_details": {"thinking_tokens": 4},
    }
    assert answer(usage=usage)["usage"] == {
        "prompt_tokens": 1112,
        "completion_tokens": 6,
        "total_tokens": 1118,
        "prompt_tokens_details": {"cached_tokens": 100, "cache_write_tokens": 1000},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }


def test_counts_that_are_null_are_zero():
    usage = {**USAGE, "cache_read_input_tokens": None, "output_tokens_details": None}
    assert answer(usage=usage)["usage"]["total_tokens"] == 18


MALFORMED = {
    "no object": ([], "the answer"),
    "null": (None, "the answer"),
    "an error": ({"type": "error", "error": {}}, "id"),
    "an ID that is no string": (message(id=1), "id"),
    "no model": (message(model=None), "model"),
    "content that is no array": (message(content="hi"), "content"),
    "a block that is no object": (message("hi"), r"content\[0\]"),
    "text that is no string": (message(text(None)), r"content\[0\].text"),
    "a call without an ID": (message(use({}, id=None)), r"content\[0\].id"),
    "a call without a name": (message(use({}, name=1)), r"content\[0\].name"),
    "input that is no object": (message(text("a"), use("{}")), r"content\[1\].input"),
    "a thought that is no string": (message({"type": "thinking"}), r"content\[0\].thinking"),
    "no usage": (message(usage=None), "usage"),
    "a count that is no integer": (message(usage={"input_tokens": "1"}), "input_tokens"),
    "a count below zero": (message(usage={"output_tokens": -1}), "output_tokens"),
    "a count that is a boolean": (message(usage={"output_tokens": True}), "output_tokens"),
    "details that are no object": (
        message(usage={"output_tokens_details": 1}),
        "output_tokens_details",
    ),
}


@pytest.mark.parametrize(("body", "place"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_answer_is_named(body, place):
    with pytest.raises(UpstreamFormatError, match=f"^{place} is not"):
        messages_answers_to_chat({}, created=CREATED).answer(body)
