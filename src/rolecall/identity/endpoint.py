"""Where an issuer is asked about tokens, as its metadata say (RFC 8414 2, OIDC Discovery 3)."""

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rolecall.config import MetadataAt, Opaque, Reach
from rolecall.identity.fetch import Fetch, FetchError
from rolecall.identity.metadata import metadata, named_url, onwards, origin
from rolecall.identity.refreshed import Pace, Refreshed

log = logging.getLogger("rolecall.identity")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL, and the way to its server."""

    url: str
    reach: Reach


class EndpointSource(Refreshed[Endpoint]):
    """The endpoint that one issuer's metadata name.

    It is sent the gateway's credentials and its callers' tokens. Metadata that move it to another
    server are not followed by the source that has found it: a reload of the configuration, which
    makes a new source, is somebody's decision.

    Args:
        at: where the metadata are.
        opaque: what is looked up.
        issuer: whose metadata they must be.
        fetch: how documents are had.
        clock: seconds.
        pace: how often the issuer is asked.
        on_moved: is told after each change.
        chance: a number from 0 to 1.

    Attributes:
        place: what is looked for, where, and how it is reached.
    """

    def __init__(  # noqa: PLR0913 - time, chance and the network are arguments
        self,
        at: MetadataAt,
        opaque: Opaque,
        issuer: str,
        *,
        fetch: Fetch,
        clock: Callable[[], float],
        pace: Pace,
        on_moved: Callable[[Endpoint | None], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(
            "endpoints",
            issuer,
            refresh=at.refresh,
            max_stale=at.max_stale,
            clock=clock,
            pace=pace,
            chance=chance,
        )
        self._at = at
        self._name = "userinfo_endpoint" if opaque.client is None else "introspection_endpoint"
        self._reach = opaque.reach
        self.place = (at.url, at.reach, self._name, opaque.reach)
        self._fetch = fetch
        self._on_moved = on_moved
        self._origin: tuple[str, str] | None = None

    async def _load(self) -> tuple[Endpoint, float | None]:
        at = self._at.url
        fetched = await metadata(at, self._at.reach, self.issuer, self._fetch)
        members = self._members(fetched.document)
        url = named_url(members, self._name, at, instead="endpoint")
        if self._origin not in {None, origin(url)}:
            raise FetchError(
                f"{at} names a {self._name} at another server ({'://'.join(origin(url))}) than"
                f" before; write it as endpoint, or reload the configuration, if it is meant"
            )
        self._origin = origin(url)
        return Endpoint(url, onwards(url, at, self._reach)), fetched.max_age

    def _members(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        # RFC 8705 5: who shows a certificate uses the endpoint that asks for one, if there is one
        aliases = document.get("mtls_endpoint_aliases")
        shown = self._reach.certificate is not None
        return (
            aliases if shown and isinstance(aliases, dict) and self._name in aliases else document
        )

    def _replaced(self, before: Endpoint | None) -> None:
        if self.value == before:
            return
        if before is not None and self.value is not None:
            log.warning("issuer %s: its %s is %s now", self.issuer, self._name, self.value.url)
        self._on_moved(self.value)
