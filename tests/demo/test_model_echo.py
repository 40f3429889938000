import http.client
import json
import re
from urllib.parse import urlsplit

import anthropic
import openai
import pytest

from rolecall.demo.model import EchoModel

SAID = "Rôles call\n models, 你好  twice."
WORDS = ["Rôles ", "call\n ", "models, ", "你好  ", "twice."]
MESSAGES = [
    {"role": "user", "content": "An earlier question."},
    {"role": "assistant", "content": "An answer."},
    {"role": "user", "content": SAID},
]
CHAT = {"model": "any", "messages": MESSAGES}


@pytest.fixture(scope="module")
def model():
    with EchoModel.start(aliases=["smollm2", "claude-3-5-haiku-20241022"]) as model:
        yield model


@pytest.fixture(scope="module")
def openai_client(model):
    with openai.OpenAI(base_url=f"{model.base_url}/v1", api_key="x", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(model):
    with anthropic.Anthropic(base_url=model.base_url, api_key="x", max_retries=0) as client:
        yield client


def post(model, path, body, method="POST"):
    """Give the status, the content type and the text of an answer."""
    connection = http.client.HTTPConnection(urlsplit(model.base_url).netloc)
    try:
        connection.request(method, path, body if isinstance(body, bytes) else json.dumps(body))
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read().decode()
    finally:
        connection.close()


def data_of(text):
    return [json.loads(line) for line in re.findall(r"^data: (\{.*)$", text, re.MULTILINE)]


def test_openai_chat(openai_client):
    answer = openai_client.chat.completions.create(**CHAT)
    assert answer.choices[0].message.content == SAID
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "any"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (10, 5)
    assert answer.usage.total_tokens == 15


def test_openai_stream_comes_word_by_word(openai_client):
    with openai_client.chat.completions.create(**CHAT, stream=True) as stream:
        chunks = list(stream)
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].delta.content for chunk in chunks[1:-1]] == WORDS
    assert [chunk.choices[0].finish_reason for chunk in chunks][-2:] == [None, "stop"]


def test_openai_stream_ends_with_usage_only_where_it_is_asked_for(model):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    _, kind, text = post(model, "/v1/chat/completions", CHAT | options)
    *chunks, last = data_of(text)
    assert kind == "text/event-stream; charset=utf-8"
    assert text.endswith("data: [DONE]\n\n")
    assert all(chunk["usage"] is None for chunk in chunks)
    assert last["choices"] == []
    assert last["usage"] == {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}

    _, _, text = post(model, "/v1/chat/completions", CHAT | {"stream": True})
    assert text.endswith("data: [DONE]\n\n")
    assert all("usage" not in chunk for chunk in data_of(text))


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_openai_answers_are_cut_at_the_limit(openai_client, name):
    answer = openai_client.chat.completions.create(**CHAT, **{name: 2})
    assert answer.choices[0].message.content == "Rôles call\n "
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 2


def test_openai_content_may_be_parts(openai_client):
    parts = [
        {"type": "text", "text": "one"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        {"type": "text", "text": "two"},
    ]
    messages = [{"role": "user", "content": parts}]
    answer = openai_client.chat.completions.create(model="any", messages=messages)
    assert answer.choices[0].message.content == "one two"


def test_openai_models(openai_client):
    names = [each.id for each in openai_client.models.list()]
    assert names == ["smollm2", "claude-3-5-haiku-20241022"]


def test_anthropic_message(anthropic_client):
    answer = anthropic_client.messages.create(
        model="any", max_tokens=100, system="Be brief.", messages=MESSAGES
    )
    assert answer.content[0].text == SAID
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (12, 5)


def test_anthropic_stream_comes_word_by_word(anthropic_client):
    with anthropic_client.messages.stream(model="any", max_tokens=100, messages=MESSAGES) as stream:
        words = list(stream.text_stream)
        message = stream.get_final_message()
    assert words == WORDS
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (10, 5)


def test_anthropic_events_come_in_their_order(model):
    body = {"model": "any", "max_tokens": 1, "stream": True, "messages": MESSAGES}
    _, kind, text = post(model, "/v1/messages", body)
    names = re.findall(r"^event: (.*)$", text, re.MULTILINE)
    assert kind == "text/event-stream; charset=utf-8"
    assert names == [event["type"] for event in data_of(text)]
    assert names == [
        "message_start",
        "content_block_start",
        "ping",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert data_of(text)[5]["delta"]["stop_reason"] == "max_tokens"


def test_anthropic_models(anthropic_client):
    names = [each.id for each in anthropic_client.models.list()]
    assert names == ["smollm2", "claude-3-5-haiku-20241022"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not valid JSON"),
        ([], "must be a JSON object"),
        (CHAT | {"model": ""}, "model must be"),
        (CHAT | {"messages": "hello"}, "messages must be"),
        (CHAT | {"messages": []}, "must hold a message of the user"),
        (CHAT | {"messages": [{"role": "user", "content": 7}]}, "content must be"),
        (
            CHAT | {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "text part must be a string",
        ),
        (CHAT | {"max_tokens": 0}, "max_tokens must be"),
        (CHAT | {"max_tokens": True}, "max_tokens must be"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_bad_calls_are_refused_in_the_calls_own_format(model, path, body, message):
    if path == "/v1/messages" and isinstance(body, dict):
        body = {"max_tokens": 5} | body
    status, kind, text = post(model, path, body)
    answer = json.loads(text)
    assert (status, kind) == (400, "application/json")
    assert answer["error"]["type"] == "invalid_request_error"
    assert message in answer["error"]["message"]
    assert ("request_id" in answer) == (path == "/v1/messages")


def test_the_sdks_raise_their_own_errors(openai_client, anthropic_client):
    with pytest.raises(openai.BadRequestError, match="messages must hold"):
        openai_client.chat.completions.create(model="any", messages=[])
    with pytest.raises(anthropic.BadRequestError, match="messages must hold"):
        anthropic_client.messages.create(model="any", messages=[], max_tokens=1)


def test_anthropic_wants_max_tokens(model):
    status, _, text = post(model, "/v1/messages", CHAT)
    assert status == 400
    assert json.loads(text)["error"]["message"] == "max_tokens: Field required"


def test_what_is_not_there_is_refused_in_json(model):
    status, _, text = post(model, "/v1/nothing", {})
    assert (status, json.loads(text)["error"]["message"]) == (404, "POST /v1/nothing: Not Found.")
    status, _, text = post(model, "/v1/messages", b"", method="GET")
    assert (status, json.loads(text)["type"]) == (405, "error")


def test_a_reader_who_leaves_does_not_disturb_the_next(model, openai_client):
    messages = [{"role": "user", "content": "word " * 100_000}]
    with openai_client.chat.completions.create(
        model="any", messages=messages, stream=True
    ) as stream:
        next(iter(stream))
    assert openai_client.chat.completions.create(**CHAT).choices[0].message.content == SAID


def test_after_stop_nothing_listens():
    with EchoModel.start(reason="No wheel.") as model:
        assert model.reason == "No wheel."
        assert model.describe == "built-in echo model (no language model)"
    with pytest.raises(ConnectionRefusedError):
        post(model, "/v1/chat/completions", CHAT)
    model.stop()
