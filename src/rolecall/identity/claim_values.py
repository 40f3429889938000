"""Values out of claims: roles, groups, scopes, teams, and what describes a caller.

A path is a row of literal keys. A value of another type than is looked for is no value.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.config.claim_path import ClaimPath
from rolecall.core import Reason, Refusal, RoleClaim

Claims = Mapping[str, Any]

MAX_TEXT: Final = 1024
MAX_VALUES: Final = 1000
_STRING: Final = frozenset({str})


def role_claims(
    claims: Claims, issuer: IssuerSettings
) -> tuple[tuple[RoleClaim, ...], tuple[str, ...]]:
    """The values of all role claims, and what is to be said of those that give none."""
    found: list[RoleClaim] = []
    notes: list[str] = []
    for path in issuer.roles:
        _add(claims, path, strings, found, notes)
    for path in issuer.role_words:
        _add(claims, path, _words, found, notes)
    for path in issuer.role_values:
        _add(claims, path, _single, found, notes)
    return tuple(found), tuple(notes)


def _add(
    claims: Claims,
    path: ClaimPath,
    form: Callable[[Any], list[str] | None],
    found: list[RoleClaim],
    notes: list[str],
) -> None:
    value = at(claims, path)
    if value is None:
        return
    values = form(value)
    if values is None:
        notes.append(f"{'.'.join(path)} is not {_FORMS[form]}, and gives no role")
        return
    _cap(values, path)
    found.extend([RoleClaim(path, each) for each in values])


def groups(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """The values of all group claims."""
    return frozenset(value for path in issuer.groups for value in _listed(claims, path))


def scopes(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """OAuth scopes: a list, or words separated by spaces (RFC 9068 2.2.3)."""
    found: set[str] = set()
    for path in issuer.scopes:
        value = at(claims, path)
        found.update(_words(value) or () if isinstance(value, str) else _listed(claims, path))
    return frozenset(found)


def teams(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """The values of all team claims, each one name or a list."""
    found: set[str] = set()
    for path in issuer.teams:
        value = at(claims, path)
        found.update(_single(value) or () if isinstance(value, str) else _listed(claims, path))
    return frozenset(found)


def text(claims: Claims, path: ClaimPath | None) -> str | None:
    """A claim that describes its caller: a string of a sensible length, or nothing."""
    value = at(claims, path) if path is not None else None
    return value if isinstance(value, str) and 0 < len(value) <= MAX_TEXT else None


def at(claims: Any, path: ClaimPath) -> Any:
    """What stands at a path of literal keys; None where nothing does."""
    for key in path:
        if not isinstance(claims, dict):
            return None
        claims = claims.get(key)
    return claims


def _listed(claims: Claims, path: ClaimPath) -> list[str]:
    values = strings(at(claims, path)) or []
    _cap(values, path)
    return values


def _cap(values: list[str], path: ClaimPath) -> None:
    if len(values) > MAX_VALUES:
        raise Refusal(
            Reason.INVALID_CLAIM,
            f"The token's {'.'.join(path)} holds more than {MAX_VALUES} values.",
        )


def strings(value: Any) -> list[str] | None:
    """A list of strings, or None for anything else."""
    # parsed JSON holds no subclass of str
    return value if isinstance(value, list) and _STRING.issuperset(map(type, value)) else None


def _words(value: Any) -> list[str] | None:
    return [word for word in value.split(" ") if word] if isinstance(value, str) else None


def _single(value: Any) -> list[str] | None:
    return [value] if isinstance(value, str) and value else None


_FORMS: Final[Mapping[Callable[[Any], list[str] | None], str]] = {
    strings: "a list of strings",
    _words: "a string of words",
    _single: "a string",
}
