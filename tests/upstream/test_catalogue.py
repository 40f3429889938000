import pytest

from rolecall.config import ModelSettings, Timeouts
from rolecall.core import Call, Reason, Refusal, Source
from rolecall.upstream import Catalogue
from rolecall.upstream.catalogue import versioned


def served(name, provider="openai", **changes):
    return ModelSettings(
        **{
            "name": name,
            "provider": provider,
            "model": f"upstream-{name}",
            "api_base": "https://upstream.example",
            "api_key": "sk-company",
            "timeouts": Timeouts(),
            "tls": None,
            "source": Source("rolecall.yaml", 1),
            **changes,
        }
    )


@pytest.mark.parametrize(
    ("api_base", "url"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://h.example/openai", "https://h.example/openai/v1"),
        ("https://h.example/v1beta/openai", "https://h.example/v1beta/openai"),
        ("https://h.example/v2", "https://h.example/v2"),
        ("https://v1.example", "https://v1.example/v1"),
        ("https://h.example/vendor", "https://h.example/vendor/v1"),
    ],
)
def test_a_base_url_is_given_a_version_where_it_has_none(api_base, url):
    assert versioned(api_base) == url


@pytest.mark.parametrize("transport", ["http1", "http2"])
def test_a_destination_says_how_it_is_reached(transport):
    catalogue = Catalogue([served("gpt", transport=transport)])
    assert catalogue.choose(Call("chat", "gpt")).destination.transport == transport


def test_a_provider_serves_its_own_endpoints():
    catalogue = Catalogue([served("gpt"), served("claude", "anthropic")])
    assert {name: set(doors) for name, doors in catalogue.doors.items()} == {
        "gpt": {"chat"},
        "claude": {"chat", "messages"},
    }
    urls = {
        (name, endpoint): catalogue.choose(Call(endpoint, name)).destination.url
        for name, doors in catalogue.doors.items()
        for endpoint in doors
    }
    assert urls == {
        ("gpt", "chat"): "https://upstream.example/v1/chat/completions",
        ("claude", "chat"): "https://upstream.example/v1/messages",
        ("claude", "messages"): "https://upstream.example/v1/messages",
    }


def test_deployments_of_one_name_take_turns():
    catalogue = Catalogue([served("m", model=model) for model in ("a", "b", "c")])
    taken = [catalogue.choose(Call("chat", "m")).settings.model for _ in range(6)]
    assert taken == ["a", "b", "c"] * 2


def test_only_the_deployments_that_serve_an_endpoint_take_turns_there():
    catalogue = Catalogue([served("m", model="a"), served("m", "anthropic", model="b")])
    assert {catalogue.choose(Call("messages", "m")).settings.model for _ in range(3)} == {"b"}
    assert [catalogue.choose(Call("chat", "m")).settings.model for _ in range(3)] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("call", "reason", "says"),
    [
        (Call("chat", "nothing"), Reason.MODEL_NOT_FOUND, "no upstream serves it"),
        (Call("chat", "GPT"), Reason.MODEL_NOT_FOUND, "no upstream serves it"),
        (Call("messages", "gpt"), Reason.INVALID_REQUEST, "call it at /v1/chat/completions"),
    ],
)
def test_what_nothing_serves_is_refused(call, reason, says):
    with pytest.raises(Refusal, match=says) as caught:
        Catalogue([served("gpt")]).choose(call)
    assert (caught.value.reason, caught.value.param) == (reason, "model")


def test_the_companys_key_is_not_shown():
    catalogue = Catalogue([served("gpt", api_key="sk-SENTINEL")])
    assert "SENTINEL" not in repr(catalogue.choose(Call("chat", "gpt")).settings)


@pytest.mark.parametrize(
    ("provider", "key", "header"),
    [
        ("openai", "sk", (b"authorization", b"Bearer sk")),
        ("anthropic", "sk", (b"x-api-key", b"sk")),
        ("openai", None, None),
        ("anthropic", None, None),
    ],
)
def test_a_key_is_sent_as_the_vendor_wants_it(provider, key, header):
    catalogue = Catalogue([served("m", provider, api_key=key)])
    headers = catalogue.choose(Call("chat", "m")).destination.headers
    carried = [item for item in headers if item[0] in {b"authorization", b"x-api-key"}]
    assert carried == ([header] if header else [])
