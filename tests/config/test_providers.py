import pytest

from rolecall.config import providers

ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
KNOWN = {
    "claude-3-5-haiku-20241022": ("anthropic", "claude-3-5-haiku-20241022"),
    "claude-opus-4-5": ("anthropic", "claude-opus-4-5"),
    "anthropic/claude-3-5-haiku-20241022": ("anthropic", "claude-3-5-haiku-20241022"),
    "gpt-4o": ("openai", "gpt-4o"),
    "gpt-5.2": ("openai", "gpt-5.2"),
    "chatgpt-4o-latest": ("openai", "chatgpt-4o-latest"),
    "o1": ("openai", "o1"),
    "o3-mini": ("openai", "o3-mini"),
    "o10": ("openai", "o10"),
    "openai/gpt-4o": ("openai", "gpt-4o"),
    "openai/meta/llama-3": ("openai", "meta/llama-3"),
    "openai/claude-3": ("openai", "claude-3"),
}
UNKNOWN = [
    "llama-3",
    "mistral/mistral-large",
    "azure/gpt-4o",
    "gpt-4o/x",
    "claude",
    "gpt",
    "o0",
    "o1x",
    "omni",
    "Claude-3",
    "GPT-4o",
    "OpenAI/gpt-4o",
    " gpt-4o",
    "",
    "/gpt-4o",
]


@pytest.mark.parametrize(("model", "expected"), KNOWN.items())
def test_a_provider_is_told_by_prefix_or_by_a_known_name(model, expected):
    assert providers.infer(model) == expected


@pytest.mark.parametrize("model", UNKNOWN)
def test_a_provider_is_never_guessed(model):
    with pytest.raises(ValueError, match="does not tell which provider serves"):
        providers.infer(model)


@pytest.mark.parametrize("model", ["openai/", "anthropic/"])
def test_a_prefix_alone_names_no_model(model):
    with pytest.raises(ValueError, match=f"names no model after {model}"):
        providers.infer(model)


def test_the_sentence_says_what_to_write(told):
    assert told(ISSUER + "models: [{name: local, model: llama-3}]") == [
        (
            "2:31: error: models[0].model: does not tell which provider serves 'llama-3'; write"
            " openai/llama-3 (for any OpenAI-compatible server, with api_base) or"
            " anthropic/llama-3."
        )
    ]


@pytest.mark.parametrize("dialect", ["native", "LiteLLM's"])
@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("openai", "llama-3", ("openai", "llama-3")),
        ("openai", "claude-3", ("openai", "claude-3")),
        ("anthropic", "gpt-4o", ("anthropic", "gpt-4o")),
        ("openai", "openai/llama-3", ("openai", "llama-3")),
        ("openai", "anthropic/claude-3", ("openai", "anthropic/claude-3")),
    ],
)
def test_a_provider_that_is_written_wins(settings, dialect, provider, model, expected):
    text = {
        "native": f"models: [{{name: a, provider: {provider}, model: {model}}}]",
        "LiteLLM's": "model_list: [{model_name: a, litellm_params: "
        f"{{custom_llm_provider: {provider}, model: {model}}}}}]",
    }[dialect]
    (deployment,) = settings(ISSUER + text).models
    assert (deployment.provider, deployment.model) == expected


def test_a_written_provider_needs_a_model_behind_its_prefix(told):
    assert told(ISSUER + "models: [{name: a, provider: openai, model: openai/, api_key: k}]") == [
        "2:45: error: models[0].model: names no model after openai/."
    ]
