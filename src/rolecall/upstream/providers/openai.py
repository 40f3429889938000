"""OpenAI, and every server that speaks its format."""

from typing import Final

from rolecall.upstream.providers.provider import Door, Provider

_PASSES: Final = frozenset({b"openai-beta"})


def _credentials(key: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {key}".encode()


PROVIDER: Final = Provider(
    doors={"chat": Door("/chat/completions", passes=_PASSES)},
    credentials=_credentials,
)
