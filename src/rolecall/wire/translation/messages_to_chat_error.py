"""Anthropic's errors as OpenAI's, in a body and in a stream.

Sources: Anthropic's "Errors" (shapes and types by status); the OpenAI API reference, "Error codes".
"""

from typing import Any, Final

from rolecall.core import Reason, Refusal
from rolecall.wire import strict_json

_TYPE_BY_STATUS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_OTHER_TYPE: Final = "api_error"


def error_body(status: int, body: bytes) -> bytes:
    """The body of a failure in OpenAI's shape.

    The message and the type are the upstream's where they can be read. What is not Anthropic's
    JSON, such as a proxy's page, is not shown to the caller.
    """
    try:
        parsed = strict_json.loads(body)
    except Refusal:
        parsed = None
    return error_json(
        parsed,
        message=f"The upstream answered {status} without an error that can be read.",
        kind=_TYPE_BY_STATUS.get(status, _OTHER_TYPE),
    )


def error_json(parsed: Any, *, message: str, kind: str = _OTHER_TYPE) -> bytes:
    """OpenAI's error for a parsed error of Anthropic.

    Args:
        parsed: Anthropic's error object, or anything else.
        message: what is said where it holds no message.
        kind: the type where it holds none.
    """
    error = parsed.get("error") if isinstance(parsed, dict) else None
    if isinstance(error, dict):
        message = _text(error.get("message")) or message
        kind = _text(error.get("type")) or kind
    shown = {"message": message, "type": kind, "param": None, "code": Reason.UPSTREAM_ERROR.value}
    return strict_json.dumps({"error": shown})


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
