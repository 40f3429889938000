"""The trusted issuers, a closed list: their keys and endpoints over time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from rolecall.config import IssuerSettings, KeysFrom, Limits, Opaque
from rolecall.core import Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.directory import Directory
from rolecall.identity.endpoint import EndpointSource
from rolecall.identity.fetch import Fetch
from rolecall.identity.guard import Presented
from rolecall.identity.issuer_state import IssuerState, state_of
from rolecall.identity.keysource import KeySource
from rolecall.identity.opaque import OpaqueTokens
from rolecall.identity.refreshed import Pace
from rolecall.identity.signature import Verify
from rolecall.identity.signed_answer import SignedAnswers
from rolecall.identity.signing_key import SigningIssuer

_PATIENCE: Final = 3.0


class TrustedIssuers:
    """Everything that is fetched from issuers, or asked of them.

    Args:
        settings: the configuration's issuers.
        limits: sizes of tokens and signed answers, and how much is remembered.
        clock: seconds since the epoch.
        fetch: how documents are had.
        pace: how often issuers are asked.
        verify: the signature step.
        on_removed: is told the thumbprints of keys that are not believed any more.

    Attributes:
        sources: the key sets, by where they come from.
        opaque: the issuers that are asked about tokens.
        directories: where groups that tokens leave out are looked up, by issuer.
    """

    def __init__(  # noqa: PLR0913 - time, the network and the library are arguments
        self,
        settings: Sequence[IssuerSettings],
        *,
        limits: Limits,
        clock: Callable[[], float],
        fetch: Fetch,
        pace: Pace,
        verify: Verify,
        on_removed: Callable[[frozenset[str]], None],
    ) -> None:
        self.sources: dict[tuple[KeysFrom, str], KeySource] = {}
        self.directories: dict[str, Directory] = {}
        self._settings = tuple(settings)
        self._tasks: list[asyncio.Task[None]] = []
        self._signing: dict[str, SigningIssuer] = {}
        self._named: dict[str, SigningIssuer] = {}
        for issuer in settings:
            if not issuer.keys.anywhere:
                continue
            # issuers that share a key URL share its fetches; discovery is checked per issuer
            place = (issuer.keys, issuer.issuer if issuer.keys.discovery_url else "")
            if place not in self.sources:
                self.sources[place] = KeySource(
                    issuer.keys,
                    issuer.issuer,
                    fetch=fetch,
                    clock=time.monotonic,
                    pace=pace,
                    most_unknown=limits.unknown_keys,
                    on_removed=on_removed,
                )
            directory = None
            if issuer.group_overage is not None:
                directory = Directory(issuer.group_overage, issuer.issuer, clock)
                self.directories[issuer.issuer] = directory
            signing = SigningIssuer(issuer, self.sources[place], directory)
            self._signing[issuer.issuer] = signing
            if issuer.signed_tokens:
                self._named |= dict.fromkeys((issuer.issuer, *issuer.aliases), signing)
        self.opaque = [
            OpaqueTokens(
                issuer,
                issuer.opaque,
                limits,
                clock,
                fetch=fetch,
                pace=pace,
                signed=self._signed_answers(issuer.issuer, issuer.opaque, limits, verify),
            )
            for issuer in settings
            if issuer.opaque
        ]
        self._asked = {one.issuer: one for one in self.opaque if one.opaque.tokens == "all"}

    def _signed_answers(
        self, issuer: str, opaque: Opaque, limits: Limits, verify: Verify
    ) -> SignedAnswers | None:
        if not opaque.signed_response or opaque.client is None:
            return None
        return SignedAnswers(self._signing[issuer], opaque.client.client_id, limits, verify)

    def of(self, presented: Presented) -> SigningIssuer:
        """The issuer of a signed token, says the token.

        Raises:
            Refusal: ``unknown_issuer`` or ``invalid_claim``.
        """
        name = claim.name(presented.claims, "iss")
        issuer = self._named.get(name) if name is not None else None
        if issuer is None:
            raise Refusal(
                Reason.UNKNOWN_ISSUER,
                "The token's issuer (iss) is not one that this gateway trusts.",
            )
        return issuer

    def asked_about_all(self, issuer: str) -> OpaqueTokens | None:
        """Who answers about an issuer's signed tokens; None where they speak for themselves."""
        return self._asked.get(issuer)

    async def start(self) -> None:
        """Fetch all key sets, and endpoints that metadata name, and keep them fresh.

        Returns when each has been tried once, or after `_PATIENCE` seconds: a provider that is
        down or slow must not keep the others' callers out.
        """
        sources: list[KeySource | EndpointSource] = [
            *self.sources.values(),
            *(one.source for one in self.opaque if one.source is not None),
        ]
        self._tasks = [asyncio.create_task(source.keep_fresh()) for source in sources]
        # after a reload most have their keys already, and a ban must not wait for a slow provider
        without = [asyncio.create_task(source.refresh()) for source in sources if not source.value]
        if without:
            await asyncio.wait(without, timeout=_PATIENCE)

    def adopt(self, former: "TrustedIssuers") -> None:
        """Take over the keys, endpoints and counts of issuers that both know."""
        # a key set that is to be asked for more often is still the same
        sources = {(keys.place, name): source for (keys, name), source in former.sources.items()}
        for (keys, name), source in self.sources.items():
            if known := sources.get((keys.place, name)):
                source.adopt(known)
        before = {one.issuer: one for one in former.opaque}
        for opaque in self.opaque:
            if opaque.issuer in before:
                opaque.adopt(before[opaque.issuer])
        for name, directory in self.directories.items():
            if known_directory := former.directories.get(name):
                directory.adopt(known_directory)

    def retire(self) -> None:
        """Stop refreshing; requests that wait for a fetch still get its result."""
        for task in self._tasks:
            task.cancel()
        for opaque in self.opaque:
            opaque.retire()
        for directory in self.directories.values():
            directory.retire()

    async def stop(self) -> None:
        """End all background work."""
        self.retire()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for source in self.sources.values():
            await source.close()
        for opaque in self.opaque:
            await opaque.close()
        for directory in self.directories.values():
            await directory.close()

    @property
    def ready(self) -> bool:
        """Whether every issuer that is required has keys, and an endpoint where it needs one."""
        return all(
            issuer.source.keys is not None
            for issuer in self._signing.values()
            if issuer.settings.required
        ) and all(one.url is not None for one in self.opaque if one.settings.required)

    def state(self) -> list[IssuerState]:
        """Every issuer, and how it stands with its keys, its opaque tokens and their groups."""
        opaque = {one.issuer: one for one in self.opaque}
        return [
            state_of(one.issuer, self._signing.get(one.issuer), opaque.get(one.issuer))
            for one in self._settings
        ]
