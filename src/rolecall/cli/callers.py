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


def load_callers(path: Path, settings: Settings, table: Table) -> dict[str, Caller]:
    """Callers by name, with the roles that a policy gives them.

    Args:
        path: YAML or JSON that maps names to claims (also under ``fixtures:``), or JSONL with one
            decision a line, whose callers are named by issuer and subject.
        settings: whose issuers they are of.
        table: the policy.

    Raises:
        Unusable: the file cannot be read, or claims in it cannot be used.
    """
    if path.suffix == ".jsonl":
        return {name: assign_roles(table, caller) for name, caller in _recorded(path).items()}
    callers = {}
    for name, claims in _claims(path).items():
        issuer = issuer_of(claims, settings)
        try:
            callers[name] = assign_roles(table, caller_from(issuer, claims))
        except Refusal as refusal:
            raise Unusable(f"{path}: {name}: {refusal.message}") from None
    return callers


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
