"""The original page, walked with a real Keycloak, a real model and the vendors' own clients."""

import anthropic
import openai
import pytest

from .parts import gateway as gateways
from .parts.clients import anthropic_client, openai_client
from .parts.keycloak import CLIENT, WORKLOAD

pytestmark = pytest.mark.e2e

PAGE = """
general_settings:
  enable_jwt_auth: True
  litellm_jwtauth:
    user_roles_jwt_field: "resource_access.litellm-test-client-id.roles"
    user_allowed_roles: ["basic_user"]
    enforce_rbac: true
  role_permissions:
    - role: internal_user
      models: ["anthropic-claude"]

model_list:
  - model: anthropic-claude
    litellm_params:
      model: claude-3-5-haiku-20241022
      api_base: {model}
      api_key: os.environ/ANTHROPIC_API_KEY
  - model: openai-gpt-4o
    litellm_params:
      model: gpt-4o
      api_base: {model}
      api_key: os.environ/OPENAI_API_KEY
"""
CALL = {
    "model": "anthropic-claude",
    "max_tokens": 8,
    "messages": [{"role": "user", "content": "Tell me about the sea."}],
}
FORBIDDEN = CALL | {"model": "openai-gpt-4o"}


@pytest.fixture(scope="module")
def page(keycloak, local_model):
    """The page's configuration and the environment that it asks for."""
    return {
        "config": PAGE.format(model=local_model.base_url),
        "JWT_PUBLIC_KEY_URL": keycloak.key_set_url,
        "JWT_AUDIENCE": CLIENT,
        "ANTHROPIC_API_KEY": "the-company-key",
        "OPENAI_API_KEY": "the-company-key",
    }


@pytest.fixture(scope="module")
def url(page, tmp_path_factory):
    with gateways.running(tmp_path_factory.mktemp("page"), **page) as gateway:
        yield gateway.url


@pytest.fixture
def alice(keycloak):
    return keycloak.sign_in("alice")["access_token"]


@pytest.fixture
def bob(keycloak):
    return keycloak.sign_in("bob")["access_token"]


def test_alice_streams_with_anthropics_client(url, alice):
    with anthropic_client(url, alice) as client, client.messages.stream(**CALL) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 1
    assert "".join(pieces) == message.content[0].text
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 8


def test_alice_streams_with_openais_client(url, alice):
    options = {"stream": True, "stream_options": {"include_usage": True}}
    with (
        openai_client(url, alice) as client,
        client.chat.completions.create(**CALL, **options) as stream,
    ):
        *chunks, last = stream
    assert len([chunk for chunk in chunks if chunk.choices[0].delta.content]) > 1
    assert chunks[-1].choices[0].finish_reason == "length"
    assert last.usage.completion_tokens == 8


def test_a_workload_calls_with_its_own_es256_token(url, keycloak):
    token = keycloak.sign_in_workload(WORKLOAD)["access_token"]
    with openai_client(url, token) as client:
        answer = client.chat.completions.create(**CALL)
    assert answer.choices[0].message.content


def test_the_other_model_is_refused_to_alice(url, alice):
    with openai_client(url, alice) as client, pytest.raises(openai.PermissionDeniedError) as chat:
        client.chat.completions.create(**FORBIDDEN)
    assert chat.value.code == "model_not_allowed"
    assert "anthropic-claude" in chat.value.message

    with (
        anthropic_client(url, alice) as client,
        pytest.raises(anthropic.PermissionDeniedError) as messages,
    ):
        client.messages.create(**FORBIDDEN)
    assert messages.value.body["error"]["code"] == "model_not_allowed"
    assert messages.value.type == "permission_error"


def test_everything_is_refused_to_bob_who_has_no_role(url, bob):
    with openai_client(url, bob) as client:
        with pytest.raises(openai.PermissionDeniedError) as chat:
            client.chat.completions.create(**CALL)
        with pytest.raises(openai.PermissionDeniedError) as models:
            client.models.list()
    assert chat.value.code == models.value.code == "no_role"

    with (
        anthropic_client(url, bob) as client,
        pytest.raises(anthropic.PermissionDeniedError) as messages,
    ):
        client.messages.create(**CALL)
    assert messages.value.body["error"]["code"] == "no_role"


def test_the_list_of_models_is_what_alice_may_call(url, alice):
    with openai_client(url, alice) as client:
        assert [model.id for model in client.models.list()] == ["anthropic-claude"]
    with anthropic_client(url, alice) as client:
        assert [model.id for model in client.models.list()] == ["anthropic-claude"]


def test_an_id_token_is_no_access_token(url, keycloak):
    id_token = keycloak.sign_in("alice")["id_token"]
    with (
        openai_client(url, id_token) as client,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        client.chat.completions.create(**CALL)
    assert refused.value.code == "wrong_token_kind"


def test_the_first_token_of_a_new_key_is_accepted(start_gateway, page, keycloak, alice):
    gateway = start_gateway(**page)
    with openai_client(gateway.url, alice) as client:
        client.models.list()
    keycloak.rotate_key()
    fresh = keycloak.sign_in("alice")["access_token"]
    assert fresh.partition(".")[0] != alice.partition(".")[0]  # the headers name different keys
    for token in (fresh, alice):
        with openai_client(gateway.url, token) as client:
            assert [model.id for model in client.models.list()] == ["anthropic-claude"]
