import json

import pytest

from rolecall.core import STATUS, Reason, Refusal
from rolecall.wire.errors import error_body, error_event, foreign_error

TYPES = {
    400: ("invalid_request_error", "invalid_request_error"),
    401: ("authentication_error", "authentication_error"),
    403: ("permission_error", "permission_error"),
    404: ("not_found_error", "not_found_error"),
    413: ("invalid_request_error", "request_too_large"),
    415: ("invalid_request_error", "invalid_request_error"),
    429: ("rate_limit_error", "rate_limit_error"),
    500: ("api_error", "api_error"),
    502: ("api_error", "api_error"),
    503: ("api_error", "overloaded_error"),
    504: ("api_error", "timeout_error"),
}


@pytest.mark.parametrize("reason", Reason)
def test_every_refusal_is_told_in_both_formats(reason):
    refusal = Refusal(reason, "No, Zoë.", param="model")
    openai, anthropic = TYPES[STATUS[reason]]
    assert json.loads(error_body("openai", refusal, "r1")) == {
        "error": {"message": "No, Zoë.", "type": openai, "param": "model", "code": reason.value}
    }
    assert json.loads(error_body("anthropic", refusal, "r1")) == {
        "type": "error",
        "error": {"type": anthropic, "message": "No, Zoë.", "code": reason.value},
        "request_id": "r1",
    }


def test_an_error_is_one_event_of_the_callers_format():
    refusal = Refusal(Reason.UPSTREAM_ERROR, 'It broke:\n\ndata: "x"')
    openai, anthropic = (error_event(form, refusal, "r1") for form in ("openai", "anthropic"))
    assert openai == b"data: " + error_body("openai", refusal, "r1") + b"\n\n"
    body = error_body("anthropic", refusal, "r1")
    assert anthropic == b"event: error\ndata: " + body + b"\n\n"
    for event in (openai, anthropic):
        assert event.count(b"\n\n") == 1


@pytest.mark.parametrize(("status", "types"), [*TYPES.items(), (529, ("api_error", "api_error"))])
def test_an_error_page_of_an_upstream_keeps_its_status_alone(status, types):
    openai, anthropic = (
        json.loads(foreign_error(form, status, "r1"))["error"] for form in ("openai", "anthropic")
    )
    assert (openai["type"], anthropic["type"]) == types
    assert openai["code"] == anthropic["code"] == "upstream_error"
    assert openai["message"] == f"The upstream answered with status {status}."
