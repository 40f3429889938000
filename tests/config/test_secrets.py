"""A secret never appears: not in an error, a warning, a traceback, a repr, or an explanation."""

import json
import traceback

import pytest

from rolecall.config import ConfigurationError
from rolecall.core import Call, Caller, RoleClaim
from rolecall.policy import assign_roles, compile_policy, explain

SECRET = "sk-S3CRET"
ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
ON = "general_settings: {enable_jwt_auth: true}\n"
KEYS = {"JWT_PUBLIC_KEY_URL": "https://idp.example.com/jwks", "JWT_AUDIENCE": "gw"}

USABLE = {
    "in the first line of a model": (
        ISSUER + f"models:\n  - api_key: {SECRET}\n    name: a\n    model: gpt-4o\n",
        {},
    ),
    "in a model of one line": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: {SECRET}}}]",
        {},
    ),
    "in a model of LiteLLM's": (
        ISSUER
        + f"model_list: [{{model: a, litellm_params: {{model: gpt-4o, api_key: {SECRET}}}}}]",
        {},
    ),
    "in a file of one line": (
        json.dumps(
            {
                "issuers": [{"issuer": "https://login.example.com", "audience": "gw"}],
                "roles": [{"role": "staff"}, {"role": "idle"}],
                "rules": [{"allow": ["staff"], "models": ["a", "absent"]}],
                "models": [{"name": "a", "model": "gpt-4o", "api_key": SECRET}],
            }
        ),
        {},
    ),
    "by reference": (
        ISSUER + "models: [{name: a, model: gpt-4o, api_key: os.environ/KEY}]",
        {"KEY": SECRET},
    ),
    "in the provider's variable": (
        ISSUER + "models: [{name: a, model: gpt-4o}]",
        {"OPENAI_API_KEY": SECRET},
    ),
}
FAULTY = {
    "beside an unknown key": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: {SECRET}, x: 1}}]",
        {},
    ),
    "under an unknown key": (ISSUER + f"database_url: postgres://u:{SECRET}@db/x\n", {}),
    "under a misspelt key": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, apikey: {SECRET}}}]",
        {},
    ),
    "as LiteLLM's master key": (
        f"general_settings: {{enable_jwt_auth: true, master_key: {SECRET}}}",
        KEYS,
    ),
    "as a list": (ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: [{SECRET}]}}]", {}),
    "as a mapping": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: {{k: {SECRET}}}}}]",
        {},
    ),
    "too long": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: {SECRET + 'x' * 3000}}}]",
        {},
    ),
    "twice": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: {SECRET}, api_key: {SECRET}}}]",
        {},
    ),
    "as a number of a timeout": (
        ISSUER + "models: [{name: a, model: gpt-4o, timeout: os.environ/KEY}]",
        {"KEY": SECRET},
    ),
    "as a provider": (
        ISSUER + "models: [{name: a, model: gpt-4o, provider: os.environ/KEY}]",
        {"KEY": SECRET},
    ),
    "beginning with a star": (ISSUER + f"models: [{{api_key: *{SECRET}}}]", {}),
    "beginning with an exclamation mark": (ISSUER + f"models: [{{api_key: !{SECRET} x}}]", {}),
    "as a tag's handle": (ISSUER + f"models: [{{api_key: !{SECRET}!x }}]", {}),
    "as an anchor twice": (ISSUER + f"models: [{{a: &{SECRET} x, b: &{SECRET} y}}]", {}),
    "beginning with a per cent sign": (ISSUER + f"models:\n  - api_key: %{SECRET}", {}),
    "with a colon": (ISSUER + f"models:\n  - api_key: {SECRET}: x", {}),
    "in an open quote": (ISSUER + f"models:\n  - api_key: '{SECRET}\n", {}),
    "beside a bracket too few": (ISSUER + f"models: [{{api_key: {SECRET}}}", {}),
    "where a variable is to be named": (
        ISSUER + f"models: [{{name: a, model: gpt-4o, api_key: os.environ/{SECRET}}}]",
        {},
    ),
    "in an upstream's URL": (
        ISSUER
        + f"models: [{{name: a, model: gpt-4o, api_base: 'https://u:{SECRET}@api.example.com'}}]",
        {},
    ),
    "in a key set's URL": (
        f"issuers: [{{issuer: i, audience: gw, jwks_url: 'https://u:{SECRET}@idp/jwks'}}]",
        {},
    ),
    "in an issuer": (f"issuers: [{{issuer: 'https://u:{SECRET}@idp', audience: gw}}]", {}),
    "in JWT_PUBLIC_KEY_URL": (
        ON,
        KEYS | {"JWT_PUBLIC_KEY_URL": f"https://u:{SECRET}@idp.example.com/jwks"},
    ),
    "in the query of JWT_PUBLIC_KEY_URL": (
        ON,
        KEYS | {"JWT_PUBLIC_KEY_URL": f"https://idp.example.com/jwks?key={SECRET}"},
    ),
    "in the environment": (ON + "zzz: 1", KEYS | {"OPENAI_API_KEY": SECRET, "X": SECRET}),
}
CALLER = Caller("https://login.example.com", "ada", role_claims=(RoleClaim(("roles",), "staff"),))


def everything_said(configure, text, environ, allow_unknown):
    try:
        return repr(configure(text, environ, allow_unknown=allow_unknown))
    except ConfigurationError as error:
        said = [str(error), repr(error), repr(error.problems), *traceback.format_exception(error)]
        return "\n".join(said)


@pytest.mark.parametrize(("text", "environ"), USABLE.values(), ids=USABLE)
def test_a_secret_that_is_used_is_not_shown(configure, text, environ):
    loaded = configure(text, environ)
    assert loaded.settings.models[0].api_key == SECRET
    table = compile_policy(loaded.settings.roles, loaded.settings.rules)
    explanation = explain(table, assign_roles(table, CALLER), Call("chat", "a"))
    shown = [repr(loaded), str(loaded), repr(explanation), json.dumps(explanation.as_json())]
    assert SECRET not in "\n".join([*shown, *map(str, loaded.warnings)])


@pytest.mark.parametrize("allow_unknown", [False, True])
@pytest.mark.parametrize(("text", "environ"), FAULTY.values(), ids=FAULTY)
def test_a_secret_beside_a_fault_is_not_shown(configure, text, environ, allow_unknown):
    assert SECRET not in everything_said(configure, text, environ, allow_unknown)


@pytest.mark.parametrize(("text", "environ"), FAULTY.values(), ids=FAULTY)
def test_each_of_these_is_a_fault(configure, text, environ):
    with pytest.raises(ConfigurationError):
        configure(text, environ)


def test_the_sections_as_written_do_not_show_keys_either():
    from rolecall.config.document import Document, parse
    from rolecall.config.schema import File

    for text, _ in list(USABLE.values())[:4]:
        document = parse(text, Document("rolecall.yaml"))
        assert SECRET not in repr(document)
        assert SECRET not in repr(File.model_validate(document.data))
