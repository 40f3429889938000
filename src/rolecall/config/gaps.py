"""Warnings for a policy that is valid and yet leaves something out."""

from rolecall.config.document import Document, KeyPath
from rolecall.config.globs import matches
from rolecall.core import RoleMapping, Rule


def warn(
    document: Document,
    *,
    mappings: list[tuple[KeyPath, RoleMapping]],
    rules: list[tuple[KeyPath, Rule]],
    model_names: set[str],
) -> None:
    """Warn of roles that call nothing, of rules for roles that nobody holds, and for no model."""
    roles = {mapping.role for _, mapping in mappings}
    for path, mapping in mappings:
        if not any(
            rule.effect == "allow" and any(matches(pattern, mapping.role) for pattern in rule.roles)
            for _, rule in rules
        ):
            document.warn(
                path,
                f"role {mapping.role!r} has no rule that allows anything: it calls nothing.",
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
