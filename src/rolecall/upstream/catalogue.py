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
from rolecall.upstream.providers import PROVIDERS, Door, Provider
from rolecall.upstream.transport import Headers

_VERSION: Final = re.compile(r"v[0-9]+[a-z0-9]*")
_PATHS: Final = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """One upstream, ready to be called: whatever can be known before a request is known here."""

    settings: ModelSettings
    provider: Provider
    urls: Mapping[str, str]
    headers: Headers

    def door(self, endpoint: str) -> Door:
        """How an endpoint is served."""
        return self.provider.doors[endpoint]


class Catalogue:
    """Every deployment; those that share a name take turns."""

    def __init__(self, models: Sequence[ModelSettings]) -> None:
        by_name: dict[str, list[Deployment]] = {}
        for settings in models:
            by_name.setdefault(settings.name, []).append(_deployment(settings))
        self._turns: dict[tuple[str, str], Iterator[Deployment]] = {
            (name, endpoint): itertools.cycle(
                [item for item in deployments if endpoint in item.urls]
            )
            for name, deployments in by_name.items()
            for endpoint in {endpoint for item in deployments for endpoint in item.urls}
        }
        self.doors: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {
                name: tuple(dict.fromkeys(door for item in deployments for door in item.urls))
                for name, deployments in by_name.items()
            }
        )
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


def _deployment(settings: ModelSettings) -> Deployment:
    provider = PROVIDERS[settings.provider]
    base = versioned(settings.api_base)
    headers: Headers = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
    if settings.api_key is not None:
        headers.append(provider.credentials(settings.api_key))
    return Deployment(
        settings,
        provider,
        MappingProxyType({name: base + door.path for name, door in provider.doors.items()}),
        headers,
    )
