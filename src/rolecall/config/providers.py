"""Which provider serves a model, where it lives, and which variable holds its key."""

import re
from dataclasses import dataclass
from typing import Final

from rolecall.config.settings import PROVIDER_NAMES, ProviderName


@dataclass(frozen=True, slots=True)
class ProviderDefaults:
    """What need not be written: the public API, and the variable its clients read the key from."""

    api_base: str
    key_variable: str


DEFAULTS: Final[dict[ProviderName, ProviderDefaults]] = {
    "openai": ProviderDefaults("https://api.openai.com/v1", "OPENAI_API_KEY"),
    "anthropic": ProviderDefaults("https://api.anthropic.com", "ANTHROPIC_API_KEY"),
}

_BARE_NAMES: Final[tuple[tuple[re.Pattern[str], ProviderName], ...]] = (
    (re.compile(r"claude-"), "anthropic"),
    (re.compile(r"gpt-|chatgpt-|o[1-9][0-9]*(?:-|$)"), "openai"),
)


def infer(model: str) -> tuple[ProviderName, str]:
    """The provider and the upstream's own name of a model as LiteLLM spells it.

    ``anthropic/claude-…`` and ``openai/…`` name it; ``claude-…``, ``gpt-…``, ``chatgpt-…`` and
    ``o1`` … are known by their names.

    Raises:
        ValueError: the provider cannot be told; the sentence says what to write.
    """
    prefix, slash, rest = model.partition("/")
    for provider in PROVIDER_NAMES:
        if slash and prefix == provider:
            if not rest:
                raise ValueError(f"names no model after {prefix}/")
            return provider, rest
    if not slash:
        for pattern, provider in _BARE_NAMES:
            if pattern.match(model):
                return provider, model
    raise ValueError(
        f"does not tell which provider serves {model!r}; write openai/{model} (for any"
        f" OpenAI-compatible server, with api_base) or anthropic/{model}"
    )
