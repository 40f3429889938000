"""A signed token becomes a verdict: by what it says, or by what its issuer says of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from rolecall.config import IssuerSettings, Limits
from rolecall.core import Caller
from rolecall.identity.access_token import accept, check_itself
from rolecall.identity.active_token import confirmed
from rolecall.identity.claim_values import Claims
from rolecall.identity.directory import LOOKED_UP, Directory, with_groups, without_groups
from rolecall.identity.guard import Presented, open_token
from rolecall.identity.opaque import OpaqueTokens
from rolecall.identity.profiles import PROFILES
from rolecall.identity.revocations import Revocations
from rolecall.identity.sign_in import good_until
from rolecall.identity.signature import Verify
from rolecall.identity.signing_key import SigningIssuer, signing_key
from rolecall.identity.trusted_issuers import TrustedIssuers
from rolecall.identity.verdicts import LONGEST, Verdict


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """What signed tokens are judged with.

    Attributes:
        issuers: whose tokens are taken.
        revocations: whose are not.
        limits: sizes of tokens.
        complete: what is added to a caller: its roles.
        clock: seconds since the epoch.
        verify: the signature step.
    """

    issuers: TrustedIssuers
    revocations: Revocations
    limits: Limits
    complete: Callable[[Caller], Caller]
    clock: Callable[[], float]
    verify: Verify

    def open(self, token: bytes) -> tuple[Presented, SigningIssuer]:
        """Take a token apart; nothing in it is to be believed yet, its issuer's name included.

        Raises:
            Refusal: ``malformed_token``, ``invalid_claim`` or ``unknown_issuer``.
        """
        presented = open_token(token, self.limits)
        return presented, self.issuers.of(presented)

    async def statement(self, token: bytes) -> tuple[Presented, IssuerSettings]:
        """What an issuer has signed, and who it is; whatever it says is still to be judged.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable``.
        """
        presented, issuer = self.open(token)
        await signing_key(presented, issuer, self.verify)
        return presented, issuer.settings

    async def judge(self, token: bytes, presented: Presented, issuer: SigningIssuer) -> Verdict:
        """Say whose a token is that was taken apart.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable``.
        """
        key = await signing_key(presented, issuer, self.verify)
        now = self.clock()
        asked = self.issuers.asked_about_all(issuer.settings.issuer)
        if asked is not None:
            # what this gateway itself can refuse is not asked about
            check_itself(presented, issuer.settings, now)
            judge = partial(self._confirm, asked, presented, key.thumbprint)
            verdict = await asked.verify(token, judge)
            # the key may have been withdrawn meanwhile
            await signing_key(presented, issuer, self.verify)
            return verdict
        if issuer.directory is not None and PROFILES[issuer.settings.profile].leaves_groups_out(
            presented.claims, issuer.settings
        ):
            return await self._looked_up(presented, issuer, issuer.directory)
        caller = self.complete(accept(presented, issuer.settings, now))
        until = min(good_until(caller, issuer.settings), now + LONGEST)
        return Verdict(caller, until, key.thumbprint)

    async def _looked_up(
        self, presented: Presented, issuer: SigningIssuer, directory: Directory
    ) -> Verdict:
        """A signed token that leaves its groups out, once they were looked up."""
        # what this gateway itself can refuse nobody is asked about
        self.revocations.check(accept(presented, without_groups(issuer.settings), self.clock()))
        membership = await directory.membership(presented.claims)
        # the key may have been withdrawn meanwhile
        key = await signing_key(presented, issuer, self.verify)
        now = self.clock()
        whole = with_groups(presented, membership)
        caller = accept(whole, issuer.settings, now)
        caller = self.complete(replace(caller, notes=(*caller.notes, LOOKED_UP)))
        until = min(good_until(caller, issuer.settings), now + LONGEST, membership.until)
        return Verdict(caller, until, key.thumbprint, size=len(whole.jws.payload))

    def _confirm(
        self, asked: OpaqueTokens, presented: Presented, thumbprint: str, answer: Claims
    ) -> Verdict:
        now = self.clock()
        caller = self.complete(confirmed(answer, presented, asked.settings, now))
        return asked.verdict(caller, answer, now, thumbprint)
