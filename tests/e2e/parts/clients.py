"""The vendors' own clients, as a user of the gateway sets them up: base URL, and the token as key.

Use them in a ``with`` block. They do not retry, so that a test sees the first answer.
"""

from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI


def openai_client(url: str, token: str, **options) -> OpenAI:
    """OpenAI's client; it wants the base URL with ``/v1``."""
    return OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0, **options)


def async_openai_client(url: str, token: str, **options) -> AsyncOpenAI:
    """The same for asyncio."""
    return AsyncOpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0, **options)


def anthropic_client(url: str, token: str, **options) -> Anthropic:
    """Anthropic's client; it wants the base URL without ``/v1``."""
    return Anthropic(base_url=url, api_key=token, max_retries=0, **options)


def async_anthropic_client(url: str, token: str, **options) -> AsyncAnthropic:
    """The same for asyncio."""
    return AsyncAnthropic(base_url=url, api_key=token, max_retries=0, **options)
