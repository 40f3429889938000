"""What clients are told that look for a token."""

import pytest

from .parts import serving
from .parts.doors import CHAT, refused
from .parts.http import message
from .parts.tokens import ISSUER, token

PLACE = "/.well-known/oauth-protected-resource"


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
