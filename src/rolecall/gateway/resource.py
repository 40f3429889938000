"""What the gateway says of itself to clients that look for a token (RFC 9728)."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rolecall.config import Settings
from rolecall.core import Reason, Refusal
from rolecall.gateway.answer import send_json
from rolecall.gateway.endpoints import PROTECTED_RESOURCE
from rolecall.gateway.exchange import Exchange
from rolecall.identity import PROOF_ALGORITHMS
from rolecall.wire import strict_json


@dataclass(frozen=True, slots=True)
class ProtectedResource:
    """The metadata document, and where it stands.

    Attributes:
        metadata_url: where clients find it, as `resource_metadata` says.
        paths: where it is answered: with the path of the gateway's URL inserted, and without.
        document: JSON.
    """

    metadata_url: str
    paths: frozenset[str]
    document: bytes


def protected_resource(settings: Settings) -> ProtectedResource | None:
    """What is to be answered; None where ``resource:`` is not configured."""
    resource = settings.resource
    if resource is None:
        return None
    parts = urlsplit(resource.url)
    # RFC 9728 3.1: a slash that only ends the host is taken away before the insertion
    path = PROTECTED_RESOURCE + (parts.path if parts.path != "/" else "")
    document: dict[str, Any] = {
        "resource": resource.url,
        "authorization_servers": list(resource.authorization_servers),
        "bearer_methods_supported": ["header"],
    }
    bindings = {issuer.dpop for issuer in settings.issuers}
    if any(bindings):
        document["dpop_signing_alg_values_supported"] = list(PROOF_ALGORITHMS)
        document["dpop_bound_access_tokens_required"] = (
            bindings == {"required"} and not settings.keys
        )
    if any(issuer.certificate_bound for issuer in settings.issuers):
        document["tls_client_certificate_bound_access_tokens"] = True
    if resource.scopes:
        document["scopes_supported"] = list(resource.scopes)
    return ProtectedResource(
        metadata_url=f"{parts.scheme}://{parts.netloc}{path}",
        paths=frozenset({PROTECTED_RESOURCE, path}),
        document=strict_json.dumps(document),
    )


async def send_metadata(exchange: Exchange, resource: ProtectedResource | None) -> None:
    """Answer with the metadata; nobody needs a token for them.

    Raises:
        Refusal: there are none here.
    """
    if resource is None or exchange.scope["path"] not in resource.paths:
        raise Refusal(
            Reason.NOT_FOUND,
            "The gateway says nothing of itself here; resource: in its configuration does.",
        )
    await send_json(exchange, 200, resource.document)
