"""The answers of Anthropic's Messages to a caller who speaks OpenAI's Chat Completions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rolecall.wire.translation.chat_to_messages_request import includes_usage
from rolecall.wire.translation.contract import StreamTranslation, Translation
from rolecall.wire.translation.messages_to_chat_answer import completion
from rolecall.wire.translation.messages_to_chat_error import error_body
from rolecall.wire.translation.messages_to_chat_stream import MessagesToChatStream


def messages_answers_to_chat(body: Mapping[str, Any], *, created: int) -> Translation:
    """The translation of the answers to one request.

    Args:
        body: the caller's request, as it was sent.
        created: when it was answered, in seconds since the epoch.

    Raises:
        Refusal: for ``stream_options`` of the wrong type, as ``chat_to_messages`` does.
    """
    return _MessagesAnswersToChat(created, includes_usage(body))


@dataclass(frozen=True, slots=True)
class _MessagesAnswersToChat:
    created: int
    include_usage: bool

    def answer(self, body: Any) -> dict[str, Any]:
        return completion(body, created=self.created)

    def error(self, status: int, body: bytes) -> bytes:
        return error_body(status, body)

    def stream(self) -> StreamTranslation:
        return MessagesToChatStream(created=self.created, include_usage=self.include_usage)
