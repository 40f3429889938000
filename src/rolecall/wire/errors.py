"""Error bodies and error events in the format that the caller speaks."""

from typing import Any, Final, Literal

from rolecall.core import Reason, Refusal
from rolecall.wire import strict_json

Format = Literal["openai", "anthropic"]

_OPENAI_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error_body(form: Format, refusal: Refusal, request_id: str) -> bytes:
    """The body of a refusal.

    OpenAI: ``{"error": {"message", "type", "param", "code"}}``. Anthropic: ``{"type": "error",
    "error": {"type", "message", "code"}, "request_id"}``. ``code`` is the reason code.
    """
    return strict_json.dumps(
        _error(form, refusal.status, refusal.message, refusal.reason, refusal.param, request_id)
    )


def error_event(form: Format, refusal: Refusal, request_id: str) -> bytes:
    """The event that ends a stream which failed after its first byte."""
    data = error_body(form, refusal, request_id)
    if form == "anthropic":
        return b"event: error\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


def foreign_error(form: Format, status: int, request_id: str) -> bytes:
    """The body for an upstream's error whose own body is no JSON: a proxy's page, or nothing."""
    message = f"The upstream answered with status {status}."
    return strict_json.dumps(_error(form, status, message, Reason.UPSTREAM_ERROR, None, request_id))


def _error(  # noqa: PLR0913, PLR0917 - the members of the two formats
    form: Format, status: int, message: str, code: str, param: str | None, request_id: str
) -> dict[str, Any]:
    other = "api_error" if status >= 500 else "invalid_request_error"
    if form == "anthropic":
        return {
            "type": "error",
            "error": {
                "type": _ANTHROPIC_TYPES.get(status, other),
                "message": message,
                "code": code,
            },
            "request_id": request_id,
        }
    return {
        "error": {
            "message": message,
            "type": _OPENAI_TYPES.get(status, other),
            "param": param,
            "code": code,
        }
    }
