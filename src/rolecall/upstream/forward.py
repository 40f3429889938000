"""A call that was allowed becomes the upstream's request."""

from dataclasses import dataclass
from typing import Any, Final

from rolecall.core import Call
from rolecall.upstream.catalogue import Deployment
from rolecall.upstream.transport import Headers, Request
from rolecall.wire import strict_json
from rolecall.wire.translation import Translation

_ALWAYS_PASS: Final = frozenset(
    {b"accept", b"user-agent", b"idempotency-key", b"traceparent", b"tracestate"}
)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The upstream's request, and how its answer is translated back; None: as it is."""

    request: Request
    translation: Translation | None


def outgoing(
    deployment: Deployment, call: Call, body: dict[str, Any], headers: Headers, query: bytes
) -> Outgoing:
    """Write the upstream's request out of the parsed body: what was authorised, and nothing else.

    Of the caller's headers only those pass that the provider is known to understand, so that no
    credential and no forged identity travels on.

    Raises:
        Refusal: ``invalid_request`` where the upstream's format cannot say what was asked.
    """
    settings = deployment.settings
    door = deployment.door(call.endpoint)
    url = deployment.urls[call.endpoint]
    translation = None
    if door.translate is not None:
        body, translation = door.translate(body, settings.model)
    else:
        body["model"] = settings.model
        if query:
            url = f"{url}?{query.decode('latin-1')}"
    passed = [
        (name, value) for name, value in headers if name in _ALWAYS_PASS or name in door.passes
    ]
    sent = {name for name, _ in passed}
    defaults = [item for item in deployment.provider.defaults if item[0] not in sent]
    return Outgoing(
        Request(
            url,
            deployment.headers + passed + defaults,
            strict_json.dumps(body),
            settings.timeouts,
            call.stream,
            settings.tls,
        ),
        translation,
    )
