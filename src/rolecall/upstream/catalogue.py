"""The deployments, by the name that callers use."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from rolecall.config import ModelSettings
from rolecall.core import Call, Reason, Refusal
from rolecall.upstream.providers import PROVIDERS, Translate
from rolecall.upstream.transport import Destination

_VERSION: Final = re.compile(r"v[0-9]+[a-z0-9]*")
_ALWAYS_PASS: Final = frozenset(
    {b"accept", b"user-agent", b"idempotency-key", b"traceparent", b"tracestate"}
)
_PATHS: Final = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}


@dataclass(frozen=True, slots=True, eq=False)
class Deployment:
    """One upstream at one endpoint: whatever can be known before a request is known here.

    Compared by identity, so that what was worked out for one can be kept.

    Attributes:
        passes: the caller's headers that travel on, in lower case.
        defaults: headers that are added where the caller sent none of that name.
        translate: None where the upstream speaks the endpoint's format.
    """

    settings: ModelSettings
    destination: Destination
    passes: frozenset[bytes]
    defaults: tuple[tuple[bytes, bytes], ...]
    translate: Translate | None


class Catalogue:
    """Every deployment; those that share a name take turns."""

    def __init__(self, models: Sequence[ModelSettings]) -> None:
        served: dict[tuple[str, str], list[Deployment]] = {}
        for settings in models:
            for endpoint, deployment in _deployments(settings):
                served.setdefault((settings.name, endpoint), []).append(deployment)
        self._turns: dict[tuple[str, str], Iterator[Deployment]] = {
            place: itertools.cycle(deployments) for place, deployments in served.items()
        }
        doors: dict[str, tuple[str, ...]] = {}
        for name, endpoint in served:
            doors[name] = (*doors.get(name, ()), endpoint)
        self.doors: Mapping[str, tuple[str, ...]] = MappingProxyType(doors)
        """The model names that are served, and the endpoints that serve each."""

    def choose(self, call: Call) -> Deployment:
        """The deployment that serves a call which policy has allowed.

        Raises:
            Refusal: ``model_not_found``, or ``invalid_request`` where the model is served at
                other endpoints only.
        """
        turns = self._turns.get((call.model, call.endpoint))
        if turns is not None:
            return next(turns)
        if call.model not in self.doors:
            raise Refusal(
                Reason.MODEL_NOT_FOUND,
                f"You may call {call.model}, but no upstream serves it; tell the administrator of"
                " this gateway.",
                param="model",
            )
        elsewhere = " or ".join(_PATHS[door] for door in self.doors[call.model])
        raise Refusal(
            Reason.INVALID_REQUEST,
            f"{call.model} is served by an upstream of another format and cannot be called at"
            f" {_PATHS[call.endpoint]}; call it at {elsewhere}.",
            param="model",
        )


def versioned(api_base: str) -> str:
    """A base URL with its version: ``/v1`` is added where no part of the path is a version."""
    base = api_base.rstrip("/")
    parts = urlsplit(base).path.split("/")
    return base if any(_VERSION.fullmatch(part) for part in parts) else f"{base}/v1"


def _deployments(settings: ModelSettings) -> Iterator[tuple[str, Deployment]]:
    provider = PROVIDERS[settings.provider]
    base = versioned(settings.api_base)
    headers = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
    if settings.api_key is not None:
        headers.append(provider.credentials(settings.api_key))
    for endpoint, door in provider.doors.items():
        yield (
            endpoint,
            Deployment(
                settings,
                Destination(
                    base + door.path,
                    tuple(headers),
                    settings.timeouts,
                    settings.tls,
                    settings.transport,
                ),
                _ALWAYS_PASS | door.passes,
                provider.defaults,
                door.translate,
            ),
        )
