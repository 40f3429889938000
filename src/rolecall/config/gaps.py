"""Warnings for a policy that is valid and yet leaves something out."""

from collections.abc import Mapping

from rolecall.config.document import Document, KeyPath
from rolecall.config.patterns import compile_patterns
from rolecall.core import Rule


def warn(
    document: Document,
    *,
    given: list[tuple[Document, KeyPath, str]],
    rules: list[tuple[Document, KeyPath, Rule]],
    readers: Mapping[str, KeyPath],
    model_names: set[str],
) -> None:
    """Warn of roles that call nothing, of rules for roles that nobody holds, and for no model.

    Args:
        document: the main file.
        given: the roles that callers can hold, and where each is given.
        rules: every rule, and where it stands.
        readers: roles that may do something else than call models, and where that is said.
        model_names: what is served.
    """
    roles = {role for _, _, role in given}
    allowed = compile_patterns(
        pattern for _, _, rule in rules if rule.effect == "allow" for pattern in rule.roles
    )
    for where, path, role in given:
        if role not in readers and not any(allowed.matching(role)):
            where.warn(
                path,
                f"role {role!r} has no rule that allows anything: it calls nothing.",
                code="role-calls-nothing",
            )
    for role in sorted(readers.keys() - roles):
        document.warn(readers[role], f"no caller can hold the role {role!r}.", code="role-unheld")
    _warn_of_rules(rules, _met(rules, roles, model_names))


def _warn_of_rules(
    rules: list[tuple[Document, KeyPath, Rule]], met: tuple[set[str], set[str]]
) -> None:
    for document, path, rule in rules:
        for pattern in rule.roles:
            if pattern not in met[0]:
                document.warn(
                    path,
                    f"no caller can hold the role {pattern!r}: nothing maps a claim to it.",
                    code="role-unheld",
                )
        for pattern in rule.models:
            if pattern not in met[1]:
                document.warn(
                    path,
                    f"names the model {pattern!r}, and no deployment serves such a name.",
                    code="glob-matches-nothing" if "*" in pattern else "model-unserved",
                )


def _met(
    rules: list[tuple[Document, KeyPath, Rule]], roles: set[str], model_names: set[str]
) -> tuple[set[str], set[str]]:
    """The patterns of roles and of models that some role, some model matches."""
    of_roles = compile_patterns(pattern for _, _, rule in rules for pattern in rule.roles)
    of_models = compile_patterns(pattern for _, _, rule in rules for pattern in rule.models)
    return (
        {pattern for role in roles for pattern in of_roles.matching(role)},
        {pattern for name in model_names for pattern in of_models.matching(name)},
    )
