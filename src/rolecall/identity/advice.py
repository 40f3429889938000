"""What can be done about a token that was refused, told to whoever holds it.

It speaks of what the token and the configuration say, and so is for no answer and no log of the
gateway.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from rolecall.config import IssuerSettings
from rolecall.config.instants import LAST, write_instant
from rolecall.core import KEY_PREFIX, Reason
from rolecall.identity.guard import Presented
from rolecall.identity.keysource import KeySource
from rolecall.identity.opaque import looks_signed

_MOST_NAMED: Final = 10
_ENTRA: Final = re.compile(
    r"https://(?:sts\.windows\.net/(?P<one>[^/]+)/"
    r"|login\.microsoftonline\.com/(?P<two>[^/]+)/v2\.0)"
)
_GRAPH: Final = frozenset({"00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"})
_AUDIENCE_BY_PROFILE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "keycloak": "Keycloak adds the gateway's by a role of its client or by an audience mapper.",
        "entra": "Entra writes the application ID URI into v1.0 tokens and the client ID into v2.0"
        " tokens: list both.",
        "auth0": "Auth0 takes it from the parameter audience that the client asks with.",
        "okta": "Okta takes it from the authorization server that the client asks.",
    }
)


@dataclass(frozen=True, slots=True)
class Case:
    """A token, and what it was held against.

    Attributes:
        token: as it was given.
        issuers: those that are trusted.
        now: seconds since the epoch.
        presented: None where it could not be taken apart.
        issuer: its own one of those that are trusted, if it has one.
        source: its issuer's keys, where they were looked at.
    """

    token: bytes
    issuers: tuple[IssuerSettings, ...]
    now: float
    presented: Presented | None = None
    issuer: IssuerSettings | None = None
    source: KeySource | None = None

    def said(self, name: str) -> Any:
        """The value of a claim; None where there is none."""
        return self.presented.claims.get(name) if self.presented is not None else None


def advice(check: str, reason: Reason, case: Case) -> str:
    """What to do about a check that failed, in a sentence or some; empty where nothing is known."""
    give = _ADVICE.get(check)
    return " ".join(give(reason, case)) if give is not None else ""


def _of_form(_: Reason, case: Case) -> Iterator[str]:
    token = case.token
    if token[:7].lower() == b"bearer ":
        yield "Leave out the word Bearer: the token alone belongs here."
    elif token.startswith(KEY_PREFIX.encode()):
        yield "This is a static key (keys:) and no token; GET /whoami says whose it is."
    elif len(token.split()) > 1:
        yield "It holds white space: it may have been wrapped when it was copied."
    elif looks_signed(token):
        yield "It may have been cut or changed when it was copied."
    else:
        yield "It is encrypted." if token.count(b".") == 4 else "It is opaque."
        asked = [issuer.issuer for issuer in case.issuers if issuer.opaque is not None]
        if asked:
            yield f"The gateway may ask {_list(asked)} about it; here nobody is asked."
        else:
            yield (
                "Ask the identity provider for a signed one (Auth0 issues it where the client names"
                " the gateway's audience), or let the gateway ask what it means (introspection: or"
                " userinfo: at the issuer)."
            )


def _of_issuer(_: Reason, case: Case) -> Iterator[str]:
    name = case.said("iss")
    if not isinstance(name, str):
        return
    yield f"Its iss is {name}."
    for issuer in case.issuers:
        for known in (issuer.issuer, *issuer.aliases):
            difference = _difference(name, known)
            if difference is not None:
                yield f"{known} is trusted: {difference}."
                return


def _difference(name: str, known: str) -> str | None:
    """How an issuer that is not trusted differs from one that is and that has much of it."""
    entra, ours = _ENTRA.fullmatch(name), _ENTRA.fullmatch(known)
    if entra and ours:
        return _difference_of_tenants(entra, ours)
    if name.rstrip("/") == known.rstrip("/"):
        return "they differ by the slash at the end; write issuer: as the token has it"
    if name.lower() == known.lower():
        return "they differ by upper and lower case; write issuer: as the token has it"
    try:
        theirs, our = urlsplit(name), urlsplit(known)
    except ValueError:
        return None
    if theirs[1:] == our[1:]:
        return "they differ by http and https; the provider has a wrong URL of its own"
    if theirs.netloc == our.netloc:
        return "the token is of another realm or tenant of the same server"
    return None


def _difference_of_tenants(entra: re.Match[str], ours: re.Match[str]) -> str:
    if (entra["one"] or entra["two"]) != (ours["one"] or ours["two"]):
        return "the token is of another tenant; tenant: takes a list of them"
    return (
        f"the token is of v{'1' if entra['one'] else '2'}.0; tenant: at the issuer trusts both"
        " versions, and requestedAccessTokenVersion in the manifest of the gateway's registration"
        " chooses one"
    )


def _of_signature(reason: Reason, case: Case) -> Iterator[str]:
    if case.presented is None or case.issuer is None or case.source is None:
        return
    jws, keys = case.presented.jws, case.source.keys
    match reason:
        case Reason.ISSUER_UNAVAILABLE:
            yield f"{case.source.error}."
        case Reason.UNKNOWN_KEY if keys is not None:
            published = _list(key.key_id or "one without kid" for key in keys.keys)
            its = "It names no key (kid)" if jws.key_id is None else f"Its kid is {jws.key_id}"
            yield f"{its}; published are {published}."
            if keys.skipped:
                yield f"Left out are {'; '.join(keys.skipped[:_MOST_NAMED])}."
        case Reason.ALGORITHM_NOT_ALLOWED if jws.algorithm in case.issuer.algorithms:
            named = keys.named(jws.key_id) if keys is not None else ()
            fitting = _list(sorted({name for key in named for name in key.algorithms}))
            yield f"Its alg is {jws.algorithm}; its key is published for {fitting}."
        case Reason.ALGORITHM_NOT_ALLOWED:
            yield f"Its alg is {jws.algorithm}; accepted are {_list(case.issuer.algorithms)}."
            if jws.algorithm.startswith("HS"):
                yield "Whoever can verify such a token can make it: choose RS256 at the provider."
        case Reason.BAD_SIGNATURE:
            yield "It was changed, or another server signs with another key of the same kid."


def _of_kind(_: Reason, __: Case) -> Iterator[str]:
    yield "Clients get an id_token and an access_token at once: the access_token belongs here."


def _of_times(reason: Reason, case: Case) -> Iterator[str]:
    times = {
        name: value
        for name in ("exp", "nbf", "iat")
        if type(value := case.said(name)) in {int, float} and 0 <= value <= LAST
    }
    leeway = case.issuer.leeway if case.issuer is not None else None
    clock = f"by this machine's clock, {write_instant(int(case.now))}"
    if leeway is not None:
        clock += f" (leeway: {leeway} s)"
    match reason:
        case Reason.EXPIRED if "exp" in times:
            past = round(case.now - times["exp"])
            yield f"Its exp, {write_instant(int(times['exp']))}, was {past} s ago {clock}."
        case Reason.NOT_YET_VALID:
            for name, moment in times.items():
                ahead = round(moment - case.now)
                if name != "exp" and ahead > 0:
                    yield f"Its {name}, {write_instant(int(moment))}, is {ahead} s ahead {clock}."
            yield "Compare the clocks of the identity provider and of this machine."
        case Reason.INVALID_CLAIM if "exp" in times and case.issuer is not None:
            longest, lives = case.issuer.max_lifetime, times["exp"] - times.get("iat", case.now)
            if longest is not None and lives > longest:
                yield f"It lives for {round(lives)} s; max_lifetime: at the issuer accepts that."


def _of_audience(_: Reason, case: Case) -> Iterator[str]:
    value = case.said("aud")
    values = value if isinstance(value, list) else [value]
    found = [one for one in values if isinstance(one, str)]
    if case.issuer is None or not found:
        return
    accepted = case.issuer.audience or ()
    yield f"It is for {_list(found)}; accepted are {_list(accepted)}."
    if not {one.rstrip("/") for one in found}.isdisjoint(one.rstrip("/") for one in accepted):
        yield "They differ by the slash at the end: write audience: as the token has it."
    elif not _GRAPH.isdisjoint(found):
        yield (
            "That is Microsoft Graph: the client must ask for a scope of the gateway's own"
            " registration."
        )
    elif case.issuer.profile in _AUDIENCE_BY_PROFILE:
        yield _AUDIENCE_BY_PROFILE[case.issuer.profile]


def _list(values: Iterable[str]) -> str:
    shown = list(dict.fromkeys(values))
    more = f" and {len(shown) - _MOST_NAMED} more" if len(shown) > _MOST_NAMED else ""
    return (", ".join(shown[:_MOST_NAMED]) or "none") + more


_ADVICE: Final[Mapping[str, Callable[[Reason, Case], Iterator[str]]]] = MappingProxyType(
    {
        "form": _of_form,
        "issuer": _of_issuer,
        "signature": _of_signature,
        "kind": _of_kind,
        "times": _of_times,
        "audience": _of_audience,
    }
)
