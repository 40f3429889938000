"""Anthropic's Messages API."""

import time
from typing import Final

from rolecall.upstream.providers.provider import Body, Door, Provider
from rolecall.wire.translation import (
    ANTHROPIC_VERSION,
    Translation,
    chat_to_messages,
    messages_answers_to_chat,
)

_PASSES: Final = frozenset({b"anthropic-version", b"anthropic-beta"})


def _credentials(key: str) -> tuple[bytes, bytes]:
    return b"x-api-key", key.encode()


def _translate(body: Body, model: str) -> tuple[Body, Translation]:
    return (
        chat_to_messages(body, model=model),
        messages_answers_to_chat(body, created=int(time.time())),
    )


PROVIDER: Final = Provider(
    doors={
        "messages": Door("/messages", passes=_PASSES),
        "chat": Door("/messages", translate=_translate),
    },
    credentials=_credentials,
    defaults=((b"anthropic-version", ANTHROPIC_VERSION.encode()),),
)
