"""The shape of a provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rolecall.wire.translation import Translation

Body = dict[str, Any]
Translate = Callable[[Body, str], tuple[Body, Translation]]
"""The caller's body and the upstream's model name → the upstream's body, and the way back."""


@dataclass(frozen=True, slots=True)
class Door:
    """How one of our endpoints is served by a provider.

    Attributes:
        path: below the versioned base URL, ``/chat/completions``.
        passes: the caller's headers that the provider understands, in lower case.
        translate: None where the formats are the same.
    """

    path: str
    passes: frozenset[bytes] = frozenset()
    translate: Translate | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One vendor's wire format.

    Attributes:
        doors: by endpoint name; an endpoint that is missing cannot be served.
        credentials: the headers that carry the company's key.
        defaults: headers that are added where the caller sent none of that name.
    """

    doors: Mapping[str, Door]
    credentials: Callable[[str], tuple[bytes, bytes]]
    defaults: tuple[tuple[bytes, bytes], ...] = ()
