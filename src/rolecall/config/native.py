"""Roles and rules as they are written in the native dialect, whatever they were written in."""

from dataclasses import asdict
from typing import Any

from rolecall.config.instants import write_instant
from rolecall.config.layout import write
from rolecall.config.settings import Settings
from rolecall.core import Ceilings, RoleMapping, Rule


def native_policy(settings: Settings) -> str:
    """The ``conditions:``, ``roles:`` and ``rules:`` of a configuration, as YAML."""
    sections: dict[str, Any] = {}
    if settings.condition_headers:
        sections["conditions"] = {"headers": sorted(settings.condition_headers)}
    sections["roles"] = [_role(mapping) for mapping in settings.roles]
    # a rule that names no model or no endpoint opens nothing, and cannot be written
    rules = [rule for rule in settings.rules if rule.models and rule.endpoints]
    sections["rules"] = [_rule(rule) for rule in rules]
    return write(sections)


def _role(mapping: RoleMapping) -> dict[str, Any]:
    said: dict[str, Any] = {"role": mapping.role}
    for key in ("any_of", "all_of", "none_of", "groups", "scopes", "clients", "issuers"):
        if names := getattr(mapping, key):
            said[key] = list(names)
    if mapping.claims:
        said["claims"] = [list(path) for path in mapping.claims]
    if mapping.when is not None:
        said["when"] = mapping.when.text
    elif not said.keys() & {"any_of", "all_of", "groups", "scopes", "clients"}:
        # without anything to meet an entry would ask for the role's own name
        said["when"] = "true"
    if mapping.includes:
        said["includes"] = list(mapping.includes)
    return said


def _rule(rule: Rule) -> dict[str, Any]:
    said: dict[str, Any] = {rule.effect: list(rule.roles), "models": list(rule.models)}
    if rule.endpoints != ("*",):
        said["endpoints"] = list(rule.endpoints)
    if rule.when is not None:
        said["when"] = rule.when.text
    for key in ("not_before", "expires"):
        if (moment := getattr(rule, key)) is not None:
            said[key] = write_instant(moment)
    if rule.ceilings is not None:
        said["ceilings"] = _ceilings(rule.ceilings)
        said["on_exceed"] = rule.on_exceed
    if (demand := rule.authentication) is not None:
        said["authentication"] = {
            **({"acr_values": list(demand.acr_values)} if demand.acr_values else {}),
            **({"max_age": demand.max_age} if demand.max_age is not None else {}),
        }
    return said


def _ceilings(ceilings: Ceilings) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in asdict(ceilings).items():
        if name == "web_search":
            if not value:
                said[name] = False
        elif isinstance(value, frozenset):
            said[name] = sorted(value)
        elif isinstance(value, tuple):
            said[name] = list(value)
        elif value is not None:
            said[name] = value
    return said
