"""LiteLLM's dialect decides here as LiteLLM documents it, where we do not differ on purpose."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from rolecall.config.document import Document, parse
from rolecall.config.loading import load_document
from rolecall.core import Call, Circumstances, Parameters
from rolecall.identity import caller_from
from rolecall.policy import assign_roles, compile_policy, decide

from .parts import litellm_model

MODELS = ["m1", "m2", "g1"]
ROUTES = {"/v1/chat/completions": "chat", "/v1/messages": "messages"}
GROUPS = ["g1", "g2"]
SCOPES = ["s1", "s2"]

models = st.lists(st.sampled_from([*MODELS, *GROUPS]), max_size=2, unique=True)
routes = st.none() | st.lists(
    st.sampled_from([*litellm_model.ROUTES, *ROUTES]), min_size=1, max_size=2, unique=True
)


def without_none(**said):
    return {key: value for key, value in said.items() if value is not None}


def permission(role):
    return st.builds(lambda m, r: without_none(role=role, models=m, routes=r), models, routes)


scope_mappings = st.lists(
    st.builds(
        lambda s, m, r: without_none(scope=s, models=m, routes=r),
        st.sampled_from(SCOPES),
        models,
        routes,
    ),
    min_size=1,
    max_size=2,
)
group_rules = st.lists(
    st.sampled_from(
        [
            {"attribute": "jwt_claims.groups", "contains": "ml", "access_group": "g1"},
            {"attribute": "jwt_claims.org.unit", "equals": "lab", "access_group": "g2"},
            {"attribute": "user_id", "equals": "ada", "access_group": "g2"},
            {"attribute": "jwt_claims.groups", "contains": "x", "access_group": "none"},
        ]
    ),
    max_size=2,
)
windows = st.lists(
    st.tuples(
        st.sampled_from(["00:00", "08:00", "09:30", "17:00:05", "23:00"]),
        st.sampled_from(["00:00", "08:00", "09:30", "17:00:05", "23:00"]),
        st.sampled_from(["Europe/Berlin", "Asia/Kolkata", "UTC"]),
        st.lists(st.sampled_from(["t1", "t2"]), min_size=1, max_size=2, unique=True),
    )
    .filter(lambda said: said[0] != said[1])
    .map(lambda said: dict(zip(("start", "end", "timezone", "team_ids"), said, strict=True))),
    max_size=3,
)
times = st.floats(0, 400 * 86_400) | st.sampled_from([0.0, 28_800.0, 34_200.0, 57_605.0])
configs = st.builds(
    lambda permissions, scopes, rules, team_routes, memberships, of_models: {
        "general_settings": without_none(
            enable_jwt_auth=True,
            litellm_jwtauth=without_none(
                user_roles_jwt_field="resource_access.client.roles",
                user_allowed_roles=["basic_user"],
                admin_jwt_scope="admin",
                team_id_jwt_field="team",
                roles_jwt_field="roles",
                role_mappings=[{"role": "mapped", "internal_role": "internal_user"}],
                enforce_rbac=True,
                enforce_scope_based_access=True if scopes else None,
                scope_mappings=scopes,
                team_allowed_routes=team_routes,
            ),
            role_permissions=permissions,
            access_group_rules=rules,
        ),
        "model_list": [
            {
                "model_name": name,
                "litellm_params": {"model": "gpt-4o", "api_key": "k"},
                "model_info": {
                    "access_groups": memberships.get(name, []),
                    "access_windows": of_models.get(name, []),
                },
            }
            for name in MODELS
        ],
    },
    # every role has its permissions: without any, LiteLLM would allow everything
    st.tuples(permission("internal_user"), permission("team"), permission("proxy_admin")).map(list),
    st.none() | scope_mappings,
    group_rules,
    routes,
    st.dictionaries(
        st.sampled_from(MODELS), st.lists(st.sampled_from(GROUPS), max_size=2, unique=True)
    ),
    st.dictionaries(st.sampled_from(MODELS), windows),
)
# one role each, since LiteLLM takes the first that fits and here all are united
identities = st.sampled_from(
    [
        {"resource_access": {"client": {"roles": ["basic_user", "other"]}}},
        {"resource_access": {"client": {"roles": ["other"]}}},
        {"roles": ["mapped"]},
        {"roles": ["basic_user"]},
        {"team": "t1"},
        {"team": "t2"},
        {},
    ]
)
tokens = st.builds(
    lambda identity, scopes, groups, unit, sub: {
        **identity,
        **without_none(scope=scopes, groups=groups, org=unit and {"unit": unit}),
        "sub": sub,
    },
    identities,
    st.none() | st.lists(st.sampled_from(SCOPES), max_size=2).map(" ".join),
    st.none() | st.sampled_from([["ml"], ["x", "y"], []]),
    st.none() | st.sampled_from(["lab", "hq"]),
    st.sampled_from(["ada", "eve"]),
)


def decided(config, claims, model, endpoint, now=0.0):
    document = parse(yaml.safe_dump(config), Document("litellm.yaml"))
    loaded = load_document(document, {}, offline=True).settings
    table = compile_policy(loaded.roles, loaded.rules)
    caller = assign_roles(table, caller_from(loaded.issuers[0], claims))
    call = Call(endpoint, model, parameters=Parameters())
    return decide(table, caller, call, Circumstances(now)).allowed


@settings(max_examples=300)
@given(configs, tokens, st.sampled_from([*MODELS, "absent"]), st.sampled_from(list(ROUTES)), times)
def test_the_shared_dialect_decides_as_litellm_documents_it(config, claims, model, route, now):
    assert decided(config, claims, model, ROUTES[route], now) == litellm_model.allowed(
        config, claims, model, route, now
    )


CONFIG = {
    "general_settings": {
        "enable_jwt_auth": True,
        "litellm_jwtauth": {
            "user_roles_jwt_field": "roles",
            "user_allowed_roles": ["basic_user"],
            "enforce_rbac": True,
        },
        "role_permissions": [{"role": "internal_user", "models": ["m1"]}],
    },
    "model_list": [{"model_name": "m1", "litellm_params": {"model": "gpt-4o", "api_key": "k"}}],
}


@pytest.mark.parametrize(
    ("claims", "model", "ours"),
    [
        ({"sub": "ada", "roles": ["basic_user"]}, "m1", True),
        ({"sub": "ada", "roles": []}, "m1", False),
        ({"sub": "ada", "roles": ["basic_user"]}, "m2", False),
    ],
)
def test_the_page_s_own_case_is_shared(claims, model, ours):
    assert decided(CONFIG, claims, model, "chat") is ours
    assert litellm_model.allowed(CONFIG, claims, model, "/v1/chat/completions") is ours


def test_a_role_without_permissions_is_refused_where_litellm_allows():
    config = {
        **CONFIG,
        "general_settings": {**CONFIG["general_settings"], "role_permissions": []},
    }
    assert not decided(config, {"sub": "ada", "roles": ["basic_user"]}, "m1", "chat")


def test_roles_are_united_where_litellm_takes_the_first():
    auth = {**CONFIG["general_settings"]["litellm_jwtauth"], "team_id_jwt_field": "team"}
    config = {
        **CONFIG,
        "general_settings": {**CONFIG["general_settings"], "litellm_jwtauth": auth},
    }
    claims = {"sub": "ada", "roles": ["basic_user"], "team": "t"}
    assert decided(config, claims, "m1", "chat")
    assert not litellm_model.allowed(config, claims, "m1", "/v1/chat/completions")


def test_scopes_alone_open_models_where_there_are_no_permissions():
    auth = {
        "enforce_scope_based_access": True,
        "scope_mappings": [{"scope": "llm.small", "models": ["m1"]}],
    }
    general = {"enable_jwt_auth": True, "litellm_jwtauth": auth}
    config = {**CONFIG, "general_settings": general}
    assert decided(config, {"sub": "ada", "scope": "openid llm.small"}, "m1", "chat")
    assert not decided(config, {"sub": "ada", "scope": "llm.small"}, "m2", "chat")
    assert not decided(config, {"sub": "ada", "scope": "openid"}, "m1", "chat")
