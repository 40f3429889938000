"""What to do about keys of LiteLLM that mean nothing here."""

from collections.abc import Mapping
from typing import Final

_NO_DATABASE: Final = "users and teams are those of the token, and kept nowhere; remove it"
_NO_ALIAS: Final = "there is no database of names; name the claim that holds the ID"
_NO_STORED_KEYS: Final = "tokens are not exchanged for stored keys; write rules for their roles"
_NO_CALLBACKS: Final = "there are no callbacks; remove it"
_NOT_YET: Final = "calls are not retried and go to no other model; remove it"
_NO_PRICES: Final = "prices and limits of models are not kept here; remove it"

_AUTH: Final[Mapping[str, str]] = {
    "custom_validate": "Python code is not loaded from the configuration; write require: at the"
    " issuer for claims that must have a value, or when: at a role for a condition over all of"
    " them",
    "enforce_team_based_model_access": "teams have no models of their own here; write a role with"
    " when: over caller.teams, and rules for it",
    "user_id_upsert": _NO_DATABASE,
    "team_id_upsert": _NO_DATABASE,
    "team_id_default": _NO_DATABASE,
    "sync_user_role_and_teams": _NO_DATABASE,
    "upsert_sso_user_to_team": _NO_DATABASE,
    "fallback_to_db_teams": _NO_DATABASE,
    "team_claim_fallback": _NO_DATABASE,
    "team_alias_jwt_field": _NO_ALIAS,
    "org_alias_jwt_field": _NO_ALIAS,
    "jwt_litellm_role_map": "write role_mappings, or roles: with any_of",
    "agent_id_jwt_field": "agents are callers like others; write a role with clients: or when:",
    "mcp_client_id_jwt_field": "there is no MCP endpoint; remove it",
    "public_allowed_routes": "what needs no token is fixed: the health endpoints; remove it",
    "virtual_key_claim_field": _NO_STORED_KEYS,
    "virtual_key_mapping_cache_ttl": _NO_STORED_KEYS,
    "unregistered_jwt_client_behavior": _NO_STORED_KEYS,
    "auto_register_map_existing_key": _NO_STORED_KEYS,
    "routing_overrides": "write introspection: or userinfo: at the issuers that have opaque tokens",
    "id_jag_requesting_apps": "write clients: at the issuer; remove it",
}
_GENERAL: Final[Mapping[str, str]] = {
    "database_url": "Rolecall keeps no database; remove it",
    "store_model_in_db": "Rolecall keeps no database; remove it",
    "allowed_routes": "write routes in role_permissions, or endpoints in rules",
    "enforce_rbac": "write it under litellm_jwtauth",
    "user_api_key_cache_ttl": "a verdict on a token is remembered until it expires; remove it",
    "custom_auth": "Python code is not loaded from the configuration; trust an issuer, or write"
    " keys:",
}
_MODEL_INFO: Final[Mapping[str, str]] = dict.fromkeys(
    (
        "id",
        "mode",
        "base_model",
        "tier",
        "max_tokens",
        "max_input_tokens",
        "max_output_tokens",
        "input_cost_per_token",
        "output_cost_per_token",
        "supports_function_calling",
        "supports_vision",
    ),
    _NO_PRICES,
)
_ROUTER: Final[Mapping[str, str]] = {
    "fallbacks": _NOT_YET,
    "num_retries": _NOT_YET,
    "routing_strategy": "deployments of one name take turns; remove it",
    "model_group_alias": "write another model_list entry of that name",
}
_SETTINGS: Final[Mapping[str, str]] = {
    "callbacks": _NO_CALLBACKS,
    "success_callback": _NO_CALLBACKS,
    "failure_callback": _NO_CALLBACKS,
    "num_retries": _NOT_YET,
    "fallbacks": _NOT_YET,
    "drop_params": "nothing is dropped in silence: a field that a provider cannot take is refused;"
    " remove it",
    "set_verbose": "write --log-format at rolecall serve; remove it",
}


def _below(section: str, hints: Mapping[str, str]) -> dict[str, str]:
    return {f"{section}.{key}": hint for key, hint in hints.items()}


HINTS: Final[Mapping[str, str]] = {
    **_below("general_settings.litellm_jwtauth", _AUTH),
    **_below("general_settings", _GENERAL),
    **_below("model_list.model_info", _MODEL_INFO),
    **_below("router_settings", _ROUTER),
    **_below("litellm_settings", _SETTINGS),
    "environment_variables": "set variables in the environment of the process",
}
"""By their paths without list positions."""
