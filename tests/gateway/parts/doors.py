"""The ways to a model: two endpoints, two vendors' formats, and one translation."""

from dataclasses import dataclass
from typing import Any

from rolecall.core import STATUS, Reason

from .upstream import ANTHROPIC_EVENTS, OPENAI_EVENTS


@dataclass(frozen=True)
class Door:
    """One way to a model.

    Attributes:
        name: for the tests' names.
        path: our endpoint.
        form: the format that its callers speak.
        model: the name that callers use.
        upstream_path: where the upstream is asked.
        upstream_model: the name that the upstream knows.
        events: the upstream's stream.
    """

    name: str
    path: str
    form: str
    model: str
    upstream_path: str
    upstream_model: str
    events: tuple[bytes, ...]

    @property
    def translated(self):
        return self.name == "translated"

    def body(self, **fields: Any) -> dict[str, Any]:
        """A request of this endpoint."""
        messages = [{"role": "user", "content": "Say hello"}]
        return {"model": self.model, "max_tokens": 100, "messages": messages, **fields}

    def refused(self, reply, reason, *, status=None):
        """The reply is this refusal, in the endpoint's own format, with all that belongs to it."""
        return refused(reply, reason, self.form, status=status)


CHAT = Door(
    "chat",
    "/v1/chat/completions",
    "openai",
    "gpt",
    "/v1/chat/completions",
    "upstream-gpt",
    OPENAI_EVENTS,
)
MESSAGES = Door(
    "messages",
    "/v1/messages",
    "anthropic",
    "claude",
    "/v1/messages",
    "upstream-claude",
    ANTHROPIC_EVENTS,
)
TRANSLATED = Door(
    "translated",
    "/v1/chat/completions",
    "openai",
    "claude",
    "/v1/messages",
    "upstream-claude",
    ANTHROPIC_EVENTS,
)
ENDPOINTS = (CHAT, MESSAGES)
WAYS = (CHAT, MESSAGES, TRANSLATED)


def refused(reply, reason, form, *, status=None):
    """Check a refusal whole, and return its sentence."""
    assert error_code(reply, form) == reason
    assert reply.status == (status or STATUS[Reason(reason)])
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in reply.headers) == (reply.status in {401, 403})
    if reply.status in {401, 403}:
        challenge = reply.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="rolecall"')
        assert (reason in challenge) == (reason != "missing_token")
    sentence = reply.json["error"]["message"]
    assert sentence.endswith("."), sentence
    return sentence


def error_code(reply, form):
    """The reason code out of an error of exactly this format."""
    assert len(reply.headers["x-request-id"]) == 24
    return code_of(reply.json, form, reply.headers["x-request-id"])


def code_of(error, form, request_id):
    if form == "anthropic":
        assert set(error) == {"type", "error", "request_id"}, error
        assert set(error["error"]) == {"type", "message", "code"}
        assert error["type"] == "error"
        assert error["request_id"] == request_id
    else:
        assert set(error) == {"error"}, error
        assert set(error["error"]) == {"message", "type", "param", "code"}
    return error["error"]["code"]
