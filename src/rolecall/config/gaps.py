"""Warnings for a policy that is valid and yet leaves something out."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from rolecall.config.document import Document, KeyPath
from rolecall.config.patterns import compile_patterns
from rolecall.core import Rule

_FEW: Final = 20
_CLOSE: Final = 0.8


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
    _warn_of_rules(rules, roles, model_names)


def _warn_of_rules(
    rules: list[tuple[Document, KeyPath, Rule]], roles: set[str], model_names: set[str]
) -> None:
    strangers = _unmet(roles, (rule.roles for _, _, rule in rules))
    unserved = _unmet(model_names, (rule.models for _, _, rule in rules))
    for document, path, rule in rules:
        for role in rule.roles:
            if role not in strangers:
                continue
            document.warn(
                path,
                f"no caller can hold the role {role!r}: nothing maps a claim to it"
                f"{strangers[role]}.",
                code="role-unheld",
            )
        for model in rule.models:
            if model in unserved:
                document.warn(
                    path,
                    f"names the model {model!r}, and no deployment serves such a name"
                    f"{unserved[model]}.",
                    code="glob-matches-nothing" if "*" in model else "model-unserved",
                )


def _unmet(names: set[str], spoken_of: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """The patterns that no name matches, each with the name that may have been meant."""
    patterns = dict.fromkeys(pattern for several in spoken_of for pattern in several)
    compiled = compile_patterns(patterns)
    met = {pattern for name in names for pattern in compiled.matching(name)}
    unmet = [pattern for pattern in patterns if pattern not in met]
    # where hundreds are not met that is no slip, and each is compared with all
    return {name: _meant(name, names) if len(unmet) <= _FEW else "" for name in unmet}


def _meant(name: str, names: Iterable[str]) -> str:
    close = () if "*" in name else get_close_matches(name, sorted(names), 1, _CLOSE)
    return f" (did you mean {close[0]}?)" if close else ""
