"""Warnings for a policy that is valid and yet leaves something out."""

from rolecall.config.document import Document, KeyPath
from rolecall.config.globs import matches
from rolecall.core import Rule


def warn(
    document: Document,
    *,
    given: list[tuple[KeyPath, str]],
    rules: list[tuple[KeyPath, Rule]],
    readers: frozenset[str],
    model_names: set[str],
) -> None:
    """Warn of roles that call nothing, of rules for roles that nobody holds, and for no model.

    Args:
        document: where it is reported.
        given: the roles that callers can hold, and where each is given.
        rules: every rule, and where it stands.
        readers: roles that may read the metrics, and so need no rule.
        model_names: what is served.
    """
    roles = {role for _, role in given}
    for path, role in given:
        if role not in readers and not any(
            rule.effect == "allow" and any(matches(pattern, role) for pattern in rule.roles)
            for _, rule in rules
        ):
            document.warn(
                path, f"role {role!r} has no rule that allows anything: it calls nothing."
            )
    for role in sorted(readers - roles):
        document.warn(("metrics", "roles"), f"no caller can hold the role {role!r}.")
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
