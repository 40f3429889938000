"""Questions to the policy as they are put on the command line: caller, call, circumstances."""

import ipaddress
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from rolecall.config import IssuerSettings, Settings
from rolecall.config.instants import parse_instant
from rolecall.core import Call, Parameters, Refusal
from rolecall.wire import parse_call, read_parameters, strict_json

UNUSABLE: Final = 2


class Unusable(click.ClickException):
    """The input cannot be used: exit status 2."""

    exit_code = UNUSABLE


def json_object(file: str, what: str) -> dict[str, Any]:
    """Read a JSON object out of a file, or of standard input for ``-``.

    Raises:
        Unusable: it cannot be read, or is none.
    """
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        value = strict_json.loads(data.strip())
    except Refusal as refusal:
        raise Unusable(refusal.message) from None
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}.") from None
    if not isinstance(value, dict):
        raise Unusable(f"{what} must be a JSON object.")
    return value


def issuer_of(payload: Mapping[str, Any], settings: Settings) -> IssuerSettings:
    """The issuer whose token a payload is.

    Raises:
        Unusable: it is none of the configuration's.
    """
    name = payload.get("iss")
    if name is None and len({issuer.roles for issuer in settings.issuers}) == 1:
        # a payload as documentation prints it names no issuer, and all would read it alike
        return settings.issuers[0]
    for issuer in settings.issuers:
        if name in (issuer.issuer, *issuer.aliases):
            return issuer
    known = ", ".join(issuer.issuer for issuer in settings.issuers)
    raise Unusable(f"the claims' iss ({name!r}) is not one of the configured issuers: {known}.")


def call_of(endpoint: str, model: str | None, body: str | None) -> Call:
    """A call by its model, or by its body.

    Raises:
        Unusable: neither tells it, or the gateway would refuse the body.
    """
    if body is None and model is None:
        raise Unusable("name --model, or --body with a body that does.")
    if body is None:
        return Call(endpoint, model or "", parameters=Parameters())
    value = json_object(body, "the body")
    if model is not None:
        value["model"] = model
    data = strict_json.dumps(value)
    try:
        call, value = parse_call(endpoint, data)
        return replace(call, parameters=read_parameters(value, len(data)))
    except Refusal as refusal:
        raise Unusable(refusal.message) from None


def moment(text: str | None) -> float:
    """Seconds since the epoch of a time as RFC 3339 writes it; now for None.

    Raises:
        Unusable: it is none, or lacks its offset.
    """
    if text is None:
        return time.time()
    try:
        return parse_instant(text)
    except ValueError:
        raise Unusable(f"{text!r} is no time; write 2026-12-31T18:00:00Z.") from None


def address(text: str | None) -> str | None:
    """An address as it is given.

    Raises:
        Unusable: it is none, of IPv4 or of IPv6.
    """
    if text is None:
        return None
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise Unusable(f"{text!r} is no address; write 192.0.2.7 or 2001:db8::7.") from None
    return text


def named_headers(given: Iterable[str]) -> dict[str, str]:
    """Headers that are given as ``NAME=VALUE``, by names in lower case.

    Raises:
        Unusable: one has no name.
    """
    headers = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise Unusable(f"{text!r} is no header; write NAME=VALUE.")
        headers[name.lower()] = value
    return headers
