"""Warnings for a policy that is valid and yet leaves something out."""

from rolecall.config.document import Document, KeyPath
from rolecall.config.globs import matches
from rolecall.config.settings import StaticKey
from rolecall.core import RoleMapping, Rule


def warn(
    document: Document,
    *,
    mappings: list[tuple[KeyPath, RoleMapping]],
    rules: list[tuple[KeyPath, Rule]],
    keys: list[tuple[KeyPath, StaticKey]],
    model_names: set[str],
) -> None:
    """Warn of roles that call nothing, of rules for roles that nobody holds, and for no model."""
    given = [(path, mapping.role) for path, mapping in mappings]
    given += [(path, role) for path, key in keys for role in sorted(key.roles)]
    roles = {role for _, role in given}
    for path, role in given:
        if not any(
            rule.effect == "allow" and any(matches(pattern, role) for pattern in rule.roles)
            for _, rule in rules
        ):
            document.warn(
                path, f"role {role!r} has no rule that allows anything: it calls nothing."
            )
    for path, rule in rules:
        for pattern in rule.roles:
            if not any(matches(pattern, role) for role in roles):
                document.warn(
                    path, f"no caller can hold the role {pattern!r}: nothing maps a claim to it."
                )
        for pattern in rule.models:
            if not any(matches(pattern, name) for name in model_names):
                document.warn(
                    path, f"names the model {pattern!r}, and no deployment serves such a name."
                )
