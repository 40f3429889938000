"""Values out of claims: roles, groups, scopes, teams, and what describes a caller.

A path is a row of literal keys. A value of another type than is looked for is no value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.config.claim_path import ClaimPath
from rolecall.core import Reason, Refusal, RoleClaim

Claims = Mapping[str, Any]

MAX_TEXT: Final = 1024
MAX_LOOKED_UP: Final = 11_000
"""Groups of one caller, where a directory is asked for them: Microsoft Graph lists no more."""

MOST_SHARED: Final = 512
"""Rows of role claims that are remembered, and as many of groups, scopes and teams."""

MOST_SHARED_VALUES: Final = 64
"""Values of the longest of them."""

MOST_SHARED_TEXT: Final = 2048
"""Characters of the longest of them."""

_STRING: Final = frozenset({str})
_NONE: Final[frozenset[str]] = frozenset()


def role_claims(
    claims: Claims, issuer: IssuerSettings
) -> tuple[tuple[RoleClaim, ...], tuple[str, ...]]:
    """The values of all role claims, and what is to be said of those that give none."""
    found: tuple[RoleClaim, ...] = ()
    notes: list[str] = []
    for paths, form in (
        (issuer.roles, strings),
        (issuer.role_words, _words),
        (issuer.role_values, _single),
    ):
        for path in paths:
            value = at(claims, path)
            if value is None:
                continue
            values = form(value)
            if values is None:
                notes.append(f"{'.'.join(path)} is not {_FORMS[form]}, and gives no role")
                continue
            _cap(values, path, _most(issuer))
            found += _found_at(path, tuple(values))
    return found, tuple(notes)


def groups(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """The values of all group claims."""
    return _united(claims, issuer.groups, strings, _most(issuer))


def scopes(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """OAuth scopes: a list, or words separated by spaces (RFC 9068 2.2.3)."""
    return _united(claims, issuer.scopes, _words, issuer.max_claim_values)


def teams(claims: Claims, issuer: IssuerSettings) -> frozenset[str]:
    """The values of all team claims, each one name or a list."""
    return _united(claims, issuer.teams, _single, issuer.max_claim_values)


def _united(
    claims: Claims,
    paths: Iterable[ClaimPath],
    read: Callable[[Any], list[str] | None],
    most: int,
) -> frozenset[str]:
    """The values at some paths: lists, or texts that are read."""
    found = _NONE
    for path in paths:
        value = at(claims, path)
        values = read(value) if isinstance(value, str) else strings(value)
        if values:
            _cap(values, path, most)
            more = _set_of(tuple(values))
            found = found | more if found else more
    return found


# thousands of remembered tokens hold a few different rows of roles and scopes: one of each will do,
# and long ones are few people's own


def _found_at(path: ClaimPath, values: tuple[str, ...]) -> tuple[RoleClaim, ...]:
    return (_shared_claims if _are_short(values) else _claims_of)(path, values)


def _set_of(values: tuple[str, ...]) -> frozenset[str]:
    return (_shared_set if _are_short(values) else frozenset)(values)


def _are_short(values: tuple[str, ...]) -> bool:
    return len(values) <= MOST_SHARED_VALUES and sum(map(len, values)) <= MOST_SHARED_TEXT


def _claims_of(path: ClaimPath, values: tuple[str, ...]) -> tuple[RoleClaim, ...]:
    return tuple([RoleClaim(path, value) for value in values])


_shared_claims: Final = lru_cache(maxsize=MOST_SHARED)(_claims_of)
_shared_set: Final[Callable[[tuple[str, ...]], frozenset[str]]] = lru_cache(maxsize=MOST_SHARED)(
    frozenset
)


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


def _most(issuer: IssuerSettings) -> int:
    most = issuer.max_claim_values
    return most if issuer.group_overage is None else max(most, MAX_LOOKED_UP)


def _cap(values: Sequence[str], path: ClaimPath, most: int) -> None:
    if len(values) > most:
        raise Refusal(
            Reason.INVALID_CLAIM, f"The token's {'.'.join(path)} holds more than {most} values."
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
