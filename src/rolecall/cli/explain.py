"""``rolecall explain``."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from rolecall.cli.configuration import config_options, load_or_exit
from rolecall.config import IssuerSettings, Settings
from rolecall.core import MODEL_ENDPOINTS, Call, Caller, Refusal
from rolecall.identity import caller_from, open_token
from rolecall.policy import Explanation, assign_roles, compile_policy
from rolecall.policy import explain as explain_call
from rolecall.wire import strict_json

_UNUSABLE = 2
_UNWRAPPED = 10_000


class _Unusable(click.ClickException):
    exit_code = _UNUSABLE


@click.command()
@config_options
@click.option("--token", help="A token to read the claims from; - reads standard input.")
@click.option("--claims", help="A JSON file with a token's payload; - reads standard input.")
@click.option("--model", "-m", required=True, help="The model that is asked for.")
@click.option(
    "--endpoint",
    "-e",
    type=click.Choice(MODEL_ENDPOINTS),
    default="chat",
    show_default=True,
    help="The endpoint that is called.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(  # noqa: PLR0913 - one parameter an option
    config: Path,
    *,
    allow_unknown: bool,
    token: str | None,
    claims: str | None,
    model: str,
    endpoint: str,
    as_json: bool,
) -> None:
    """Say what the policy decides for a caller, and why: from claim to role to rule.

    Nothing is fetched and no signature is checked: this asks the policy, not the identity
    provider. Exits 0 for allow, 1 for deny, 2 for input that cannot be used.
    """
    if (token is None) == (claims is None):
        raise _Unusable("name either --token or --claims.")
    loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=_UNUSABLE)
    settings = loaded.settings
    payload = _payload(token, claims, settings)
    table = compile_policy(settings.roles, settings.rules)
    try:
        caller = assign_roles(table, caller_from(_issuer(payload, settings), payload))
    except Refusal as refusal:
        raise _Unusable(refusal.message) from None
    explanation = explain_call(table, caller, Call(endpoint, model))
    if as_json:
        click.echo(json.dumps(explanation.as_json(), indent=2))
    else:
        _show(explanation, caller, Call(endpoint, model))
    sys.exit(0 if explanation.decision.allowed else 1)


def _payload(token: str | None, claims: str | None, settings: Settings) -> dict[str, Any]:
    try:
        if token is not None:
            sent = sys.stdin.buffer.read() if token == "-" else os.fsencode(token)  # noqa: S105
            return open_token(sent.strip(), settings.limits).claims
        source = claims or "-"
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        payload = strict_json.loads(data.strip())
    except Refusal as refusal:
        raise _Unusable(refusal.message) from None
    except OSError as error:
        raise _Unusable(f"{claims} cannot be read: {error.strerror}.") from None
    if not isinstance(payload, dict):
        raise _Unusable("the claims must be a JSON object.")
    return payload


def _issuer(payload: dict[str, Any], settings: Settings) -> IssuerSettings:
    name = payload.get("iss")
    if name is None and len({issuer.roles for issuer in settings.issuers}) == 1:
        # a payload as documentation prints it names no issuer, and all would read it alike
        return settings.issuers[0]
    for issuer in settings.issuers:
        if issuer.issuer == name:
            return issuer
    known = ", ".join(issuer.issuer for issuer in settings.issuers)
    raise _Unusable(f"the claims' iss ({name!r}) is not one of the configured issuers: {known}.")


def _show(explanation: Explanation, caller: Caller, call: Call) -> None:
    decision = explanation.decision
    console = Console(highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNWRAPPED
    verdict = "[green]allow[/]" if decision.allowed else f"[red]deny[/] {decision.reason}"
    tree = Tree(
        f"{verdict}: {_plain(caller.subject)} calls {_plain(call.model)} at {call.endpoint}"
    )
    roles = ", ".join(sorted(decision.roles)) or "none"
    tree.add(f"roles: {escape(roles)}")
    if decision.rule is not None:
        source = decision.rule.source
        tree.add(f"rule: {escape(str(source))}: {escape(source.text)}")
    steps = tree.add("steps")
    for step in explanation.steps:
        place = f" [dim]({escape(str(step.source))})[/]" if step.source else ""
        steps.add(f"{escape(step.subject)}: {escape(step.outcome)}{place}")
    console.print(tree)


def _plain(text: str) -> str:
    """A claim must not steer the terminal that it is shown on."""
    return escape(text if text.isprintable() else ascii(text))
