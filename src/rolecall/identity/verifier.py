"""Who is this? A token becomes a caller, or a refusal that says why not."""

import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Final

from rolecall.config import IssuerSettings, Limits, StaticKey
from rolecall.core import KEYS_ISSUER, Caller, Refusal, Revocation
from rolecall.identity.active_token import described, introspected
from rolecall.identity.binding import Binding, ShownCertificate, check_certificate, check_sender
from rolecall.identity.claim_values import Claims
from rolecall.identity.dpop import ProvenRequest, check_proof
from rolecall.identity.fetch import Fetch, fetch_json
from rolecall.identity.guard import Presented
from rolecall.identity.issuer_state import IssuerState
from rolecall.identity.nonces import Nonces
from rolecall.identity.opaque import OpaqueTokens, owner
from rolecall.identity.refreshed import Pace
from rolecall.identity.replays import Replays
from rolecall.identity.revocations import Revocations
from rolecall.identity.shared_replays import SharedReplays
from rolecall.identity.signature import Verify, verify
from rolecall.identity.signed_tokens import SignedTokens
from rolecall.identity.static_keys import StaticKeys
from rolecall.identity.tally import NOBODY, Tallies
from rolecall.identity.trusted_issuers import TrustedIssuers
from rolecall.identity.verdicts import Verdict, Verdicts, fingerprint

# no credential that is sent begins so: what is remembered of a bound token is never found as if it
# were a bearer token
_WITH_PROOF: Final = b"bound "
_WITH_CERTIFICATE: Final = b"with certificate "


class Verifier:
    """The trusted issuers, a closed list, and the tokens that were verified lately.

    Args:
        issuers: the configuration's issuers.
        limits: sizes of tokens, and how many are remembered.
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
        self._verdicts = Verdicts(limits.remembered_tokens, limits.remembered_bytes)
        self._keys = StaticKeys(keys, clock)
        self._revocations = Revocations(revocations)
        self.tallies = Tallies()
        self.replays = Replays(limits.proofs) if replays is None else replays
        self.nonces = nonces or Nonces(secrets.token_bytes(32))
        self._with_nonces = frozenset(issuer.issuer for issuer in issuers if issuer.dpop_nonce)
        self.takes_proofs = any(issuer.dpop is not None for issuer in issuers)
        self.takes_certificates = any(issuer.certificate_bound is not None for issuer in issuers)
        self.issuers = TrustedIssuers(
            issuers,
            limits=limits,
            clock=clock,
            fetch=fetch,
            pace=pace or Pace(),
            verify=verify_signature,
            on_removed=self._verdicts.forget,
        )
        self._signed = SignedTokens(
            self.issuers, self._revocations, limits, complete, clock, verify_signature
        )

    async def start(self) -> None:
        """Fetch what issuers publish, and keep it fresh; a slow issuer is waited for briefly."""
        await self.issuers.start()

    def adopt(self, former: "Verifier") -> None:
        """Take over the keys of issuers that both know, proofs that were seen, and all counts.

        A reload must not lose good keys, a proof is good once, and a counter never goes back.
        """
        self.tallies = former.tallies
        self.replays = former.replays
        self.replays.resize(self._limits.proofs)
        self.nonces.adopt(former.nonces)
        self.issuers.adopt(former.issuers)

    def retire(self) -> None:
        """Stop refreshing; requests that wait for a fetch still get its result."""
        self.issuers.retire()

    async def stop(self) -> None:
        """End all background work."""
        await self.issuers.stop()

    @property
    def ready(self) -> bool:
        """Whether every issuer that is required can have its tokens verified."""
        return self.issuers.ready

    def state(self) -> list[IssuerState]:
        """Every issuer, and how it stands with its keys, its opaque tokens and their groups."""
        return self.issuers.state()

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
        return await self._signed.statement(token)

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
        asked = self.issuers.opaque
        opaque = owner(credential, asked) if asked else None
        if opaque is not None:
            judge = partial(self._judge, opaque)
            return opaque.issuer, opaque.verify(credential, judge)
        presented, issuer = self._signed.open(credential)
        return issuer.settings.issuer, self._signed.judge(credential, presented, issuer)

    def _judge(self, asked: OpaqueTokens, answer: Claims) -> Verdict:
        speak = introspected if asked.opaque.client is not None else described
        now, ttl = self._clock(), asked.opaque.ttl
        caller = self._complete(speak(answer, asked.settings, now, ttl))
        return asked.verdict(caller, answer, now)
