"""Callers out of a file: claims by name in YAML, or those of recorded decisions."""

from pathlib import Path
from typing import Any

from rolecall.cli.asking import Unusable, issuer_of
from rolecall.config import ConfigurationError, Settings
from rolecall.config.document import Document, parse
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
    data = _data(path)
    if ".jsonl" in path.suffixes or _is_decision(data.split(b"\n", 1)[0]):
        recorded = _recorded(data, path)
        return [
            {name: assign_roles(table, caller) for name, caller in recorded.items()}
            for _, table in policies
        ]
    claimed = _claims(data, path)
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


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from None


def _is_decision(line: bytes) -> bool:
    """Whether a file begins as one of recorded decisions does, whatever it is called."""
    try:
        value = strict_json.loads(line)
    except Refusal:
        return False
    return isinstance(value, dict) and {"caller", "call", "decision"} <= value.keys()


def _claims(data: bytes, path: Path) -> dict[str, dict[str, Any]]:
    try:
        document = parse(data.decode("utf-8-sig"), Document(str(path)))
        document.stop_on_errors()
    except UnicodeDecodeError:
        raise Unusable(f"{path} is not UTF-8 text.") from None
    except ConfigurationError as error:
        raise Unusable(str(error.problems[0])) from None
    named = document.data.get("fixtures", document.data)
    if not isinstance(named, dict) or not all(isinstance(one, dict) for one in named.values()):
        raise Unusable(f"{path} does not map names to claims.")
    if not named:
        raise Unusable(f"{path} names no caller.")
    return named


def _recorded(data: bytes, path: Path) -> dict[str, Caller]:
    found = {}
    for number, line in enumerate(data.splitlines(), 1):
        try:
            caller = caller_of(strict_json.loads(line))
        except (Refusal, KeyError, TypeError, ValueError):
            raise Unusable(f"{path}:{number} is no recorded decision.") from None
        by = "" if caller.actor is None else f" by {caller.actor.named}"
        found[f"{caller.issuer} {caller.subject}{by}"] = caller
    if not found:
        raise Unusable(f"{path} names no caller.")
    return found
