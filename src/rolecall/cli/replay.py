"""``rolecall replay``."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import click

from rolecall.cli.asking import UNUSABLE, Unusable
from rolecall.cli.configuration import config_options, load_or_exit
from rolecall.cli.terminal import print_columns
from rolecall.core import KEYS_ISSUER, Caller, Decision, Refusal
from rolecall.policy import Table, assign_roles, compile_policy, decide, included_roles
from rolecall.record import call_of, caller_of, circumstances_of
from rolecall.wire import strict_json

_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Replayed:
    """One recorded decision, whose it was, and what a policy says now."""

    entry: dict[str, Any]
    caller: Caller
    decision: Decision

    @property
    def was(self) -> str:
        """What was decided."""
        return _word(
            self.entry["decision"] == "allow", self.entry["reason"], self.entry["exceeded"]
        )

    @property
    def now(self) -> str:
        """What would be decided."""
        decision = self.decision
        return _word(decision.allowed, decision.reason, decision.exceeded)


@click.command(short_help="Decide recorded calls again, by another policy.")
@click.argument("decisions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_options
@click.option("--exit-code", is_flag=True, help="Exit 1 if a decision would be another.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def replay(
    decisions: Path, config: Path, *, allow_unknown: bool, exit_code: bool, as_json: bool
) -> None:
    """Say what a configuration would have decided on the recorded calls of DECISIONS (JSONL).

    Exits 0, or 1 with --exit-code where a decision would be another, 2 for what cannot be read.
    """
    loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=UNUSABLE)
    table = compile_policy(loaded.settings.roles, loaded.settings.rules)
    total = 0
    changed: list[Replayed] = []
    for one in _replayed(decisions, table):
        total += 1
        if one.was != one.now:
            changed.append(one)
    if as_json:
        lines = [_as_json(one) for one in changed]
        click.echo(json.dumps({"decisions": total, "changed": lines}, indent=2))
    else:
        _show(total, changed)
    sys.exit(1 if exit_code and changed else 0)


def _replayed(path: Path, table: Table) -> Iterator[Replayed]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = strict_json.loads(line)
                recorded, call, around = caller_of(entry), call_of(entry), circumstances_of(entry)
            except (Refusal, KeyError, TypeError, ValueError):
                raise Unusable(f"{path}:{number} is no recorded decision.") from None
            if recorded.issuer == KEYS_ISSUER:
                caller = replace(recorded, roles=included_roles(table, recorded.roles))
            else:
                caller = assign_roles(table, recorded)
            yield Replayed(entry, caller, decide(table, caller, call, around))


def _word(allowed: object, reason: object, exceeded: object) -> str:
    if allowed:
        return "allow, lowered" if exceeded else "allow"
    return f"deny {reason}"


def _show(total: int, changed: list[Replayed]) -> None:
    click.echo(f"{total} decisions, {len(changed)} would be others")
    if not changed:
        return
    counted = Counter((one.was, one.now) for one in changed)
    rows = [[str(number), was, "→", now] for (was, now), number in counted.most_common()]
    print_columns(rows)
    click.echo("")
    print_columns(
        [
            [
                one.entry["time"],
                _who(one.caller),
                f"{one.entry['call']['model']} at {one.entry['call']['endpoint']}",
                f"{one.was} → {one.now}",
                str(one.decision.rule.source) if one.decision.rule else "no rule",
            ]
            for one in changed[:_MOST]
        ]
    )
    if len(changed) > _MOST:
        click.echo(f"… and {len(changed) - _MOST} more (--json lists them all)")


def _who(caller: Caller) -> str:
    return f"{caller.subject} by {caller.actor.named}" if caller.actor else caller.subject


def _as_json(one: Replayed) -> dict[str, Any]:
    return {
        "request_id": one.entry["request_id"],
        "time": one.entry["time"],
        "subject": one.caller.subject,
        "actors": [actor.members for actor in one.caller.actors],
        "endpoint": one.entry["call"]["endpoint"],
        "model": one.entry["call"]["model"],
        "was": one.was,
        "now": one.now,
        "rule": str(one.decision.rule.source) if one.decision.rule else None,
    }
