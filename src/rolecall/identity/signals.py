"""What an issuer signs that is no access token: tokens that are to be believed no more.

OpenID Connect Back-Channel Logout 1.0; Security Event Tokens (RFC 8417) of the Shared Signals
Framework 1.0 with the session-revoked event of CAEP 1.0.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

from rolecall.config import IssuerSettings
from rolecall.core import Reason, Refusal, Revocation
from rolecall.identity import claims as claim
from rolecall.identity.claim_values import Claims
from rolecall.identity.guard import Presented

_LOGOUT: Final = "http://schemas.openid.net/event/backchannel-logout"
_SESSION_REVOKED: Final = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
# Back-Channel Logout 2.4 recommends a type of its own, and not all providers write it
_LOGOUT_TYPES: Final = (None, "jwt", "logout+jwt", "application/logout+jwt")
_EVENT_TYPES: Final = ("secevent+jwt", "application/secevent+jwt")
_FOR_CLIENT: Final = "it must name the client that was signed in with (logout_audience)"
_FOR_RECEIVER: Final = "it must name its receiver (event_audience)"
# what is signed for a moment's use is not accepted an hour later
_LONGEST: Final = 3600


@dataclass(frozen=True, slots=True)
class Signal:
    """What an issuer has said.

    Attributes:
        issuer: who.
        jti: the message's ID.
        until: seconds since the epoch from which on the message is not accepted any more.
        revocation: None where the message revokes nothing.
    """

    issuer: str
    jti: str
    until: float
    revocation: Revocation | None


def logout(presented: Presented, issuer: IssuerSettings, now: float) -> Signal:
    """Read a logout token (Back-Channel Logout 2.6).

    Args:
        presented: its signature was verified with a key of its issuer.
        issuer: what is expected of it.
        now: seconds since the epoch.

    Raises:
        Refusal: 401 with the reason.
    """
    claims = presented.claims
    _check_type(presented, _LOGOUT_TYPES)
    _only_event(claims, _LOGOUT)
    if "nonce" in claims:
        raise _wrong("it has a nonce, as ID tokens have")
    claim.check_audience(claims, issuer.logout_audience, _FOR_CLIENT)
    expires = claim.check_times(claims, now, issuer.leeway, _LONGEST)
    issued = _moment(claims, "iat", now, issuer)
    sub, sid = claim.name(claims, "sub"), claim.name(claims, "sid")
    if sub is None and sid is None:
        raise _invalid("it has neither sub nor sid")
    return Signal(
        issuer.issuer,
        _message_id(claims),
        expires + issuer.leeway,
        _until(issued, Revocation(issuer.issuer, sub=sub, sid=sid), issuer),
    )


def security_event(presented: Presented, issuer: IssuerSettings, now: float) -> Signal:
    """Read a security event token (RFC 8417, Shared Signals Framework 1.0).

    Events that end no session revoke nothing; they are acknowledged all the same (RFC 8935 2).

    Args:
        presented: its signature was verified with a key of its issuer.
        issuer: what is expected of it.
        now: seconds since the epoch.

    Raises:
        Refusal: 401 with the reason.
    """
    claims = presented.claims
    _check_type(presented, _EVENT_TYPES)
    # Shared Signals Framework: so that no event passes for another kind of token
    if "exp" in claims or "sub" in claims:
        raise _wrong("it has exp or sub, which no security event token has")
    claim.check_audience(claims, issuer.event_audience, _FOR_RECEIVER)
    issued = _moment(claims, "iat", now, issuer)
    jti = _message_id(claims)
    events = _events(claims)
    revocation = None
    if _SESSION_REVOKED in events:
        event = events[_SESSION_REVOKED]
        happened = (
            _moment(event, "event_timestamp", now, issuer)
            if ("event_timestamp" in event)
            else issued
        )
        # the framework's drafts had the subject within the event
        subject = claims.get("sub_id", event.get("subject"))
        revocation = _until(happened, _revoked(subject, issuer), issuer)
    return Signal(issuer.issuer, jti, math.inf, revocation)


def lifetime(issuer: IssuerSettings) -> float:
    """Seconds after its issue for which a token of this issuer can be good; infinite at worst."""
    described = issuer.opaque is not None and issuer.opaque.client is None
    if issuer.max_lifetime is None or described:
        return math.inf
    # the clocks of issuer and gateway may differ both times
    return issuer.max_lifetime + 2 * issuer.leeway


def _until(moment: float, revoked: Revocation, issuer: IssuerSettings) -> Revocation:
    """Everything of it that was issued until a moment, for as long as that can still be good."""
    return Revocation(
        revoked.issuer,
        revoked.jti,
        revoked.sid,
        revoked.sub,
        revoked.client,
        # times are in whole seconds: what was issued in the same one was issued before
        math.floor(moment) + 1.0,
        moment + lifetime(issuer),
    )


def _revoked(subject: Any, issuer: IssuerSettings) -> Revocation:
    """Whose session it is (RFC 9493, and the framework's complex subjects)."""
    if not isinstance(subject, dict):
        raise _invalid("it does not say whose session it is about (sub_id)")
    if subject.get("format") == "complex":
        return _of_session(subject, issuer)
    return _simple(subject, issuer)


def _of_session(subject: Claims, issuer: IssuerSettings) -> Revocation:
    user, session = subject.get("user"), subject.get("session")
    found = _simple(user, issuer) if isinstance(user, dict) else None
    if isinstance(session, dict) and session.get("format") == "opaque":
        sid = claim.name(session, "id")
        if sid is not None:
            return Revocation(issuer.issuer, sid=sid, sub=found.sub if found else None)
    if found is None or session is not None:
        raise _unknown_subject()
    return found


def _simple(subject: Claims, issuer: IssuerSettings) -> Revocation:
    kind = subject.get("format")
    if kind in ("iss_sub", "jwt_id"):
        if subject.get("iss") not in (issuer.issuer, *issuer.aliases):
            raise _invalid("it is about another issuer's subject")
        name = claim.name(subject, "sub" if kind == "iss_sub" else "jti")
        if name is not None:
            return (
                Revocation(issuer.issuer, sub=name)
                if kind == "iss_sub"
                else Revocation(issuer.issuer, jti=name)
            )
    raise _unknown_subject()


def _check_type(presented: Presented, accepted: tuple[str | None, ...]) -> None:
    typ = presented.jws.header.get("typ")
    if (typ.lower() if isinstance(typ, str) else typ) not in accepted:
        raise _wrong("its typ is another one")


def _events(claims: Claims) -> dict[str, Claims]:
    events = claims.get("events")
    if not isinstance(events, dict) or not all(isinstance(one, dict) for one in events.values()):
        raise _wrong("it has no events")
    return events


def _only_event(claims: Claims, name: str) -> None:
    if name not in _events(claims):
        raise _wrong("its events are others")


def _message_id(claims: Claims) -> str:
    jti = claim.name(claims, "jti")
    if jti is None:
        raise _invalid("it has no jti")
    return jti


def _moment(claims: Claims, name: str, now: float, issuer: IssuerSettings) -> float:
    moment = claims.get(name)
    if isinstance(moment, bool) or not isinstance(moment, int | float):
        raise _invalid(f"its {name} is not a number")
    if not 0 <= moment <= now + issuer.leeway:
        raise _invalid(f"its {name} is no time that has been")
    return moment


def _wrong(why: str) -> Refusal:
    return Refusal(Reason.WRONG_TOKEN_KIND, f"The token is of another kind: {why}.")


def _invalid(why: str) -> Refusal:
    return Refusal(Reason.INVALID_CLAIM, f"The token cannot be used: {why}.")


def _unknown_subject() -> Refusal:
    return _invalid("its subject is of a form that nobody is known by here")
