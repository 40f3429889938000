"""Who is this? A token becomes a caller, or a refusal that says why not."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from rolecall.config import IssuerSettings, KeysFrom, Limits, Opaque, StaticKey
from rolecall.core import KEYS_ISSUER, Caller, Reason, Refusal, Revocation
from rolecall.identity import claims as claim
from rolecall.identity.access_token import accept, check_itself
from rolecall.identity.active_token import confirmed, described, introspected
from rolecall.identity.binding import Binding, ShownCertificate, check_certificate, check_sender
from rolecall.identity.claim_values import Claims
from rolecall.identity.directory import (
    LOOKED_UP,
    Directory,
    GroupLookUps,
    with_groups,
    without_groups,
)
from rolecall.identity.dpop import ProvenRequest, check_proof
from rolecall.identity.endpoint import EndpointSource
from rolecall.identity.fetch import Fetch, fetch_json
from rolecall.identity.guard import Presented, open_token
from rolecall.identity.keysource import KeySource
from rolecall.identity.nonces import Nonces
from rolecall.identity.opaque import LookUps, OpaqueTokens, owner
from rolecall.identity.profiles import PROFILES
from rolecall.identity.refreshed import Fetches, Pace
from rolecall.identity.replays import Replays
from rolecall.identity.revocations import Revocations
from rolecall.identity.shared_replays import SharedReplays
from rolecall.identity.signature import Verify, verify
from rolecall.identity.signed_answer import SignedAnswers
from rolecall.identity.signing_key import SigningIssuer, signing_key
from rolecall.identity.static_keys import StaticKeys
from rolecall.identity.tally import NOBODY, Tallies
from rolecall.identity.verdicts import LONGEST, Verdict, Verdicts, fingerprint
from rolecall.wire import strict_json

_PATIENCE: Final = 3.0
# no credential that is sent begins so: what is remembered of a bound token is never found as if it
# were a bearer token
_WITH_PROOF: Final = b"bound "
_WITH_CERTIFICATE: Final = b"with certificate "


@dataclass(frozen=True, slots=True)
class IssuerState:
    """What an operator may know of an issuer.

    Attributes:
        issuer: its name.
        ready: whether its tokens can be verified.
        error: why its keys are not fresh, or where opaque tokens are looked up is not known.
        keys: how many; None where its tokens are not signed.
        age: seconds since the keys were fetched; None where there are none.
        fetches: what became of fetching them; None where its tokens are not signed.
        looked_up_at: where its opaque tokens are looked up, if it has any.
        lookups: what became of that.
        group_lookups: what became of asking for groups; None where nobody does.
    """

    issuer: str
    ready: bool = True
    error: str | None = None
    keys: int | None = None
    age: float | None = None
    fetches: Fetches | None = None
    looked_up_at: str | None = None
    lookups: LookUps | None = None
    group_lookups: GroupLookUps | None = None


class Verifier:
    """The trusted issuers, a closed list, and the tokens that were verified lately.

    Args:
        issuers: the configuration's issuers.
        limits: sizes of tokens.
        complete: what is added to a caller before it is remembered: its roles.
        keys: static keys; their roles are their own.
        revocations: what the configuration revokes.
        nonces: those that proofs of possession must hold, where an issuer wants any; None for some
            of its own.
        replays: where proofs that were seen are noted; None where no other process needs to know.
        clock: seconds since the epoch.
        fetch: how documents are had.
        pace: how often issuers are asked.
        verify_signature: the signature step.
    """

    def __init__(  # noqa: PLR0913 - time, the network and the library are arguments
        self,
        issuers: Sequence[IssuerSettings],
        *,
        limits: Limits,
        complete: Callable[[Caller], Caller],
        keys: Sequence[StaticKey] = (),
        revocations: Collection[Revocation] = (),
        nonces: Nonces | None = None,
        replays: Replays | SharedReplays | None = None,
        clock: Callable[[], float] = time.time,
        fetch: Fetch = fetch_json,
        pace: Pace | None = None,
        verify_signature: Verify = verify,
    ) -> None:
        self._limits = limits
        self._complete = complete
        self._clock = clock
        self._verify = verify_signature
        self._verdicts = Verdicts()
        self._keys = StaticKeys(keys, clock)
        self._revocations = Revocations(revocations)
        self.tallies = Tallies()
        self.replays = Replays() if replays is None else replays
        self.nonces = nonces or Nonces(secrets.token_bytes(32))
        self._with_nonces = frozenset(issuer.issuer for issuer in issuers if issuer.dpop_nonce)
        self.takes_proofs = any(issuer.dpop is not None for issuer in issuers)
        self.takes_certificates = any(issuer.certificate_bound is not None for issuer in issuers)
        self._tasks: list[asyncio.Task[None]] = []
        self.sources: dict[tuple[KeysFrom, str], KeySource] = {}
        self._settings = tuple(issuers)
        self._issuers: dict[str, SigningIssuer] = {}
        pace = pace or Pace()
        self._signing: dict[str, SigningIssuer] = {}
        self.directories: dict[str, Directory] = {}
        for settings in issuers:
            if not settings.keys.anywhere:
                continue
            # issuers that share a key URL share its fetches; discovery is checked per issuer
            place = (settings.keys, settings.issuer if settings.keys.discovery_url else "")
            if place not in self.sources:
                self.sources[place] = KeySource(
                    settings.keys,
                    settings.issuer,
                    fetch=fetch,
                    clock=time.monotonic,
                    pace=pace,
                    on_removed=self._verdicts.forget,
                )
            directory = None
            if settings.group_overage is not None:
                directory = Directory(settings.group_overage, settings.issuer, clock)
                self.directories[settings.issuer] = directory
            signing = SigningIssuer(settings, self.sources[place], directory)
            self._signing[settings.issuer] = signing
            if settings.signed_tokens:
                self._issuers |= dict.fromkeys((settings.issuer, *settings.aliases), signing)
        self.opaque = [
            OpaqueTokens(
                settings,
                settings.opaque,
                clock,
                fetch=fetch,
                pace=pace,
                signed=self._signed_answers(settings, settings.opaque),
            )
            for settings in issuers
            if settings.opaque
        ]
        self._asked = {one.issuer: one for one in self.opaque if one.opaque.tokens == "all"}

    def _signed_answers(self, settings: IssuerSettings, opaque: Opaque) -> SignedAnswers | None:
        if not opaque.signed_response or opaque.client is None:
            return None
        signing = self._signing[settings.issuer]
        return SignedAnswers(signing, opaque.client.client_id, self._limits, self._verify)

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

    def adopt(self, former: "Verifier") -> None:
        """Take over the keys of issuers that both know, and all counts.

        A reload must not lose good keys, and a counter never goes back.
        """
        self.tallies = former.tallies
        self.replays = former.replays
        self.nonces.adopt(former.nonces)
        for place, source in self.sources.items():
            if known := former.sources.get(place):
                source.adopt(known)
        for opaque in self.opaque:
            for before in former.opaque:
                if before.issuer == opaque.issuer:
                    opaque.adopt(before)
        for issuer, directory in self.directories.items():
            if known_directory := former.directories.get(issuer):
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
        groups = {name: one.lookups for name, one in self.directories.items()}
        return [
            replace(
                _with_look_ups(self._state_of_keys(issuer.issuer), opaque.get(issuer.issuer)),
                group_lookups=groups.get(issuer.issuer),
            )
            for issuer in self._settings
        ]

    def _state_of_keys(self, name: str) -> IssuerState:
        issuer = self._signing.get(name)
        if issuer is None:
            return IssuerState(name)
        source = issuer.source
        return IssuerState(
            name,
            ready=source.keys is not None,
            error=source.error,
            keys=len(source.keys.keys) if source.keys is not None else 0,
            age=source.age,
            fetches=source.fetches,
        )

    @property
    def memory(self) -> int:
        """How many credentials are remembered now."""
        return len(self._verdicts)

    def remembered(self, key: bytes) -> Caller | None:
        """Whose the credential with this `fingerprint` is, if that was found out lately.

        And if it may still be believed.
        """
        return self._verdicts.look_up(key, self._clock())

    def revoke(self, revocations: Collection[Revocation]) -> None:
        """Believe these tokens no more, from the next request on."""
        self._revocations.add(revocations)
        self._verdicts.forget_callers(Revocations(revocations).concern)

    def revokes(self, caller: Caller) -> bool:
        """Whether a caller who was let in is revoked by now."""
        return self._revocations.concern(caller)

    def reinstate(self, revocations: Collection[Revocation]) -> None:
        """Take back what `revoke` was told."""
        self._revocations.remove(revocations)

    async def authenticate(self, token: bytes, shown: ShownCertificate | None = None) -> Caller:
        """Say whose a credential is: a token's, or a static key's.

        Awaits only when keys must be fetched. Of a token that is bound to a client certificate the
        token alone is remembered: every request must show the certificate.

        Args:
            token: the credential.
            shown: the sender's client certificate; None where none are taken.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable`` while there are no keys.
        """
        key = fingerprint(token)
        return self.remembered(key) or await self.verify(token, key, shown)

    async def verify(
        self, token: bytes, key: bytes, shown: ShownCertificate | None = None
    ) -> Caller:
        """The same for a credential that is not `remembered`, and its `fingerprint`.

        Raises:
            Refusal: as `authenticate`.
        """
        caller = None
        if shown is not None:
            caller = self._verdicts.find(_WITH_CERTIFICATE + token, self._clock())
        if caller is None:
            caller, binding = await self._look_at(token, key, proven=False)
        else:
            binding = check_sender(caller, proven=False)
        self._check_certificate(caller, binding, shown)
        return caller

    async def statement(self, token: bytes) -> tuple[Presented, IssuerSettings]:
        """What an issuer has signed, and who it is; whatever it says is still to be judged.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable``.
        """
        presented = open_token(token, self._limits)
        issuer = self._issuer(presented)
        await signing_key(presented, issuer, self._verify)
        return presented, issuer.settings

    async def authenticate_bound(
        self, token: bytes, request: ProvenRequest, shown: ShownCertificate | None = None
    ) -> tuple[Caller, str | None]:
        """Say whose a token is that comes with a proof of possession (RFC 9449).

        What is remembered is the token alone: every request needs its own proof.

        Args:
            token: the token.
            request: what it came with.
            shown: the sender's client certificate; None where none are taken.

        Returns:
            The caller, and the nonce that its next proof should have, if it is to be another one.

        Raises:
            Refusal: as `authenticate`, or because of the proof.
        """
        key = fingerprint(_WITH_PROOF + token)
        caller = self.remembered(key)
        if caller is None:
            caller, binding = await self._look_at(token, key, proven=True)
        else:
            binding = check_sender(caller, proven=True)
        self._check_certificate(caller, binding, shown)
        now = self._clock()
        try:
            proof = check_proof(
                request, token, binding.key, now=now, limits=self._limits, verify=self._verify
            )
            nonce = None
            if caller.issuer in self._with_nonces:
                nonce = self.nonces.check(proof.nonce, now)
            await self.replays.admit(str(binding.key), proof.jti, now)
        except Refusal as refusal:
            self.tallies.of(caller.issuer).refuse(refusal.reason)
            raise
        return caller, nonce

    def fresh_nonce(self) -> str:
        """The nonce for a client's next proof of possession."""
        return self.nonces.current(self._clock())

    def _check_certificate(
        self, caller: Caller, binding: Binding, shown: ShownCertificate | None
    ) -> None:
        try:
            check_certificate(binding, shown)
        except Refusal as refusal:
            self.tallies.of(caller.issuer).refuse(refusal.reason)
            raise

    async def _look_at(
        self, credential: bytes, key: bytes, *, proven: bool
    ) -> tuple[Caller, Binding]:
        tally = self.tallies.of(NOBODY)
        try:
            issuer, verifying = self._way(credential)
            tally = self.tallies.of(issuer)
            verdict = await verifying
            binding = check_sender(verdict.caller, proven=proven)
            self._revocations.check(verdict.caller)
        except Refusal as refusal:
            tally.refuse(refusal.reason)
            raise
        tally.accepted += 1
        # a token that came with a proof is looked for with one, whatever else it is bound to
        if not proven and binding.certificate is not None:
            key = fingerprint(_WITH_CERTIFICATE + credential)
        self._verdicts.keep(key, len(credential), verdict, tally, self._clock())
        return verdict.caller, binding

    def _way(self, credential: bytes) -> tuple[str, Awaitable[Verdict]]:
        # what a credential is, it says itself, and it is never tried as anything else
        if self._keys.owns(credential):
            return KEYS_ISSUER, self._keys.verify(credential)
        opaque = owner(credential, self.opaque) if self.opaque else None
        if opaque is not None:
            judge = partial(self._judge, opaque)
            return opaque.issuer, opaque.verify(credential, self._limits.token, judge)
        presented = open_token(credential, self._limits)
        issuer = self._issuer(presented)
        return issuer.settings.issuer, self._signed(credential, presented, issuer)

    def _judge(self, asked: OpaqueTokens, answer: Claims) -> Verdict:
        speak = introspected if asked.opaque.client is not None else described
        now, ttl = self._clock(), asked.opaque.ttl
        caller = self._complete(speak(answer, asked.settings, now, ttl))
        until = min(caller.expires, now + ttl)
        return Verdict(caller, until, size=len(strict_json.dumps(answer)))

    async def _signed(
        self, credential: bytes, presented: Presented, issuer: SigningIssuer
    ) -> Verdict:
        key = await signing_key(presented, issuer, self._verify)
        now = self._clock()
        asked = self._asked.get(issuer.settings.issuer)
        if asked is not None:
            # what this gateway itself can refuse is not asked about
            check_itself(presented, issuer.settings, now)
            judge = partial(self._confirm, asked, presented, key.thumbprint)
            verdict = await asked.verify(credential, self._limits.token, judge)
            # the key may have been withdrawn meanwhile
            await signing_key(presented, issuer, self._verify)
            return verdict
        if issuer.directory is not None and PROFILES[issuer.settings.profile].leaves_groups_out(
            presented.claims, issuer.settings
        ):
            return await self._looked_up(presented, issuer, issuer.directory)
        caller = self._complete(accept(presented, issuer.settings, now))
        return Verdict(caller, min(caller.expires, now + LONGEST), key.thumbprint)

    async def _looked_up(
        self, presented: Presented, issuer: SigningIssuer, directory: Directory
    ) -> Verdict:
        """A signed token that leaves its groups out, once they were looked up."""
        # what this gateway itself can refuse nobody is asked about
        self._revocations.check(accept(presented, without_groups(issuer.settings), self._clock()))
        membership = await directory.membership(presented.claims)
        # the key may have been withdrawn meanwhile
        key = await signing_key(presented, issuer, self._verify)
        now = self._clock()
        whole = with_groups(presented, membership)
        caller = accept(whole, issuer.settings, now)
        caller = self._complete(replace(caller, notes=(*caller.notes, LOOKED_UP)))
        until = min(caller.expires, now + LONGEST, membership.until)
        return Verdict(caller, until, key.thumbprint, size=len(whole.jws.payload))

    def _confirm(
        self, asked: OpaqueTokens, presented: Presented, thumbprint: str, answer: Claims
    ) -> Verdict:
        now = self._clock()
        caller = self._complete(confirmed(answer, presented, asked.settings, now))
        until = min(caller.expires, now + asked.opaque.ttl)
        return Verdict(caller, until, thumbprint, size=len(strict_json.dumps(answer)))

    def _issuer(self, presented: Presented) -> SigningIssuer:
        name = claim.name(presented.claims, "iss")
        issuer = self._issuers.get(name) if name is not None else None
        if issuer is None:
            raise Refusal(
                Reason.UNKNOWN_ISSUER,
                "The token's issuer (iss) is not one that this gateway trusts.",
            )
        return issuer


def _with_look_ups(state: IssuerState, opaque: OpaqueTokens | None) -> IssuerState:
    if opaque is None:
        return state
    return replace(
        state,
        ready=state.ready and opaque.url is not None,
        error=state.error or (opaque.source.error if opaque.source is not None else None),
        looked_up_at=opaque.url,
        lookups=opaque.lookups,
    )
