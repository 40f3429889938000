"""A signed token is walked through its checks one by one, to the first that fails."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal, TypeVar

from rolecall.config import IssuerSettings, KeysFrom, Limits, Settings
from rolecall.config.environment import UNSET
from rolecall.config.settings import ALGORITHMS
from rolecall.core import Reason, Refusal, Source
from rolecall.identity import claims as claim
from rolecall.identity.access_token import CHECKS, OF_ITSELF, check_client
from rolecall.identity.actors import check_actor
from rolecall.identity.advice import Case, advice
from rolecall.identity.caller import caller_from
from rolecall.identity.directory import Directory, with_groups, without_groups
from rolecall.identity.fetch import Fetch, fetch_json
from rolecall.identity.guard import Presented, open_token
from rolecall.identity.keysource import KeySource
from rolecall.identity.profiles import PROFILES
from rolecall.identity.refreshed import Pace
from rolecall.identity.revocations import Revocations
from rolecall.identity.signature import verify
from rolecall.identity.signing_key import SigningIssuer, signing_key

_NO_CONFIGURATION: Final = "needs --config"
_ISSUERS_WORD: Final = "is made on what the issuer says when the gateway asks it"
_OFFLINE: Final = "is not checked offline"
_ASKED_OF_GRAPH: Final = (
    "are left out (group overage); the gateway asks Microsoft Graph for them, which is not done"
    " offline"
)
_WITHOUT_CLIENT: Final = (
    "are left out (group overage); the gateway asks Microsoft Graph for them, with a client whose"
    " environment variable is not set here"
)
# what a token says of itself, whoever has issued it
_OF_ALL: Final = frozenset({"kind", "times"})
_ANYBODY: Final = IssuerSettings(
    issuer="",
    profile="generic",
    audience=None,
    keys=KeysFrom(),
    algorithms=ALGORITHMS,
    roles=(),
    groups=(),
    scopes=(),
    leeway=60,
    source=Source("", 0),
)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one check.

    Attributes:
        check: its name.
        outcome: what came of it.
        why: it failed or was not made, or what was found, in words.
        advice: what can be done about a failure, where something is known.
    """

    check: str
    outcome: Literal["passed", "failed", "skipped"]
    why: str = ""
    advice: str = ""


@dataclass(slots=True)
class Inspection:
    """A token laid open; nothing in it is to be believed unless every check has passed.

    Attributes:
        case: the token, and what it is held against, as far as is known.
        header: None where the token could not be read; so are its claims.
        claims: the payload.
        findings: in the order of the checks; none comes after one that failed.
    """

    case: Case
    header: Mapping[str, Any] | None = None
    claims: Mapping[str, Any] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return any(finding.outcome == "failed" for finding in self.findings)

    def note(self, check: str, make: Callable[[], Value], found: str = "") -> Value | None:
        """Make a check, unless one has failed before, and note what came of it.

        ``found`` is what is to be said where it passes.
        """
        if self.failed:
            return None
        try:
            value = make()
        except Refusal as refusal:
            self.fail(check, refusal)
            return None
        self.findings.append(Finding(check, "passed", found))
        return value

    def fail(self, check: str, refusal: Refusal) -> None:
        """Note that a check failed."""
        why = f"{refusal.reason}: {refusal.message}"
        self.findings.append(
            Finding(check, "failed", why, advice(check, refusal.reason, self.case))
        )

    def skip(self, check: str, why: str) -> None:
        """Note that a check is not made."""
        if not self.failed:
            self.findings.append(Finding(check, "skipped", why))


async def inspect(
    token: bytes,
    settings: Settings | None,
    *,
    offline: bool = False,
    now: Callable[[], float] = time.time,
    fetch: Fetch = fetch_json,
) -> Inspection:
    """Lay a token open, and make the checks that the gateway would make, in its order.

    Args:
        token: the bytes as they would be sent.
        settings: the configuration; without one, what its issuer's tokens must be is not known.
        offline: whether no keys are fetched, and so no signature is checked.
        now: seconds since the epoch.
        fetch: how keys are had.
    """
    seen = Inspection(Case(token, settings.issuers if settings else (), now()))
    presented = seen.note(
        "form", partial(open_token, token, settings.limits if settings else Limits())
    )
    if presented is None:
        return seen
    seen.header, seen.claims = presented.jws.header, presented.claims
    seen.case = replace(seen.case, presented=presented)
    if settings is None:
        seen.skip("issuer", _NO_CONFIGURATION)
        seen.skip("signature", _NO_CONFIGURATION)
        _check_claims(seen, presented, None, now())
        return seen
    issuer = seen.note("issuer", partial(_issuer, presented, settings))
    if issuer is None:
        return seen
    seen.case = replace(seen.case, issuer=issuer)
    if offline:
        seen.skip("signature", _OFFLINE)
    else:
        await _check_signature(seen, presented, issuer, fetch)
    left_out = PROFILES[issuer.profile].leaves_groups_out(presented.claims, issuer)
    _check_claims(seen, presented, without_groups(issuer) if left_out else issuer, now())
    if _is_asked(issuer):
        return seen
    if left_out and not seen.failed:
        presented = await _whole(seen, presented, issuer, offline=offline, now=now)
    caller = seen.note("names", partial(caller_from, issuer, presented.claims))
    if caller is not None:
        seen.note("client", partial(check_client, caller, issuer))
        seen.note("actor", partial(check_actor, caller, issuer), caller.acting)
        revoked = Revocations(settings.revocations.entries)
        seen.note("revocations", partial(revoked.check, caller))
    return seen


def _issuer(presented: Presented, settings: Settings) -> IssuerSettings:
    name = claim.name(presented.claims, "iss")
    for issuer in settings.issuers:
        signed = issuer.signed_tokens and issuer.keys.anywhere
        if signed and name in (issuer.issuer, *issuer.aliases):
            return issuer
    known = ", ".join(issuer.issuer for issuer in settings.issuers)
    raise Refusal(
        Reason.UNKNOWN_ISSUER,
        f"The token's issuer (iss) is not one that this gateway trusts: {known or 'it has none'}.",
    )


def _is_asked(issuer: IssuerSettings) -> bool:
    return issuer.opaque is not None and issuer.opaque.tokens == "all"


async def _check_signature(
    seen: Inspection, presented: Presented, issuer: IssuerSettings, fetch: Fetch
) -> None:
    source = KeySource(
        issuer.keys,
        issuer.issuer,
        fetch=fetch,
        clock=time.monotonic,
        pace=Pace(),
        most_unknown=1,
        on_removed=lambda _: None,
    )
    seen.case = replace(seen.case, source=source)
    try:
        await source.refresh()
        await signing_key(presented, SigningIssuer(issuer, source), verify)
    except Refusal as refusal:
        seen.fail("signature", refusal)
    else:
        seen.note("signature", lambda: None)
    finally:
        await source.close()


async def _whole(
    seen: Inspection,
    presented: Presented,
    issuer: IssuerSettings,
    *,
    offline: bool,
    now: Callable[[], float],
) -> Presented:
    """The token with the groups that it leaves out, where they can be had."""
    overage = issuer.group_overage
    assert overage is not None  # noqa: S101 - without it the profile's check has failed
    client = overage.client
    if offline or UNSET in (client.client_id, client.secret, client.assertion_file):
        seen.skip("groups", _ASKED_OF_GRAPH if offline else _WITHOUT_CLIENT)
        return presented
    directory = Directory(overage, issuer.issuer, now)
    try:
        membership = await directory.membership(presented.claims)
    except Refusal as refusal:
        seen.fail("groups", refusal)
        return presented
    finally:
        directory.retire()
        await directory.close()
    whole = with_groups(presented, membership)
    seen.note("groups", lambda: None, f"Microsoft Graph names {len(membership.groups)}")
    if issuer.require:
        seen.note("require", partial(claim.check_required, whole.claims, issuer))
    return whole


def _check_claims(
    seen: Inspection, presented: Presented, issuer: IssuerSettings | None, now: float
) -> None:
    for check, make in CHECKS:
        if issuer is None and check not in _OF_ALL:
            seen.skip(check, _NO_CONFIGURATION)
        elif issuer is not None and _is_asked(issuer) and check not in OF_ITSELF:
            seen.skip(check, _ISSUERS_WORD)
        else:
            seen.note(check, partial(make, presented, issuer or _ANYBODY, now))
