"""Who is this? A token becomes a caller, or a refusal that says why not."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from rolecall.config import IssuerSettings, KeysFrom, Limits, Opaque, StaticKey
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity import claims as claim
from rolecall.identity.access_token import accept
from rolecall.identity.active_token import described, introspected
from rolecall.identity.claims import Claims
from rolecall.identity.fetch import Fetch, fetch_json
from rolecall.identity.guard import Presented, open_token
from rolecall.identity.jwk import VerificationKey
from rolecall.identity.keysource import KeySource, Pace
from rolecall.identity.opaque import OpaqueTokens, owner
from rolecall.identity.profiles import PROFILES
from rolecall.identity.signature import Verify, verify
from rolecall.identity.static_keys import StaticKeys
from rolecall.identity.verdicts import LONGEST, Verdict, Verdicts

_PATIENCE: Final = 3.0


@dataclass(frozen=True, slots=True)
class _Issuer:
    settings: IssuerSettings
    source: KeySource


@dataclass(frozen=True, slots=True)
class IssuerState:
    """What an operator may know of an issuer.

    Attributes:
        issuer: its name.
        keys: how many; None where its tokens are not signed.
        error: why they are not fresh.
        looked_up_at: where its opaque tokens are looked up, if it has any.
    """

    issuer: str
    keys: int | None
    error: str | None
    looked_up_at: str | None


class Verifier:
    """The trusted issuers, a closed list, and the tokens that were verified lately.

    Args:
        issuers: the configuration's issuers.
        limits: sizes of tokens.
        complete: what is added to a caller before it is remembered: its roles.
        keys: static keys; their roles are their own.
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
        self._keys = StaticKeys(keys)
        self._tasks: list[asyncio.Task[None]] = []
        self.sources: dict[tuple[KeysFrom, str], KeySource] = {}
        self._settings = tuple(issuers)
        self._issuers: dict[str, _Issuer] = {}
        self._opaque = [
            self._opaque_tokens(settings, settings.opaque)
            for settings in issuers
            if settings.opaque
        ]
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
                    pace=pace or Pace(),
                    on_removed=self._verdicts.forget,
                )
            for name in (settings.issuer, *settings.aliases):
                self._issuers[name] = _Issuer(settings, self.sources[place])

    async def start(self) -> None:
        """Fetch all key sets and keep them fresh in the background.

        Returns when each has been tried once, or after `_PATIENCE` seconds: a provider that is
        down or slow must not keep the others' callers out.
        """
        sources = list(self.sources.values())
        self._tasks = [asyncio.create_task(source.keep_fresh()) for source in sources]
        # after a reload most have their keys already, and a ban must not wait for a slow provider
        without = [asyncio.create_task(source.refresh()) for source in sources if not source.keys]
        if without:
            await asyncio.wait(without, timeout=_PATIENCE)

    def adopt(self, former: "Verifier") -> None:
        """Take over the keys of issuers that both know: a reload must not lose good keys."""
        for place, source in self.sources.items():
            if known := former.sources.get(place):
                source.adopt(known)

    async def retire(self) -> None:
        """Stop refreshing; requests that wait for a fetch still get its result."""
        for task in self._tasks:
            task.cancel()
        for opaque in self._opaque:
            await opaque.retire()

    async def stop(self) -> None:
        """End all background work."""
        await self.retire()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for source in self.sources.values():
            await source.close()
        for opaque in self._opaque:
            await opaque.close()

    @property
    def ready(self) -> bool:
        """Whether every issuer that is required has keys."""
        return all(
            issuer.source.keys is not None
            for issuer in self._issuers.values()
            if issuer.settings.required
        )

    def state(self) -> list[IssuerState]:
        """Every issuer with the number of its keys."""
        return [self._state(settings) for settings in self._settings]

    def _state(self, settings: IssuerSettings) -> IssuerState:
        issuer = self._issuers.get(settings.issuer)
        keys = issuer.source.keys if issuer is not None else None
        return IssuerState(
            issuer=settings.issuer,
            keys=None if issuer is None else len(keys.keys) if keys is not None else 0,
            error=issuer.source.error if issuer is not None else None,
            looked_up_at=settings.opaque.endpoint if settings.opaque is not None else None,
        )

    async def authenticate(self, token: bytes) -> Caller:
        """Say whose a credential is: a token's, or a static key's.

        Awaits only when keys must be fetched.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable`` while there are no keys.
        """
        caller = self._verdicts.find(token, self._clock())
        if caller is not None:
            return caller
        verdict = await self._verdict(token)
        self._verdicts.remember(token, verdict, self._clock())
        return verdict.caller

    async def _verdict(self, credential: bytes) -> Verdict:
        # what a credential is, it says itself, and it is never tried as anything else
        static = self._keys.find(credential, self._clock())
        if static is not None:
            return static
        opaque = owner(credential, self._opaque)
        if opaque is not None:
            return await opaque.verify(credential, self._limits.token)
        return await self._signed(credential)

    def _opaque_tokens(self, issuer: IssuerSettings, opaque: Opaque) -> OpaqueTokens:
        speak = introspected if opaque.client is not None else described

        def judge(answer: Claims) -> Verdict:
            now = self._clock()
            caller = self._complete(speak(answer, issuer, now, opaque.ttl))
            return Verdict(caller, min(caller.expires, now + opaque.ttl))

        return OpaqueTokens(issuer.issuer, opaque, judge=judge, clock=self._clock)

    async def _signed(self, token: bytes) -> Verdict:
        presented = open_token(token, self._limits)
        issuer = self._issuer(presented)
        key = await self._signing_key(presented, issuer)
        now = self._clock()
        caller = self._complete(accept(presented, issuer.settings, now))
        return Verdict(caller, min(caller.expires, now + LONGEST), key.thumbprint)

    def _issuer(self, presented: Presented) -> _Issuer:
        name = claim.name(presented.claims, "iss")
        issuer = self._issuers.get(name) if name is not None else None
        if issuer is None:
            raise Refusal(
                Reason.UNKNOWN_ISSUER,
                "The token's issuer (iss) is not one that this gateway trusts.",
            )
        if presented.jws.algorithm not in issuer.settings.algorithms:
            raise Refusal(
                Reason.ALGORITHM_NOT_ALLOWED,
                "The token's signature algorithm (alg) is not allowed for its issuer.",
            )
        return issuer

    async def _signing_key(self, presented: Presented, issuer: _Issuer) -> VerificationKey:
        jws, source, banned = presented.jws, issuer.source, issuer.settings.banned_keys
        if jws.key_id in banned:
            raise _banned()
        keys = source.keys.named(jws.key_id) if source.keys else ()
        if not keys:
            await source.look_for(jws.key_id)
            if source.keys is None:
                raise Refusal(
                    Reason.ISSUER_UNAVAILABLE,
                    "The keys of the token's issuer cannot be fetched at the moment; try again"
                    " shortly.",
                )
            keys = source.keys.named(jws.key_id)
        keys = _serving(keys, presented, issuer)
        if not keys:
            raise Refusal(
                Reason.UNKNOWN_KEY,
                "The token is signed with a key that its issuer does not publish.",
            )
        if not any(jws.algorithm in key.algorithms for key in keys):
            raise Refusal(
                Reason.ALGORITHM_NOT_ALLOWED,
                "The token's signature algorithm (alg) is not that of the key it names.",
            )
        for key in keys:
            if self._verify(jws.algorithm, key, jws.signing_input, jws.signature):
                if key.key_id in banned or key.thumbprint in banned:
                    raise _banned()
                return key
        raise Refusal(Reason.BAD_SIGNATURE, "The token's signature is not valid.")


def _serving(
    keys: tuple[VerificationKey, ...], presented: Presented, issuer: _Issuer
) -> tuple[VerificationKey, ...]:
    """The keys that may sign for the token's tenant, where a set says so (Entra ID)."""
    if all(key.issuer is None for key in keys):
        return keys
    serves = PROFILES[issuer.settings.profile].key_serves
    return tuple(key for key in keys if serves(key.issuer, presented.claims))


def _banned() -> Refusal:
    return Refusal(
        Reason.REVOKED,
        "The key that signed the token is not accepted any more; sign in again.",
    )
