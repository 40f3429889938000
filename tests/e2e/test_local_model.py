"""The local model itself: downloaded, run, and called by both vendors' clients."""

import anthropic
import openai
import pytest

from rolecall.demo.model import LocalModel, ModelUnavailable, fetch_model

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:The model .* is deprecated:DeprecationWarning"),
]

CALL = {
    "model": "claude-3-5-haiku-20241022",
    "max_tokens": 8,
    "messages": [{"role": "user", "content": "Tell me about the sea."}],
}


@pytest.fixture(scope="module")
def model():
    try:
        files = fetch_model()
    except ModelUnavailable as unavailable:
        pytest.skip(str(unavailable))
    with LocalModel.start(files) as model:
        yield model


@pytest.fixture(scope="module")
def openai_client(model):
    with openai.OpenAI(base_url=f"{model.base_url}/v1", api_key="x", max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(model):
    with anthropic.Anthropic(base_url=model.base_url, api_key="x", max_retries=0) as client:
        yield client


def test_it_says_what_it_is(model):
    assert model.describe == "SmolLM2-135M-Instruct on llama.cpp"
    assert model.base_url.startswith("http://127.0.0.1:")


def test_chat(openai_client):
    answer = openai_client.chat.completions.create(**CALL)
    assert answer.choices[0].message.content.strip()
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 8
    assert answer.usage.prompt_tokens > 8


def test_chat_comes_in_several_chunks(openai_client):
    options = {"include_usage": True}
    with openai_client.chat.completions.create(
        **CALL, stream=True, stream_options=options
    ) as stream:
        *chunks, last = list(stream)
    assert len([chunk for chunk in chunks if chunk.choices[0].delta.content]) > 3
    assert chunks[-1].choices[0].finish_reason == "length"
    assert last.usage.completion_tokens == 8


def test_a_call_without_a_limit_ends(openai_client):
    messages = [{"role": "user", "content": "Say hi."}]
    answer = openai_client.chat.completions.create(model="smollm2", messages=messages)
    assert answer.usage.completion_tokens <= 256


def test_messages(anthropic_client):
    answer = anthropic_client.messages.create(**CALL, system="Be brief.")
    assert answer.content[0].text.strip()
    assert answer.stop_reason == "max_tokens"
    assert answer.usage.output_tokens == 8


def test_messages_come_in_several_chunks(anthropic_client):
    with anthropic_client.messages.stream(**CALL) as stream:
        pieces = [piece for piece in stream.text_stream if piece]
        message = stream.get_final_message()
    assert len(pieces) > 3
    assert "".join(pieces) == message.content[0].text
    assert message.usage.output_tokens == 8


def test_models_are_listed(openai_client):
    assert [each.id for each in openai_client.models.list()] == ["smollm2"]


def test_it_stops_while_it_is_answering(model):
    with (
        LocalModel.start() as other,
        openai.OpenAI(base_url=f"{other.base_url}/v1", api_key="x", max_retries=0) as client,
        client.chat.completions.create(**(CALL | {"max_tokens": 200}), stream=True) as stream,
    ):
        next(iter(stream))
        other.stop()
        assert other._process.returncode == 0
