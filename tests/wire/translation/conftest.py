"""What the tests of this folder share: a refusal as a value, and the SDKs as judges."""

from collections.abc import Iterable

import pytest
from anthropic.types.message_create_params import (
    MessageCreateParamsNonStreaming,
    MessageCreateParamsStreaming,
)
from pydantic import TypeAdapter

from rolecall.core import Reason, Refusal
from rolecall.wire.translation import chat_to_messages

ADAPTERS = {
    False: TypeAdapter(MessageCreateParamsNonStreaming),
    True: TypeAdapter(MessageCreateParamsStreaming),
}
OF_AN_OLDER_VERSION = ("temperature", "top_p", "top_k")


def exhausted(value):
    """Pydantic reads an Iterable lazily; its faults show when it is walked."""
    if isinstance(value, dict):
        return {key: exhausted(below) for key, below in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [exhausted(below) for below in value]
    return value


@pytest.fixture(scope="session")
def translated():
    """The request to Anthropic, whose SDK knows every field of it."""

    def translate(body=None, *, model="claude-3-5-haiku-20241022", **fields):
        body = {
            "model": "asked",
            "messages": [{"role": "user", "content": "hi"}],
            **fields,
            **(body or {}),
        }
        request = chat_to_messages(body, model=model)
        known = {name: value for name, value in request.items() if name not in OF_AN_OLDER_VERSION}
        assert exhausted(ADAPTERS[request.get("stream", False)].validate_python(known)) == known
        return request

    return translate


@pytest.fixture(scope="session")
def refused():
    """The path of the field for which a request is refused; the sentence names it too."""

    def refuse(body=None, *, model="claude-3-5-haiku-20241022", **fields):
        body = {
            "model": "asked",
            "messages": [{"role": "user", "content": "hi"}],
            **fields,
            **(body or {}),
        }
        with pytest.raises(Refusal) as caught:
            chat_to_messages(body, model=model)
        assert caught.value.reason is Reason.INVALID_REQUEST
        assert caught.value.message.endswith(".")
        return caught.value.param

    return refuse
