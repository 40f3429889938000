from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Reason, Refusal
from rolecall.wire.translation import DEFAULT_MAX_TOKENS, chat_to_messages

MODEL = "claude-3-5-haiku-20241022"
HI = [{"role": "user", "content": "hi"}]
PLAIN = {
    "model": MODEL,
    "max_tokens": DEFAULT_MAX_TOKENS,
    "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
}


def test_a_plain_question(translated):
    assert translated() == PLAIN


def test_the_body_is_not_changed():
    body = {
        "messages": [{"role": "user", "content": "hi", "cache_control": {"type": "ephemeral"}}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "parallel_tool_calls": False,
        "stop": ["a"],
    }
    sent = deepcopy(body)
    chat_to_messages(body, model=MODEL)
    assert body == sent


FIELDS = {
    "max_tokens": ({"max_tokens": 20}, {"max_tokens": 20}),
    "max_completion_tokens": ({"max_completion_tokens": 20}, {"max_tokens": 20}),
    "both limits, the same": ({"max_tokens": 5, "max_completion_tokens": 5}, {"max_tokens": 5}),
    "a limit beside null": ({"max_tokens": None, "max_completion_tokens": 5}, {"max_tokens": 5}),
    "temperature": ({"temperature": 0.2}, {"temperature": 0.2}),
    "an integer for temperature": ({"temperature": 1}, {"temperature": 1}),
    "top_p": ({"top_p": 0.9}, {"top_p": 0.9}),
    "one stop sequence": ({"stop": "END"}, {"stop_sequences": ["END"]}),
    "stop sequences": ({"stop": ["a", "b "]}, {"stop_sequences": ["a", "b "]}),
    "no stop sequences": ({"stop": []}, {}),
    "user": ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    "safety_identifier": ({"safety_identifier": "s1"}, {"metadata": {"user_id": "s1"}}),
    "safety_identifier succeeds user": (
        {"safety_identifier": "s1", "user": "u1"},
        {"metadata": {"user_id": "s1"}},
    ),
    "stream": ({"stream": True}, {"stream": True}),
    "no stream": ({"stream": False}, {"stream": False}),
    "stream options": (
        {"stream": True, "stream_options": {"include_usage": True}},
        {"stream": True},
    ),
    "tier auto": ({"service_tier": "auto"}, {"service_tier": "auto"}),
    "tier default": ({"service_tier": "default"}, {"service_tier": "standard_only"}),
    "Anthropic's own fields": (
        {"top_k": 40, "cache_control": {"type": "ephemeral"}, "inference_geo": "us"},
        {"top_k": 40, "cache_control": {"type": "ephemeral"}, "inference_geo": "us"},
    ),
    "what OpenAI keeps for itself": (
        {
            "metadata": {"team": "x"},
            "store": True,
            "prediction": {"type": "content", "content": "Hello"},
            "prompt_cache_key": "k",
            "prompt_cache_options": {"mode": "implicit"},
            "prompt_cache_retention": "24h",
        },
        {},
    ),
    "defaults of what cannot be expressed": (
        {
            "n": 1,
            "logprobs": False,
            "top_logprobs": 0,
            "logit_bias": {},
            "presence_penalty": 0.0,
            "frequency_penalty": 0,
            "modalities": ["text"],
            "verbosity": "medium",
            "functions": [],
            "function_call": "none",
        },
        {},
    ),
    "nulls": (
        dict.fromkeys(
            (
                *("n", "logprobs", "top_logprobs", "logit_bias", "presence_penalty", "seed"),
                *("frequency_penalty", "audio", "modalities", "verbosity", "web_search_options"),
                *("moderation", "functions", "function_call", "max_tokens", "temperature"),
                *("top_p", "stop", "user", "stream", "stream_options", "service_tier", "tools"),
                *("tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort"),
                *("safety_identifier", "metadata", "store", "prediction", "prompt_cache_key"),
            )
        ),
        {},
    ),
}


@pytest.mark.parametrize(("fields", "wanted"), FIELDS.values(), ids=FIELDS)
def test_a_field_is_translated(translated, fields, wanted):
    assert translated(fields) == PLAIN | wanted


def test_a_field_that_nobody_knows_is_forwarded():
    request = chat_to_messages({"messages": HI, "guided_choice": ["a"], "new": None}, model=MODEL)
    assert request == PLAIN | {"guided_choice": ["a"], "new": None}


REFUSED = [
    ({"n": 2}, "n"),
    ({"n": True}, "n"),
    ({"logprobs": True}, "logprobs"),
    ({"logprobs": 0}, "logprobs"),
    ({"top_logprobs": 2}, "top_logprobs"),
    ({"logit_bias": {"50256": -100}}, "logit_bias"),
    ({"presence_penalty": 0.1}, "presence_penalty"),
    ({"frequency_penalty": -1}, "frequency_penalty"),
    ({"seed": 0}, "seed"),
    ({"audio": {"voice": "alloy"}}, "audio"),
    ({"modalities": ["text", "audio"]}, "modalities"),
    ({"verbosity": "low"}, "verbosity"),
    ({"web_search_options": {}}, "web_search_options"),
    ({"moderation": {"model": "m"}}, "moderation"),
    ({"functions": [{"name": "f"}]}, "functions"),
    ({"function_call": {"name": "f"}}, "function_call"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_tokens": 1.0}, "max_tokens"),
    ({"max_tokens": True}, "max_tokens"),
    ({"max_completion_tokens": "5"}, "max_completion_tokens"),
    ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
    ({"temperature": 1.5}, "temperature"),
    ({"temperature": -0.1}, "temperature"),
    ({"temperature": True}, "temperature"),
    ({"temperature": "0"}, "temperature"),
    ({"top_p": 2}, "top_p"),
    ({"stop": 1}, "stop"),
    ({"stop": "\n"}, "stop"),
    ({"stop": ["a", ""]}, "stop[1]"),
    ({"stop": ["a", None]}, "stop[1]"),
    ({"user": 1}, "user"),
    ({"safety_identifier": []}, "safety_identifier"),
    ({"service_tier": "flex"}, "service_tier"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": True}, "stream_options"),
    ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
    ({"system": "be brief", "messages": [{"role": "system", "content": "a"}, *HI]}, "system"),
    ({"stop": "a", "stop_sequences": ["b"]}, "stop_sequences"),
    (
        {
            "output_config": {"effort": "low"},
            "response_format": {"type": "json_schema", "json_schema": {"schema": {}}},
        },
        "output_config",
    ),
]


@pytest.mark.parametrize(("fields", "path"), REFUSED)
def test_what_anthropic_cannot_do_is_refused_not_dropped(refused, fields, path):
    assert refused(fields) == path


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "w",
        "parameters": {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CALL = {
    "id": "call_mock1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
}
RESULT = {"role": "tool", "tool_call_id": "call_mock1", "content": "21C"}
CLIENTS = {
    "ai-sdk": {
        "messages": [
            {"role": "user", "content": "w"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            RESULT,
        ],
        "tools": [WEATHER],
        "tool_choice": "auto",
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "litellm": {
        "messages": [
            {"role": "user", "content": "w"},
            {
                "role": "assistant",
                "tool_calls": [CALL],
                "provider_specific_fields": {"refusal": None},
            },
            {**RESULT, "name": "get_weather"},
        ],
        "tools": [WEATHER],
    },
    "openai-python": {
        "messages": [
            {"role": "user", "content": "Say hello"},
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
            RESULT,
        ],
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [{**WEATHER, "function": {**WEATHER["function"], "strict": True}}],
    },
    "opencode": {
        "messages": [
            {
                "role": "system",
                "content": [
                    {"type": "text", "text": "brief", "cache_control": {"type": "ephemeral"}}
                ],
            },
            {"role": "user", "content": "hi", "cache_control": {"type": "ephemeral"}},
        ],
        "max_tokens": 32_000,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
}


@pytest.mark.parametrize("body", CLIENTS.values(), ids=CLIENTS)
def test_what_clients_send_is_what_anthropic_takes(translated, body):
    assert translated(body)["messages"][0]["role"] == "user"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(
        ["text", "function", "image_url", "file", "refusal", "json_schema", "{}", "high"]
    ),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("type", "text", "content", "role", "function", "name", "arguments", "id"),
                    *("image_url", "url", "file", "file_data", "refusal", "tool_calls", "schema"),
                    *("json_schema", "properties", "parameters", "cache_control", "strict"),
                ]
            )
            | st.text(max_size=3),
            below,
            max_size=4,
        )
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop"),
        *("stream", "stream_options", "user", "safety_identifier", "service_tier", "tools"),
        *("tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "n"),
        *("seed", "logprobs", "logit_bias", "modalities", "metadata", "thinking", "system"),
    ]
)
MODELS = st.sampled_from([MODEL, "claude-sonnet-4-5", "claude-opus-5"])
PART = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "file", "refusal", "input_audio"]) | JSON},
    optional={
        "text": JSON,
        "image_url": JSON,
        "file": JSON,
        "refusal": JSON,
        "cache_control": JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "developer"]) | JSON},
    optional={
        "content": JSON | st.lists(PART, max_size=3),
        "tool_calls": JSON
        | st.lists(
            st.fixed_dictionaries({"type": st.just("function"), "id": JSON, "function": JSON})
        ),
        "tool_call_id": JSON,
        "refusal": JSON,
        "thinking_blocks": JSON,
        "cache_control": JSON,
    },
)


def assert_translated_or_refused(body, model):
    try:
        request = chat_to_messages(body, model=model)
    except Refusal as error:
        refusal = error
    else:
        assert request["model"] == model
        assert request["messages"]
        assert request["max_tokens"] >= 1
        return
    assert refusal.reason is Reason.INVALID_REQUEST
    assert refusal.param


@given(st.dictionaries(NAMES | st.text(max_size=3), JSON, max_size=6), st.booleans(), MODELS)
def test_any_value_of_any_field_is_translated_or_refused(fields, greeted, model):
    assert_translated_or_refused({**fields, "messages": HI} if greeted else fields, model)


@given(st.lists(MESSAGE, max_size=4), st.sampled_from([None, "none", "low", "high"]), MODELS)
def test_any_conversation_is_translated_or_refused(messages, effort, model):
    assert_translated_or_refused({"messages": messages, "reasoning_effort": effort}, model)
