"""The endpoints table: what is not in it is a 404."""

from dataclasses import dataclass
from typing import Final, Literal

from rolecall.core import Reason, Refusal
from rolecall.gateway.asgi import Scope
from rolecall.upstream import Headers
from rolecall.wire import Format

Kind = Literal[
    "call",
    "models",
    "model",
    "explain",
    "whoami",
    "resource",
    "live",
    "ready",
    "metrics",
    "revoke",
    "revocations",
    "reinstate",
    "logout",
    "security_event",
]

PROTECTED_RESOURCE: Final = "/.well-known/oauth-protected-resource"
"""RFC 9728 3; the path of the gateway's own URL may follow."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    Attributes:
        kind: what is done there.
        name: the endpoint's name in rules; empty where no model is called.
        form: the format of its answers; None where the request tells.
    """

    kind: Kind
    name: str = ""
    form: Format | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """What a request has reached.

    Attributes:
        endpoint: where it has come to.
        form: the format to answer in.
        model: the model in the path.
        number: the revocation's number in the path.
    """

    endpoint: Endpoint
    form: Format
    model: str = ""
    number: str = ""


_LIVE: Final = Endpoint("live")
_READY: Final = Endpoint("ready")
_MODEL: Final = Endpoint("model")
_REINSTATE: Final = Endpoint("reinstate")
_RESOURCE: Final = Endpoint("resource", form="openai")

_VERSIONED: Final = {
    ("POST", "/chat/completions"): Endpoint("call", "chat", "openai"),
    ("POST", "/messages"): Endpoint("call", "messages", "anthropic"),
    ("GET", "/models"): Endpoint("models"),
}
ENDPOINTS: Final[dict[tuple[str, str], Endpoint]] = {
    **_VERSIONED,
    **{(method, f"/v1{path}"): endpoint for (method, path), endpoint in _VERSIONED.items()},
    ("POST", "/explain"): Endpoint("explain", form="openai"),
    ("GET", "/whoami"): Endpoint("whoami", form="openai"),
    ("GET", PROTECTED_RESOURCE): _RESOURCE,
    ("GET", "/health/liveliness"): _LIVE,
    ("GET", "/health/liveness"): _LIVE,
    ("GET", "/livez"): _LIVE,
    ("GET", "/health/readiness"): _READY,
    ("GET", "/readyz"): _READY,
    ("GET", "/metrics"): Endpoint("metrics"),
    ("POST", "/revocations"): Endpoint("revoke", form="openai"),
    ("GET", "/revocations"): Endpoint("revocations", form="openai"),
    ("POST", "/backchannel-logout"): Endpoint("logout", form="openai"),
    ("POST", "/security-events"): Endpoint("security_event", form="openai"),
}
"""Every endpoint by method and path, but for three that others begin like.

Those are ``/v1/models/{id}``, whose ID may hold slashes, ``DELETE /revocations/{id}``, and the
protected resource's metadata with a path.
"""

_ROUTES: Final = {
    place: Route(endpoint, endpoint.form)
    for place, endpoint in ENDPOINTS.items()
    if endpoint.form is not None
}
_MODEL_PREFIXES: Final = ("/v1/models/", "/models/")
_REVOCATION: Final = "/revocations/"


def route(scope: Scope) -> Route:
    """Find the endpoint by ``scope["path"]``, never by a URL rebuilt from ``Host``.

    Raises:
        Refusal: ``not_found``.
    """
    method, path = scope["method"], scope["path"]
    found = _ROUTES.get((method, path))
    if found is not None:
        return found
    endpoint = ENDPOINTS.get((method, path))
    if endpoint is not None:
        return Route(endpoint, form_of(scope["headers"]))
    if method == "GET":
        for prefix in _MODEL_PREFIXES:
            if path.startswith(prefix) and len(path) > len(prefix):
                return Route(_MODEL, form_of(scope["headers"]), path[len(prefix) :])
        if path.startswith(f"{PROTECTED_RESOURCE}/"):
            return Route(_RESOURCE, "openai")
    if method == "DELETE" and path.startswith(_REVOCATION):
        return Route(_REINSTATE, "openai", number=path[len(_REVOCATION) :])
    raise Refusal(Reason.NOT_FOUND, _what_is_wrong(method, path))


def form_of(headers: Headers) -> Format:
    """Anthropic's clients always send ``anthropic-version``; all others are taken for OpenAI's."""
    return "anthropic" if any(name == b"anthropic-version" for name, _ in headers) else "openai"


def _what_is_wrong(method: str, path: str) -> str:
    if path.startswith("/v1/v1/"):
        return (
            "The path holds /v1 twice: the base URL of this client must be given without /v1,"
            " because it adds that itself."
        )
    others = [known for known, place in ENDPOINTS if place == path]
    if others:
        return f"This path answers {others[0]} requests only, not {method[:16]}."
    return (
        "There is no such endpoint here; there are /v1/chat/completions, /v1/messages and"
        " /v1/models."
    )
