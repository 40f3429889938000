"""LiteLLM's documented behaviour, written down straight: who may call a model at a route.

After LiteLLM's documentation of JWT permissions, scopes and access groups. What differs here on
purpose is left out of the worlds that are compared: a role without permissions, a call without a
model, and a token that two roles fit (LiteLLM takes the first).
"""

from datetime import datetime, time
from zoneinfo import ZoneInfo

ROUTES = {
    "openai_routes": {"/v1/chat/completions"},
    "anthropic_routes": {"/v1/messages"},
    "llm_api_routes": {"/v1/chat/completions", "/v1/messages"},
    "info_routes": {"/v1/models"},
}


def at(claims, dotted):
    for key in dotted.split("."):
        claims = claims.get(key) if isinstance(claims, dict) else None
    return claims


def names(models, groups):
    """Models by name, and those of the groups that are named."""
    return {m for name in models or () for m in {name, *groups.get(name, ())}}


def on_route(routes, route):
    return routes is None or any(route in ROUTES.get(one, {one}) for one in routes)


def role_of(auth, claims):
    """The internal role: the first that fits."""
    scopes = str(claims.get("scope", "")).split()
    if auth.get("admin_jwt_scope") in scopes:
        return "proxy_admin"
    if auth.get("team_id_jwt_field") and at(claims, auth["team_id_jwt_field"]):
        return "team"
    values = at(claims, auth["user_roles_jwt_field"]) if auth.get("user_roles_jwt_field") else []
    if set(values or ()) & set(auth.get("user_allowed_roles", ())):
        return "internal_user"
    held = at(claims, auth["roles_jwt_field"]) if auth.get("roles_jwt_field") else []
    for mapping in auth.get("role_mappings", ()):
        if mapping["role"] in (held or ()):
            return mapping["internal_role"]
    return None


def reserved(config, claims, model, now):
    """Whether the model is for other teams at this time of the day."""
    auth = config["general_settings"]["litellm_jwtauth"]
    team = at(claims, auth["team_id_jwt_field"]) if auth.get("team_id_jwt_field") else None
    windows = [
        window
        for entry in config["model_list"]
        if entry["model_name"] == model
        for window in entry.get("model_info", {}).get("access_windows", ())
    ]
    active = [window for window in windows if is_open(window, now)]
    return bool(active) and not any(team in window["team_ids"] for window in active)


def is_open(window, now):
    local = datetime.fromtimestamp(now, ZoneInfo(window["timezone"])).time()
    start, end = (time.fromisoformat(window[key]) for key in ("start", "end"))
    return start <= local < end if start < end else local >= start or local < end


def allowed(config, claims, model, route, now=0.0):
    """Whether LiteLLM lets a token call a model at a route."""
    return permitted(config, claims, model, route) and not reserved(config, claims, model, now)


def permitted(config, claims, model, route):
    """The same but for the time of the day."""
    general = config["general_settings"]
    auth = general["litellm_jwtauth"]
    groups = {}
    for entry in config["model_list"]:
        for group in entry.get("model_info", {}).get("access_groups", ()):
            groups.setdefault(group, set()).add(entry["model_name"])
    role = role_of(auth, claims)
    for rule in general.get("access_group_rules", ()):
        kind, _, path = rule["attribute"].partition(".")
        value = {"user_id": claims.get("sub"), "user_role": role}.get(kind, at(claims, path))
        fits = value == rule["equals"] if "equals" in rule else rule["contains"] in (value or ())
        if fits and model in groups.get(rule["access_group"], ()):
            return True
    permission = next((one for one in general["role_permissions"] if one["role"] == role), None)
    if permission is None:
        return False
    if model not in names(permission["models"], groups):
        return False
    if not on_route(permission.get("routes"), route):
        return False
    if role == "team" and not on_route(auth.get("team_allowed_routes"), route):
        return False
    if not auth.get("enforce_scope_based_access"):
        return True
    scopes = str(claims.get("scope", "")).split()
    return any(
        mapping["scope"] in scopes
        and model in names(mapping["models"], groups)
        and on_route(mapping.get("routes"), route)
        for mapping in auth["scope_mappings"]
    )
