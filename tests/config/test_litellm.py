"""LiteLLM's dialect means here what it means there, or is an error that says so."""

import pytest

ISSUER = "issuers: [{issuer: 'https://login.example.com', audience: gw}]\n"
PERMISSION = "[{role: internal_user, models: [a]}]"
AUTH = (
    "enable_jwt_auth: true, litellm_jwtauth: {user_roles_jwt_field: roles, user_allowed_roles: [u]"
)
PLACES = {
    "in general_settings": f"general_settings: {{{AUTH}}}, role_permissions: {PERMISSION}}}",
    "in litellm_jwtauth": f"general_settings: {{{AUTH}, role_permissions: {PERMISSION}}}}}",
    "at the top": f"general_settings: {{{AUTH}}}}}\nrole_permissions: {PERMISSION}",
}
ROUTES = {
    "none are written": ("", ("*",)),
    "every model route": ("routes: [llm_api_routes], ", ("chat", "messages")),
    "OpenAI's": ("routes: [openai_routes], ", ("chat",)),
    "Anthropic's": ("routes: [anthropic_routes], ", ("messages",)),
    "a path": ("routes: [/v1/chat/completions], ", ("chat",)),
    "a path without its version": ("routes: [/messages], ", ("messages",)),
    "two that say the same": ("routes: [openai_routes, /chat/completions], ", ("chat",)),
    "routes that need no rule": ("routes: [info_routes, public_routes, /v1/models], ", ()),
    "an empty list": ("routes: [], ", ()),
}


def permission(text):
    return ISSUER + f"role_permissions: [{{role: internal_user, {text}models: [a]}}]"


@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_role_permissions_are_read_in_three_places(settings, text):
    (rule,) = settings(ISSUER + text).rules
    assert (rule.effect, rule.roles, rule.models, rule.endpoints) == (
        "allow",
        ("internal_user",),
        ("a",),
        ("*",),
    )


def test_role_permissions_of_all_places_are_united(settings):
    text = f"""\
general_settings:
  enable_jwt_auth: true
  role_permissions: [{{role: r1, models: [a]}}]
  litellm_jwtauth: {{role_permissions: [{{role: r2, models: [a]}}]}}
role_permissions: [{{role: r3, models: [a]}}]
{ISSUER}"""
    rules = settings(text).rules
    assert [(rule.roles, rule.source.line) for rule in rules] == [
        (("r1",), 3),
        (("r2",), 4),
        (("r3",), 5),
    ]


@pytest.mark.parametrize(("text", "endpoints"), ROUTES.values(), ids=ROUTES)
def test_routes_become_endpoints(settings, text, endpoints):
    assert settings(permission(text)).rules[0].endpoints == endpoints


def test_a_route_that_is_not_ours_is_an_error(told):
    assert (
        "2:66: error: role_permissions[0].routes[1]: is no route of Rolecall; choose among"
        " llm_api_routes, openai_routes, anthropic_routes, /v1/chat/completions,"
        " /chat/completions, /v1/messages, /messages, info_routes, public_routes,"
        " management_routes, spend_tracking_routes, mcp_routes, /v1/models, /models."
    ) in told(permission("routes: [openai_routes, /v1/embeddings], "))


def test_a_permission_without_models_allows_none(configure, told):
    text = ISSUER + "role_permissions: [{role: internal_user}]"
    assert configure(text).settings.rules[0].models == ()
    assert (
        "2:20: warning: role_permissions[0]: names no models, and so allows none; add models."
        in (told(text))
    )


def test_allowed_roles_make_an_internal_user(settings):
    text = f"general_settings: {{{AUTH}}}}}\n" + ISSUER
    loaded = settings(text)
    (mapping,) = loaded.roles
    assert (mapping.role, mapping.any_of, mapping.issuers) == ("internal_user", ("u",), ())
    assert loaded.issuers[0].roles == (("roles",),)


def test_the_roles_field_is_the_claim_path_of_issuers_that_name_none(settings):
    text = """\
general_settings:
  enable_jwt_auth: true
  litellm_jwtauth: {user_roles_jwt_field: 'a.b\\.c', user_allowed_roles: [u]}
issuers:
  - {issuer: 'https://one.example.com', audience: gw}
  - {issuer: 'https://two.example.com', audience: gw, roles: [mine]}
"""
    assert [issuer.roles for issuer in settings(text).issuers] == [(("a", "b.c"),), (("mine",),)]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "{enable_jwt_auth: true, litellm_jwtauth: {user_roles_jwt_field: roles}}",
            (
                "2:60: error: general_settings.litellm_jwtauth: needs user_roles_jwt_field and"
                " user_allowed_roles together."
            ),
        ),
        (
            "{enable_jwt_auth: true, litellm_jwtauth: {user_allowed_roles: [u]}}",
            (
                "2:60: error: general_settings.litellm_jwtauth: needs user_roles_jwt_field and"
                " user_allowed_roles together."
            ),
        ),
        (
            "{litellm_jwtauth: {}}",
            (
                "2:19: error: general_settings: needs enable_jwt_auth: true beside litellm_jwtauth;"
                " Rolecall admits callers by their token alone."
            ),
        ),
        (
            "{enable_jwt_auth: false, litellm_jwtauth: {}}",
            (
                "2:37: error: general_settings.enable_jwt_auth: needs enable_jwt_auth: true beside"
                " litellm_jwtauth; Rolecall admits callers by their token alone."
            ),
        ),
        (
            (
                "{enable_jwt_auth: true, litellm_jwtauth: {user_roles_jwt_field: a..b,"
                " user_allowed_roles: [u]}}"
            ),
            (
                "2:83: error: general_settings.litellm_jwtauth.user_roles_jwt_field: a claim path"
                " has at least one key, and none that is empty."
            ),
        ),
        (
            "{enable_jwt_auth: true, litellm_jwtauth: {enforce_rbac: false}}",
            (
                "2:75: warning: general_settings.litellm_jwtauth.enforce_rbac: has no effect: rules"
                " are always enforced here; set it to true."
            ),
        ),
    ],
    ids=[
        "a field without roles",
        "roles without a field",
        "jwtauth alone",
        "jwtauth while off",
        "an empty key",
        "enforce_rbac off",
    ],
)
def test_a_half_finished_jwtauth_says_what_it_needs(told, text, line):
    assert told(ISSUER + f"general_settings: {text}") == [line]


MODEL_LIST = {
    "model_name": ("model_name: a, ", "a", []),
    "model for model_name, as the page prints it": (
        "model: a, ",
        "a",
        ["2:15: warning: model_list[0].model: is read as model_name; write model_name."],
    ),
}


@pytest.mark.parametrize(("written", "name", "lines"), MODEL_LIST.values(), ids=MODEL_LIST)
def test_a_model_list_entry_names_what_callers_use(configure, told, written, name, lines):
    text = ISSUER + f"model_list: [{{{written}litellm_params: {{model: gpt-4o, api_key: k}}}}]"
    assert [model.name for model in configure(text).settings.models] == [name]
    assert told(text) == lines


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            "litellm_params: {model: gpt-4o, api_key: k}",
            "2:14: error: model_list[0]: needs model_name: the name that callers use.",
        ),
        (
            "model_name: a, model: b, litellm_params: {model: gpt-4o, api_key: k}",
            "2:30: error: model_list[0].model: stands beside model_name; keep model_name.",
        ),
        (
            "model_name: 'openai/*', litellm_params: {model: 'openai/*', api_key: k}",
            (
                "2:27: error: model_list[0].model_name: holds a *; a deployment serves one name,"
                " list each that it serves."
            ),
        ),
        (
            "model_name: a, litellm_params: {model: azure/gpt-4o, api_key: k}",
            (
                "2:54: error: model_list[0].litellm_params.model: does not tell which provider"
                " serves 'azure/gpt-4o'; write openai/azure/gpt-4o (for any OpenAI-compatible"
                " server, with api_base) or anthropic/azure/gpt-4o."
            ),
        ),
        (
            "model_name: a, litellm_params: {model: gpt-4o, api_base: http://gpu.example.com}",
            (
                "2:72: error: model_list[0].litellm_params.api_base: uses plain http, which is"
                " accepted on loopback addresses alone; use https."
            ),
        ),
    ],
    ids=["no name", "two names", "a wildcard", "an unknown provider", "plain http"],
)
def test_a_model_list_entry_that_cannot_be_served_is_an_error(told, entry, line):
    assert told(ISSUER + f"model_list: [{{{entry}}}]") == [line]


def test_the_same_name_may_stand_twice(settings):
    entry = "{model_name: a, litellm_params: {model: gpt-4o, api_key: k}}"
    text = ISSUER + f"model_list: [{entry}, {entry}]\nmodels: [{{name: a, model: gpt-4o}}]"
    assert [model.name for model in settings(text).models] == ["a", "a", "a"]


@pytest.mark.parametrize(
    ("written", "first_byte", "stream"),
    [
        ("", 600, 120),
        ("litellm_settings: {request_timeout: 30}", 30, 120),
        ("router_settings: {timeout: 20}", 20, 20),
        ("router_settings: {timeout: 20, stream_timeout: 5}", 20, 5),
        ("router_settings: {timeout: 20}\nlitellm_settings: {request_timeout: 30}", 20, 20),
    ],
)
def test_deadlines_come_from_the_router_and_the_settings(settings, written, first_byte, stream):
    text = f"model_list: [{{model_name: a, litellm_params: {{model: gpt-4o}}}}]\n{written}\n"
    timeouts = settings(ISSUER + text).models[0].timeouts
    assert (timeouts.first_byte, timeouts.stream) == (first_byte, stream)


def test_an_entry_s_own_deadlines_come_first(settings):
    text = """\
model_list:
  - model_name: a
    litellm_params: {model: gpt-4o, timeout: 7}
  - model_name: b
    litellm_params: {model: gpt-4o, timeout: 7, stream_timeout: 3}
router_settings: {timeout: 20, stream_timeout: 5}
"""
    one, two = (model.timeouts for model in settings(ISSUER + text).models)
    assert (one.first_byte, one.stream) == (7, 7)
    assert (two.first_byte, two.stream) == (7, 3)
