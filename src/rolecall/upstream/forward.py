"""A call that was allowed becomes the upstream's request."""

from typing import Any

from rolecall.core import Call
from rolecall.upstream.catalogue import Deployment
from rolecall.upstream.transport import Fields, Headers, Request
from rolecall.wire import strict_json
from rolecall.wire.translation import Translation


def passed_on(deployment: Deployment, headers: Headers) -> Fields:
    """What of a caller's headers goes to a deployment, with what it is sent where they say nothing.

    Only those pass that the provider is known to understand, so that no credential and no forged
    identity travels on.

    Args:
        deployment: the upstream that was chosen.
        headers: the caller's, names in lower case.
    """
    passes = deployment.passes
    passed = [header for header in headers if header[0] in passes]
    if deployment.defaults:
        sent = {name for name, _ in passed}
        passed += [header for header in deployment.defaults if header[0] not in sent]
    return Fields(passed)


def outgoing(  # noqa: PLR0913, PLR0917 - what is known of a request
    deployment: Deployment,
    call: Call,
    value: dict[str, Any],
    unchanged: bytes | None,
    fields: Fields,
    query: bytes,
) -> tuple[Request, Translation | None]:
    """Write the upstream's request: what was authorised, and nothing else.

    A body in which nothing is to change goes on as it came: it has been read by a parser so
    strict that no other can read it differently. Any other is written out of the parsed value.

    Args:
        deployment: the upstream that was chosen.
        call: what was allowed.
        value: the parsed body; it may be changed here.
        unchanged: the bytes that ``value`` was read from; None where it was changed since.
        fields: what is `passed_on` of the caller's headers.
        query: the caller's.

    Returns:
        The request, and how its answer is translated back; None: it is passed on as it is.

    Raises:
        Refusal: ``invalid_request`` where the upstream's format cannot say what was asked.
    """
    model = deployment.settings.model
    translation = None
    if deployment.translate is not None:
        value, translation = deployment.translate(value, model)
        body, query = strict_json.dumps(value), b""
    elif unchanged is None or model != call.model:
        value["model"] = model
        body = strict_json.dumps(value)
    else:
        body = unchanged
    return Request(deployment.destination, fields, body, call.stream, query), translation
