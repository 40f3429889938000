"""Tokens whose issuer is asked whose each one is; what it says is remembered for a while."""

import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import Final, TypeVar

from rolecall.config import IssuerSettings, Limits, Opaque
from rolecall.core import Caller, Reason, Refusal
from rolecall.identity.askings import Askings
from rolecall.identity.claim_values import Claims
from rolecall.identity.documents import Deadline, FetchError, towards
from rolecall.identity.endpoint import Endpoint, EndpointSource
from rolecall.identity.fetch import Fetch
from rolecall.identity.introspection import LookUp, by_introspection, by_userinfo
from rolecall.identity.refreshed import Pace
from rolecall.identity.session import Session
from rolecall.identity.sign_in import good_until
from rolecall.identity.signed_answer import SignedAnswers
from rolecall.identity.verdicts import Verdict
from rolecall.wire import strict_json

log = logging.getLogger("rolecall.identity")

Judge = Callable[[Claims], Verdict]
"""What an issuer says of an active token → the verdict; raises `Refusal`."""

MOST_ASKED: Final = 128
"""Look-ups under way, and as many of tokens that were good before."""

# RFC 6750 2.1
_B64TOKEN: Final = re.compile(rb"[A-Za-z0-9._~+/-]+=*")
# the base64url of what begins with {
_LIKE_JSON: Final = re.compile(rb"e[w-z]")
_INACTIVE: Final = Refusal(
    Reason.REVOKED,
    "The token is not active: it has expired, was revoked, or is none of its issuer's; sign in"
    " again.",
)


def looks_signed(token: bytes) -> bool:
    """Whether a token looks like a JWT, if a broken one.

    Such a token is never asked about: what fails here as a JWT must not pass as something else. An
    encrypted one (five segments) is opaque to us, and may be its issuer's.
    """
    dots = token.count(b".")
    return dots == 2 or (dots not in {0, 4} and _LIKE_JSON.match(token) is not None)


@dataclass(slots=True)
class LookUps:
    """What became of an issuer's look-ups so far, for the metrics."""

    made: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Asked:
    session: Session
    look_up: LookUp


class OpaqueTokens:
    """One issuer's opaque tokens, and its signed ones where it is to be asked about them.

    Args:
        settings: the issuer.
        opaque: where it is asked, and how long answers are remembered.
        limits: how many tokens are remembered.
        clock: seconds since the epoch.
        fetch: how its metadata are had, where they name the endpoint.
        pace: how often.
        signed: what its answers must be; None where they are not to be signed.

    Attributes:
        source: the endpoint over time; None where it is written.
    """

    def __init__(  # noqa: PLR0913 - time and the network are arguments
        self,
        settings: IssuerSettings,
        opaque: Opaque,
        limits: Limits,
        clock: Callable[[], float],
        *,
        fetch: Fetch,
        pace: Pace,
        signed: SignedAnswers | None,
    ) -> None:
        self.lookups = LookUps()
        self.prefix = opaque.prefix.encode()
        self.issuer = settings.issuer
        self.settings = settings
        self.opaque = opaque
        self._limits = limits
        self.source: EndpointSource | None = None
        self._asked: _Asked | None = None
        self._clock = clock
        self._askings: Askings[bytes, Verdict | Refusal] = Askings()
        # a plain dict looks for its first entry among all those that went before it
        self._refused: OrderedDict[bytes, tuple[float, Refusal]] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._failing = False
        self._signed = signed
        if isinstance(opaque.endpoint, str):
            url = opaque.endpoint
            self._move(Endpoint(url, towards(url, opaque.reach)))
        else:
            self.source = EndpointSource(
                opaque.endpoint,
                opaque,
                self.issuer,
                fetch=fetch,
                clock=time.monotonic,
                pace=pace,
                on_moved=self._move,
            )

    @property
    def url(self) -> str | None:
        """Where the issuer is asked; None while that is not known."""
        return self._asked.session.url if self._asked is not None else None

    def adopt(self, former: "OpaqueTokens") -> None:
        """Take over what is known of the same issuer.

        The counts, the endpoint that its metadata named, and which tokens were good.
        """
        self.lookups = former.lookups
        known = list(former._known)  # noqa: SLF001 - of the same class
        self._known = OrderedDict.fromkeys(known[-self._limits.remembered_tokens :])
        ours, theirs = self.source, former.source
        if ours is not None and theirs is not None and ours.place == theirs.place:
            ours.adopt(theirs)
            self._move(ours.value)

    async def verify(self, token: bytes, judge: Judge) -> Verdict:
        """Ask the issuer, or take part in the asking, or remember that it was in vain.

        Args:
            token: as it was sent.
            judge: what makes of the issuer's word a verdict.

        Raises:
            Refusal: 401 with the reason, or ``issuer_unavailable``.
        """
        max_bytes = self._limits.token
        if len(token) > max_bytes or not _B64TOKEN.fullmatch(token):
            raise Refusal(
                Reason.MALFORMED_TOKEN,
                f"The token cannot be used: it is longer than {max_bytes} bytes, or holds"
                " characters that no token has.",
            )
        digest = sha256(token).digest()
        until, refusal = self._refused.get(digest, (0.0, _INACTIVE))
        if self._clock() < until:
            raise _anew(refusal)
        # a flood of made-up tokens leaves room for those that were good before
        most = 2 * MOST_ASKED if digest in self._known else MOST_ASKED
        if digest not in self._askings and len(self._askings) >= most:
            raise _unavailable()
        ask = partial(self._ask, token, digest, judge)
        outcome = await self._askings.outcome(digest, ask)
        if isinstance(outcome, Refusal):
            raise _anew(outcome)
        return outcome

    def verdict(
        self, caller: Caller, answer: Claims, now: float, thumbprint: str | None = None
    ) -> Verdict:
        """What is remembered of a caller whom an answer has told of.

        Args:
            caller: with its roles.
            answer: what the issuer said.
            now: seconds since the epoch.
            thumbprint: the key that has signed the token.
        """
        until = min(good_until(caller, self.settings), now + self.opaque.ttl)
        return Verdict(caller, until, thumbprint, size=len(strict_json.dumps(answer)))

    def retire(self) -> None:
        """Keep no connection; look-ups that are under way still get their answers."""
        if self._asked is not None:
            self._asked.session.retire()

    async def close(self) -> None:
        """End all look-ups that are under way."""
        if self.source is not None:
            await self.source.close()
        await self._askings.close()

    async def _ask(self, token: bytes, digest: bytes, judge: Judge) -> Verdict | Refusal:
        self.lookups.made += 1
        try:
            said = await self._look_up()(token.decode("ascii"))
            self._works()
            if said is None:
                raise _anew(_INACTIVE)
            verdict = judge(said.claims)
        except FetchError as error:
            self._fails(error)
            return _unavailable()
        except Refusal as refusal:
            self._known.pop(digest, None)
            until = self._clock() + self.opaque.negative_ttl
            # without the traceback, whose frames hold the token
            told = _anew(refusal)
            _put(self._refused, digest, (until, told), self._limits.refused_tokens)
            return told
        else:
            _put(self._known, digest, None, self._limits.remembered_tokens)
            # a signed token ends with its own key
            return replace(verdict, thumbprint=verdict.thumbprint or said.thumbprint)

    def _look_up(self) -> LookUp:
        if self._asked is None:
            why = self.source.error if self.source is not None else None
            raise FetchError(why or "the issuer's metadata were not fetched yet")
        return self._asked.look_up

    def _move(self, endpoint: Endpoint | None) -> None:
        """Ask there from now on; None where nobody knows where."""
        self.retire()
        self._asked = None
        if endpoint is None:
            return
        session = Session(endpoint.url, endpoint.reach, Deadline(self.opaque.timeout))
        client = self.opaque.client
        self._asked = _Asked(
            session,
            by_userinfo(session)
            if client is None
            else by_introspection(session, client, self.issuer, self._clock, self._signed),
        )

    def _fails(self, error: FetchError) -> None:
        self.lookups.failed += 1
        # once and not for each token
        level = logging.DEBUG if self._failing else logging.WARNING
        self._failing = True
        log.log(level, "issuer %s: tokens cannot be looked up: %s", self.issuer, error)

    def _works(self) -> None:
        if self._failing:
            self._failing = False
            log.info("issuer %s: tokens can be looked up again", self.issuer)


Value = TypeVar("Value")


def _put(table: OrderedDict[bytes, Value], digest: bytes, value: Value, most: int) -> None:
    table[digest] = value
    table.move_to_end(digest)
    if len(table) > most:
        table.popitem(last=False)


def owner(token: bytes, candidates: Sequence[OpaqueTokens]) -> OpaqueTokens | None:
    """Whose a token can be: that is decided by what it begins with, and nobody else is asked."""
    prefixed = [one for one in candidates if one.prefix and token.startswith(one.prefix)]
    if prefixed:
        return max(prefixed, key=lambda one: len(one.prefix))
    if looks_signed(token):
        return None
    return next((one for one in candidates if not one.prefix), None)


def _anew(refusal: Refusal) -> Refusal:
    # an exception that is raised many times would gather all their tracebacks
    return Refusal(refusal.reason, refusal.message, authentication=refusal.authentication)


def _unavailable() -> Refusal:
    return Refusal(
        Reason.ISSUER_UNAVAILABLE,
        "The token's issuer cannot be asked about it at the moment; try again shortly.",
    )
