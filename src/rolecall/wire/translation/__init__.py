"""Translations between the formats that callers speak and the formats that upstreams speak."""

from rolecall.wire.translation.chat_to_messages_request import (
    ANTHROPIC_VERSION,
    DEFAULT_MAX_TOKENS,
    chat_to_messages,
)
from rolecall.wire.translation.chat_to_messages_thinking import DEFAULT_MAX_TOKENS_WITH_THINKING
from rolecall.wire.translation.contract import (
    StreamTranslation,
    Translation,
    UpstreamFormatError,
)
from rolecall.wire.translation.messages_to_chat import messages_answers_to_chat

__all__ = [
    "ANTHROPIC_VERSION",
    "DEFAULT_MAX_TOKENS",
    "DEFAULT_MAX_TOKENS_WITH_THINKING",
    "StreamTranslation",
    "Translation",
    "UpstreamFormatError",
    "chat_to_messages",
    "messages_answers_to_chat",
]
