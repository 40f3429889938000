"""``rolecall explain``."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from rolecall.cli.asking import (
    UNUSABLE,
    Unusable,
    address,
    call_of,
    issuer_of,
    json_object,
    moment,
    named_headers,
)
from rolecall.cli.configuration import config_options, load_or_exit
from rolecall.cli.explanation import show
from rolecall.config import Settings
from rolecall.core import MODEL_ENDPOINTS, Circumstances, Refusal
from rolecall.identity import caller_from, open_token
from rolecall.policy import assign_roles, compile_policy
from rolecall.policy import explain as explain_call


@click.command(short_help="Say what is decided for a caller, and why.")
@config_options
@click.option("--token", help="A token to read the claims from; - reads standard input.")
@click.option("--claims", help="A JSON file with a token's payload; - reads standard input.")
@click.option("--model", "-m", help="The model that is asked for; default: that of the body.")
@click.option(
    "--endpoint",
    "-e",
    type=click.Choice(MODEL_ENDPOINTS),
    default="chat",
    show_default=True,
    help="The endpoint that is called.",
)
@click.option("--body", help="The body of the call, a JSON file; - reads standard input.")
@click.option("--at", help="The time of the call (RFC 3339); default: now.")
@click.option("--source-ip", help="The caller's address.")
@click.option("--header", "headers", multiple=True, help="A header of the call, NAME=VALUE.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(  # noqa: PLR0913 - one parameter an option
    config: Path,
    *,
    allow_unknown: bool,
    token: str | None,
    claims: str | None,
    model: str | None,
    endpoint: str,
    body: str | None,
    at: str | None,
    source_ip: str | None,
    headers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say what the policy decides for a caller, and why: from claim to role to rule.

    Nothing is fetched and no signature is checked: this asks the policy, not the identity
    provider. Exits 0 for allow, 1 for deny, 2 for input that cannot be used.
    """
    if (token is None) == (claims is None):
        raise Unusable("name either --token or --claims.")
    loaded = load_or_exit(config, allow_unknown=allow_unknown, offline=True, status=UNUSABLE)
    settings = loaded.settings
    call = call_of(endpoint, model, body)
    payload = _payload(token, claims, settings)
    around = Circumstances(moment(at), address(source_ip), named_headers(headers))
    table = compile_policy(settings.roles, settings.rules)
    try:
        caller = assign_roles(table, caller_from(issuer_of(payload, settings), payload))
    except Refusal as refusal:
        raise Unusable(refusal.message) from None
    explanation = explain_call(table, caller, call, around)
    if as_json:
        click.echo(json.dumps(explanation.as_json(), indent=2))
    else:
        show(explanation, caller, call)
    sys.exit(0 if explanation.decision.allowed else 1)


def _payload(token: str | None, claims: str | None, settings: Settings) -> dict[str, Any]:
    if token is None:
        return json_object(claims or "-", "the claims")
    sent = sys.stdin.buffer.read() if token == "-" else os.fsencode(token)  # noqa: S105
    try:
        return open_token(sent.strip(), settings.limits).claims
    except Refusal as refusal:
        raise Unusable(refusal.message) from None
