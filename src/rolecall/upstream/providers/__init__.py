"""The vendors' wire formats: one file a provider, one table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from rolecall.config import ProviderName
from rolecall.upstream.providers import anthropic, openai
from rolecall.upstream.providers.provider import Door, Provider, Translate

PROVIDERS: Final[Mapping[ProviderName, Provider]] = MappingProxyType(
    {"openai": openai.PROVIDER, "anthropic": anthropic.PROVIDER}
)

__all__ = ["PROVIDERS", "Door", "Provider", "Translate"]
