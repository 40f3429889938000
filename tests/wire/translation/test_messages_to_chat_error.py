import pytest
from openai.types.shared import ErrorObject

from rolecall.wire import strict_json
from rolecall.wire.translation import messages_answers_to_chat

UNREADABLE = "The upstream answered {} without an error that can be read."

ERRORS = {
    "Anthropic's": (
        429,
        b'{"type":"error","error":{"type":"rate_limit_error","message":"Slow."},"request_id":"r"}',
        ("Slow.", "rate_limit_error"),
    ),
    "without a type": (404, b'{"error":{"message":"No model."}}', ("No model.", "not_found_error")),
    "without a message": (
        400,
        b'{"error":{"type":"invalid_request_error"}}',
        (UNREADABLE.format(400), "invalid_request_error"),
    ),
    "with fields of other types": (
        500,
        b'{"error":{"type":[],"message":{}}}',
        (UNREADABLE.format(500), "api_error"),
    ),
    "of another shape": (529, b'{"detail":"no"}', (UNREADABLE.format(529), "overloaded_error")),
    "not an object": (500, b'["no"]', (UNREADABLE.format(500), "api_error")),
    "a page": (502, b"<html>secret</html>", (UNREADABLE.format(502), "api_error")),
    "nothing": (401, b"", (UNREADABLE.format(401), "authentication_error")),
    "bytes": (418, b"\xff\xfe\x00", (UNREADABLE.format(418), "api_error")),
}


@pytest.mark.parametrize(("status", "body", "wanted"), ERRORS.values(), ids=ERRORS)
def test_an_error_becomes_openais(status, body, wanted):
    error = strict_json.loads(messages_answers_to_chat({}, created=0).error(status, body))
    message, kind = wanted
    shown = {"message": message, "type": kind, "param": None, "code": "upstream_error"}
    assert error == {"error": shown}
    ErrorObject.model_validate(error["error"], strict=True)
