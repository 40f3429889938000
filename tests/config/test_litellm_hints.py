"""Whoever comes from LiteLLM is told what to do about each of its keys that means nothing here."""

import pytest

from rolecall.config.litellm_hints import HINTS
from rolecall.config.schema import (
    GeneralSettings,
    LiteLLMAuth,
    LiteLLMSettings,
    ModelInfo,
    RouterSettings,
)

# the fields of LiteLLM_JWTAuth in LiteLLM 1.110.2 (proxy/_types.py)
LITELLM_JWTAUTH = [
    "admin_jwt_scope",
    "admin_allowed_routes",
    "team_id_jwt_field",
    "team_id_upsert",
    "team_ids_jwt_field",
    "upsert_sso_user_to_team",
    "team_allowed_routes",
    "team_id_default",
    "team_alias_jwt_field",
    "org_id_jwt_field",
    "org_alias_jwt_field",
    "user_id_jwt_field",
    "user_email_jwt_field",
    "user_allowed_email_domain",
    "user_roles_jwt_field",
    "user_allowed_roles",
    "user_id_upsert",
    "end_user_id_jwt_field",
    "agent_id_jwt_field",
    "mcp_client_id_jwt_field",
    "public_key_ttl",
    "public_key_stale_ttl",
    "public_allowed_routes",
    "enforce_rbac",
    "roles_jwt_field",
    "role_mappings",
    "object_id_jwt_field",
    "scope_mappings",
    "enforce_scope_based_access",
    "enforce_team_based_model_access",
    "custom_validate",
    "jwt_litellm_role_map",
    "sync_user_role_and_teams",
    "oidc_userinfo_endpoint",
    "oidc_userinfo_enabled",
    "oidc_userinfo_cache_ttl",
    "virtual_key_claim_field",
    "virtual_key_mapping_cache_ttl",
    "unregistered_jwt_client_behavior",
    "auto_register_map_existing_key",
    "routing_overrides",
    "team_claim_fallback",
    "fallback_to_db_teams",
    "id_jag_requesting_apps",
    "issuers",
]
SECTIONS = {
    "general_settings.litellm_jwtauth": LiteLLMAuth,
    "general_settings": GeneralSettings,
    "model_list.model_info": ModelInfo,
    "router_settings": RouterSettings,
    "litellm_settings": LiteLLMSettings,
}


@pytest.mark.parametrize("key", LITELLM_JWTAUTH)
def test_every_key_of_litellm_jwtauth_is_read_or_has_a_hint(key):
    hinted = f"general_settings.litellm_jwtauth.{key}" in HINTS
    assert (key in LiteLLMAuth.model_fields) is not hinted


@pytest.mark.parametrize("path", HINTS)
def test_a_hint_is_about_a_key_that_is_not_read_and_is_one_sentence(path):
    section, _, key = path.rpartition(".")
    if section:
        assert key not in SECTIONS[section].model_fields
    assert not HINTS[path].endswith(".")
    assert "\n" not in HINTS[path]


def test_a_hint_is_told_with_the_line(told):
    text = """\
general_settings:
  litellm_jwtauth:
    team_alias_jwt_field: team
"""
    (line,) = told(text)
    assert line == (
        "3:5: error: general_settings.litellm_jwtauth.team_alias_jwt_field: unknown key: there is"
        " no database of names; name the claim that holds the ID."
    )
