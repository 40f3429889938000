"""OpenAI's and Anthropic's own clients: what they send arrives, what they get they understand."""

import json

import anthropic
import openai
import pytest

from .parts import gateway as gateways
from .parts.clients import (
    anthropic_client,
    async_anthropic_client,
    async_openai_client,
    openai_client,
)
from .parts.native import COMPANY_KEY, native
from .parts.polling import SECONDS

pytestmark = pytest.mark.e2e

CLAUDE, GPT = "anthropic-claude", "openai-gpt-4o"
HELLO = {CLAUDE: "Hello from Anthropic.", GPT: "Hello from OpenAI."}
ASK = [{"role": "user", "content": "What is the weather in Paris?"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": SCHEMA}
OPENAI_TOOLS = [{"type": "function", "function": FUNCTION}]
ANTHROPIC_TOOLS = [{"name": "get_weather", "description": "The weather.", "input_schema": SCHEMA}]

both_models = pytest.mark.parametrize("model", [CLAUDE, GPT])


@pytest.fixture(scope="module")
def url(oidc_provider, upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    with gateways.running(folder, **native(oidc_provider, upstream)) as gateway:
        yield gateway.url


@pytest.fixture
def token(oidc_provider):
    return oidc_provider.token()


@pytest.fixture
def chat(url, token):
    with openai_client(url, token) as client:
        yield client


@pytest.fixture
def messages(url, token):
    with anthropic_client(url, token) as client:
        yield client


def spoken(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


# What is asked and answered


@both_models
def test_chat(chat, model):
    answer = chat.chat.completions.create(model=model, messages=ASK)
    assert answer.choices[0].message.content == HELLO[model]
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (9, 7)


@both_models
def test_chat_streams(chat, model):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    with chat.chat.completions.create(model=model, messages=ASK, **options) as stream:
        chunks = list(stream)
    assert spoken(chunks) == HELLO[model]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 7


@both_models
async def test_chat_with_asyncio(url, token, model):
    async with async_openai_client(url, token) as client:
        answer = await client.chat.completions.create(model=model, messages=ASK)
        stream = await client.chat.completions.create(model=model, messages=ASK, stream=True)
        chunks = [chunk async for chunk in stream]
    assert answer.choices[0].message.content == spoken(chunks) == HELLO[model]


@both_models
def test_chat_calls_a_tool_and_takes_its_result(chat, model):
    offered = {"model": model, "tools": OPENAI_TOOLS}
    asked = chat.chat.completions.create(**offered, messages=ASK).choices[0]
    assert asked.finish_reason == "tool_calls"
    wanted = asked.message.tool_calls[0]
    assert wanted.function.name == "get_weather"
    assert json.loads(wanted.function.arguments) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": wanted.id, "content": "Sunny."}
    answer = chat.chat.completions.create(**offered, messages=[*ASK, asked.message, result])
    assert answer.choices[0].message.content == HELLO[model]


@both_models
def test_chat_streams_the_call_of_a_tool(chat, model):
    with chat.chat.completions.stream(model=model, messages=ASK, tools=OPENAI_TOOLS) as stream:
        whole = stream.get_final_completion()
    wanted = whole.choices[0].message.tool_calls[0]
    assert json.loads(wanted.function.arguments) == {"city": "Paris"}
    assert whole.choices[0].finish_reason == "tool_calls"


def test_messages(messages):
    answer = messages.messages.create(model=CLAUDE, max_tokens=50, messages=ASK)
    assert answer.content[0].text == HELLO[CLAUDE]
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 7)


def test_messages_stream(messages):
    with messages.messages.stream(model=CLAUDE, max_tokens=50, messages=ASK) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message()
    assert pieces == ["Hello", " from Anthropic."]
    assert whole.content[0].text == HELLO[CLAUDE]
    assert whole.usage.output_tokens == 7


async def test_messages_with_asyncio(url, token):
    call = {"model": CLAUDE, "max_tokens": 50, "messages": ASK}
    async with async_anthropic_client(url, token) as client:
        answer = await client.messages.create(**call)
        async with client.messages.stream(**call) as stream:
            pieces = [piece async for piece in stream.text_stream]
    assert answer.content[0].text == "".join(pieces) == HELLO[CLAUDE]


def test_messages_call_a_tool_and_take_its_result(messages):
    offered = {"model": CLAUDE, "max_tokens": 50, "tools": ANTHROPIC_TOOLS}
    asked = messages.messages.create(**offered, messages=ASK)
    wanted = asked.content[1]
    assert (wanted.name, wanted.input) == ("get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": wanted.id, "content": "Sunny."}
    turns = [
        *ASK,
        {"role": "assistant", "content": asked.content},
        {"role": "user", "content": [result]},
    ]
    answer = messages.messages.create(**offered, messages=turns)
    assert answer.content[0].text == HELLO[CLAUDE]


def test_messages_stream_the_call_of_a_tool(messages):
    call = {"model": CLAUDE, "max_tokens": 50, "messages": ASK, "tools": ANTHROPIC_TOOLS}
    with messages.messages.stream(**call) as stream:
        whole = stream.get_final_message()
    assert whole.content[1].input == {"city": "Paris"}
    assert whole.stop_reason == "tool_use"


def test_the_same_models_are_listed_to_both_clients(chat, messages):
    names = [model.id for model in chat.models.list()]
    assert {CLAUDE, GPT} <= set(names)
    assert "openai-o3" not in names
    assert "gpt-nowhere" not in names
    assert [model.id for model in messages.models.list()] == names


@both_models
def test_a_listed_model_is_found(chat, messages, model):
    assert chat.models.retrieve(model).id == model
    assert messages.models.retrieve(model).id == model


def test_the_upstream_gets_the_companys_key_and_never_the_token(chat, messages, upstream, token):
    upstream.received.clear()
    chat.chat.completions.create(model=CLAUDE, messages=ASK)
    chat.chat.completions.create(model=GPT, messages=ASK)
    messages.messages.create(model=CLAUDE, max_tokens=50, messages=ASK)
    translated, openai_call, anthropic_call = upstream.received
    for received in (translated, anthropic_call):
        assert received.headers["x-api-key"] == COMPANY_KEY
        assert "authorization" not in received.headers
        assert received.body["model"] == "claude-3-5-haiku-20241022"
    assert openai_call.headers["authorization"] == f"Bearer {COMPANY_KEY}"
    assert openai_call.body["model"] == "gpt-4o"
    assert all(token not in str(received) for received in upstream.received)


# What is refused, in the clients' own exceptions


def refused(client, error, **call):
    """The exception of a call, which must be of that class in the client's own package."""
    if isinstance(client, openai.OpenAI):
        with pytest.raises(getattr(openai, error)) as caught:
            client.chat.completions.create(messages=ASK, **call)
        return caught.value, caught.value.code
    with pytest.raises(getattr(anthropic, error)) as caught:
        client.messages.create(max_tokens=50, messages=ASK, **call)
    return caught.value, caught.value.body["error"].get("code")


@pytest.fixture(params=["chat", "messages"])
def client(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize(
    ("call", "error", "code"),
    [
        ({"model": "openai-o3"}, "PermissionDeniedError", "model_not_allowed"),
        ({"model": "no-such-model"}, "PermissionDeniedError", "model_not_allowed"),
        ({"model": "gpt-nowhere"}, "NotFoundError", "model_not_found"),
        ({"model": ""}, "BadRequestError", "model_missing"),
        (
            {"model": CLAUDE, "extra_body": {"fallbacks": ["openai-o3"]}},
            "BadRequestError",
            "invalid_request",
        ),
    ],
)
def test_a_refusal_is_the_clients_own_exception(client, call, error, code):
    _, said = refused(client, error, **call)
    assert said == code


@pytest.mark.parametrize("make", [openai_client, anthropic_client])
def test_a_bad_token_is_an_authentication_error(url, make):
    with make(url, "no.such.token") as client:
        error, code = refused(client, "AuthenticationError", model=CLAUDE)
    assert code == "malformed_token"
    assert "no.such.token" not in str(error)


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("400", "BadRequestError"),
        ("429", "RateLimitError"),
        ("500", "InternalServerError"),
        ("529", "InternalServerError"),
    ],
)
def test_an_upstreams_error_is_the_clients_own_exception(client, ending, error):
    vendors = ("claude", "gpt") if isinstance(client, openai.OpenAI) else ("claude",)
    for vendor in vendors:
        for stream in (False, True):
            caught, _ = refused(client, error, model=f"{vendor}-{ending}", stream=stream)
            assert f"error {ending}." in str(caught)
            if ending == "429":
                assert caught.response.headers["retry-after"] == "7"


def test_an_upstream_that_breaks_off_before_its_answer_is_an_error(client):
    vendors = ("claude", "gpt") if isinstance(client, openai.OpenAI) else ("claude",)
    for vendor in vendors:
        _, code = refused(client, "InternalServerError", model=f"{vendor}-cut")
        assert code == "upstream_error"


def test_a_stream_that_breaks_off_never_looks_whole(chat, messages):
    for vendor in ("claude", "gpt"):
        call = {"model": f"{vendor}-cut", "messages": ASK, "stream": True}
        with chat.chat.completions.create(**call) as stream, pytest.raises(openai.APIError) as cut:
            list(stream)
        assert cut.value.code == "upstream_error"
    call = {"model": "claude-cut", "max_tokens": 50, "messages": ASK, "stream": True}
    with messages.messages.create(**call) as stream, pytest.raises(anthropic.APIError) as cut:
        list(stream)
    assert cut.value.body["error"]["code"] == "upstream_error"


def test_anthropics_client_is_told_where_an_openai_model_is_served(messages):
    error, code = refused(messages, "BadRequestError", model=GPT)
    assert code == "invalid_request"
    assert "/v1/chat/completions" in str(error)


def test_an_unlisted_model_is_not_found_by_its_name(chat, messages):
    for client, errors in ((chat, openai), (messages, anthropic)):
        with pytest.raises(errors.PermissionDeniedError):
            client.models.retrieve("openai-o3")
        with pytest.raises(errors.NotFoundError):
            client.models.retrieve("gpt-nowhere")


# A client that goes away takes its call along


def test_a_stream_that_is_closed_ends_the_upstreams(chat, messages, upstream):
    for vendor in ("claude", "gpt"):
        call = {"model": f"{vendor}-hang", "messages": ASK, "stream": True}
        stream = chat.chat.completions.create(**call)
        next(iter(stream))
        assert_abandoned_after(stream.close, upstream)
    stream = messages.messages.create(model="claude-hang", max_tokens=50, messages=ASK, stream=True)
    next(iter(stream))
    assert_abandoned_after(stream.close, upstream)


def assert_abandoned_after(leave, upstream):
    upstream.abandoned.clear()
    leave()
    assert upstream.abandoned.wait(SECONDS), "the upstream still works for nobody"


def test_a_call_that_is_given_up_ends_the_upstreams(url, token, upstream):
    def give_up():
        upstream.received.clear()
        # on a slow machine a caller may give up before its call has come so far
        while not upstream.received:
            with pytest.raises(openai.APITimeoutError):
                client.chat.completions.create(model="gpt-hang", messages=ASK)

    with openai_client(url, token, timeout=0.5) as client:
        assert_abandoned_after(give_up, upstream)
