"""What clients are told that look for a token."""

import json

import pytest

from rolecall.gateway.resource import protected_resource

from .parts import serving
from .parts.doors import CHAT, refused
from .parts.http import message
from .parts.tokens import ISSUER, token

PLACE = "/.well-known/oauth-protected-resource"
URL = "https://example.com/llm"


@pytest.fixture(scope="module")
def start(tmp_path_factory, the_upstream):
    def start(**resource):
        folder = tmp_path_factory.mktemp("resource")
        sections = serving.configuration(folder, the_upstream.url, resource=resource)
        return serving.running(folder, sections)

    return start


@pytest.fixture(scope="module")
def below_a_path(start):
    with start(url="https://example.com/llm", scopes=["llm.call"]) as running:
        yield running


def test_c31_the_metadata_are_those_of_the_configured_url(below_a_path):
    reply = below_a_path.raw(message("GET", PLACE, [], host="evil.example"), "GET")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == {
        "resource": "https://example.com/llm",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["llm.call"],
    }


def test_c31_the_path_may_be_inserted(below_a_path):
    inserted = below_a_path.get(f"{PLACE}/llm", authorised=False)
    assert inserted.status == 200
    assert inserted.json == below_a_path.get(PLACE).json


@pytest.mark.parametrize("path", ["/other", "/llm/", "/LLM", "/llm/x", "/", "x"])
def test_c31_no_other_path_has_metadata(below_a_path, path):
    refused(below_a_path.get(PLACE + path, authorised=False), "not_found", "openai")


@pytest.mark.parametrize(
    ("dpop", "with_keys", "expected"),
    [
        (None, False, None),
        ("optional", False, False),
        ("required", False, True),
        # a static key is bound to nothing
        ("required", True, False),
    ],
)
def test_c31_whether_every_token_must_be_bound_is_told(tmp_path, dpop, with_keys, expected):
    sections = serving.configuration(tmp_path, "http://127.0.0.1:9", resource={"url": URL})
    if dpop is not None:
        sections["issuers"][0]["dpop"] = dpop
    if with_keys:
        key = {"hash": f"sha256:{'5a' * 32}", "subject": "a", "roles": ["guest"]}
        sections["keys"] = [{**key, "expires": "never"}]
    told = protected_resource(serving.settings_of(tmp_path, sections))
    assert json.loads(told.document).get("dpop_bound_access_tokens_required") is expected


def test_c31_without_a_configuration_there_are_none(gateway):
    for path in ("", "/llm"):
        sentence = refused(gateway.get(PLACE + path, authorised=False), "not_found", "openai")
        assert "resource:" in sentence


@pytest.mark.parametrize(
    ("reason", "sent", "challenge"),
    [
        ("missing_token", [], ""),
        (
            "malformed_token",
            [("x-api-key", "sk-1")],
            ', error="invalid_token", error_description="malformed_token"',
        ),
        (
            "no_role",
            [("x-api-key", token())],
            ', error="insufficient_scope", error_description="no_role"',
        ),
    ],
)
def test_c31_c34_each_challenge_says_where_the_metadata_are(below_a_path, reason, sent, challenge):
    reply = below_a_path.post(CHAT.path, CHAT.body(), *sent, authorised=False)
    refused(reply, reason, "openai")
    assert reply.headers["www-authenticate"] == (
        f'Bearer realm="rolecall"{challenge}, resource_metadata="https://example.com{PLACE}/llm"'
    )


def test_c31_a_slash_that_only_ends_the_host_is_not_inserted(start):
    with start(url="https://llm.example.com/") as gateway:
        assert gateway.get(PLACE, authorised=False).json["resource"] == "https://llm.example.com/"
        reply = gateway.get("/v1/models", authorised=False)
        challenge = reply.headers["www-authenticate"]
        assert challenge.endswith(f'"https://llm.example.com{PLACE}"')
