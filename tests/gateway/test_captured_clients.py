"""Requests as real clients sent them pass the gateway and reach the upstream whole."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .parts import serving
from .parts.doors import CHAT, MESSAGES
from .parts.http import exchange, message
from .parts.tokens import token

CLIENTS = Path(__file__).parents[1] / "data" / "clients"
CAPTURED = [
    pytest.param(request, id=f"{file.stem}-{request['scenario']}-{request['n']}")
    for file in sorted(CLIENTS.glob("*.jsonl"))
    for request in map(json.loads, file.read_text("utf-8").splitlines())
]
MODELS = ("anthropic-claude", "claude-sonnet-4-5", "gpt-4o")
CREDENTIALS = ("authorization", "x-api-key", "api-key")

CANNOT_BE_TRANSLATED = {
    ("ai-sdk", "compat_object"): "response_format.type",
    ("openai-python", "chat_json_object"): "response_format.type",
    ("openai-python-2.x", "chat_json_object"): "response_format.type",
    ("openai-python", "chat_many_params"): "logprobs",
    ("openai-python-2.x", "chat_many_params"): "logprobs",
}
"""By client and scenario, the field that Anthropic has no words for."""


def asked_at(path):
    return [case for case in CAPTURED if urlsplit(case.values[0]["path"]).path == path]


def behind(provider, folder, upstream):
    models = [
        {
            "name": name,
            "provider": provider,
            "model": f"upstream-{name}",
            "api_base": upstream.url,
            "api_key": "sk-company",
        }
        for name in MODELS
    ]
    rules = [{"allow": ["internal_user"], "models": list(MODELS)}]
    sections = serving.configuration(folder, upstream.url, models=models, rules=rules)
    return serving.running(folder, sections)


@pytest.fixture(scope="module")
def in_front_of_openai(the_upstream, tmp_path_factory):
    with behind("openai", tmp_path_factory.mktemp("openai"), the_upstream) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def in_front_of_anthropic(the_upstream, tmp_path_factory):
    with behind("anthropic", tmp_path_factory.mktemp("anthropic"), the_upstream) as gateway:
        yield gateway


def replayed(gateway, request):
    """The request as its client wrote it, with tokens of ours in the place of its own."""
    tokens = {"test-token": gateway.token, "test-token-2": token("basic_user", sub="jane")}
    body = None
    if request["body"] is not None:
        body = json.dumps(request["body"], ensure_ascii=False).encode()
    headers = []
    for name, value in request["headers"]:
        if name.lower() in CREDENTIALS:
            scheme, _, credential = value.rpartition(" ")
            value = f"{scheme} {tokens[credential]}".strip()  # noqa: PLW2901
        if name.lower() == "content-length":
            value = str(len(body))  # noqa: PLW2901
        if name.lower() != "host":
            headers.append((name, value))
    return exchange(
        gateway.port,
        message(request["method"], request["path"], headers, body),
        request["method"],
    )


def sends_two_credentials(request):
    return (
        len(
            {value.split()[-1] for name, value in request["headers"] if name.lower() in CREDENTIALS}
        )
        > 1
    )


def arrived_whole(upstream, request, door):
    expected = request["body"] | {"model": f"upstream-{request['body']['model']}"}
    # as texts: 1 is not 1.0, and the order of members is kept too
    assert json.dumps(upstream.last.json) == json.dumps(expected)
    query = urlsplit(request["path"]).query
    assert upstream.last.target == f"{door.upstream_path}?{query}".rstrip("?")
    for name in ("anthropic-version", "anthropic-beta", "user-agent", "accept"):
        sent = [value for key, value in request["headers"] if key.lower() == name]
        allowed = door is MESSAGES or not name.startswith("anthropic-")
        if allowed and sent:
            assert upstream.last.header(name) == sent


@pytest.mark.parametrize("request_", asked_at("/v1/chat/completions"))
def test_a_chat_request_reaches_openai_whole(in_front_of_openai, upstream, request_):
    assert replayed(in_front_of_openai, request_).status == 200
    arrived_whole(upstream, request_, CHAT)


@pytest.mark.parametrize("request_", asked_at("/v1/messages"))
def test_a_messages_request_reaches_anthropic_whole(in_front_of_anthropic, upstream, request_):
    reply = replayed(in_front_of_anthropic, request_)
    if sends_two_credentials(request_):
        sentence = MESSAGES.refused(reply, "conflicting_credentials")
        assert "x-api-key" in sentence
        assert "authorization" in sentence
        assert not upstream.received
    else:
        assert reply.status == 200
        arrived_whole(upstream, request_, MESSAGES)


@pytest.mark.parametrize("request_", asked_at("/v1/chat/completions"))
def test_a_chat_request_is_translated_for_anthropic_or_refused_clearly(
    in_front_of_anthropic, upstream, request_
):
    reply = replayed(in_front_of_anthropic, request_)
    field = CANNOT_BE_TRANSLATED.get((request_["client"], request_["scenario"]))
    if field is None:
        assert reply.status == 200, reply.body
        assert upstream.last.target == "/v1/messages"
        assert upstream.last.json["model"] == f"upstream-{request_['body']['model']}"
    else:
        CHAT.refused(reply, "invalid_request")
        assert reply.json["error"]["param"] == field
        assert not upstream.received


@pytest.mark.parametrize(
    "request_",
    [case for case in CAPTURED if case.values[0]["path"].startswith("/v1/models")],
)
def test_clients_list_the_models(in_front_of_openai, request_):
    reply = replayed(in_front_of_openai, request_)
    assert reply.status == 200
    assert "gpt-4o" in str(reply.json) or "anthropic-claude" in str(reply.json)


@pytest.mark.parametrize(
    "request_",
    [
        case
        for case in CAPTURED
        if not case.values[0]["path"].startswith("/v1/models")
        and urlsplit(case.values[0]["path"]).path not in {"/v1/chat/completions", "/v1/messages"}
    ],
)
def test_what_we_do_not_offer_is_a_404_in_the_clients_own_format(
    in_front_of_openai, upstream, request_
):
    reply = replayed(in_front_of_openai, request_)
    anthropic = any(name.lower() == "anthropic-version" for name, _ in request_["headers"])
    assert reply.status == 404
    assert ("type" in reply.json) == anthropic
    assert reply.json["error"]["code"] == "not_found"
    assert not upstream.received


def test_the_recording_is_all_there():
    paths = [urlsplit(case.values[0]["path"]).path for case in CAPTURED]
    assert len(paths) == 240
    assert paths.count("/v1/chat/completions") == 95
    assert paths.count("/v1/messages") == 91
