"""Callers out of a file: claims by name in YAML, or those of recorded decisions."""

from pathlib import Path
from typing import Any

from rolecall.cli.asking import Unusable, issuer_of
from rolecall.config import ConfigurationError, Settings
from rolecall.config.document import read
from rolecall.core import Caller, Refusal
from rolecall.identity import caller_from
from rolecall.policy import Table, assign_roles
from rolecall.record import caller_of
from rolecall.wire import strict_json


def load_callers(path: Path, *policies: tuple[Settings, Table]) -> list[dict[str, Caller]]:
    """Callers by name, with the roles that each policy gives them.

    Args:
        path: YAML or JSON that maps names to claims (also under ``fixtures:``), or JSONL with one
            decision a line, whose callers are named by issuer and subject. It is read once, and so
            may be a pipe.
        policies: whose issuers they are of, and what gives them roles.

    Raises:
        Unusable: the file cannot be read, or claims in it cannot be used.
    """
    if path.suffix == ".jsonl":
        recorded = _recorded(path)
        return [
            {name: assign_roles(table, caller) for name, caller in recorded.items()}
            for _, table in policies
        ]
    claimed = _claims(path)
    return [
        {name: _caller(path, name, claims, *policy) for name, claims in claimed.items()}
        for policy in policies
    ]


def _caller(
    path: Path, name: str, claims: dict[str, Any], settings: Settings, table: Table
) -> Caller:
    try:
        return assign_roles(table, caller_from(issuer_of(claims, settings), claims))
    except Refusal as refusal:
        raise Unusable(f"{path}: {name}: {refusal.message}") from None


def _claims(path: Path) -> dict[str, dict[str, Any]]:
    try:
        data = read(path).data
    except ConfigurationError as error:
        raise Unusable(str(error.problems[0])) from None
    named = data.get("fixtures", data)
    if not isinstance(named, dict) or not all(isinstance(one, dict) for one in named.values()):
        raise Unusable(f"{path} does not map names to claims.")
    return named


def _recorded(path: Path) -> dict[str, Caller]:
    found = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            caller = caller_of(strict_json.loads(line))
        except (Refusal, KeyError, TypeError, ValueError):
            raise Unusable(f"{path}:{number} is no recorded decision.") from None
        found[f"{caller.issuer} {caller.subject}"] = caller
    return found
