"""Logout tokens and security events: what they revoke, and until when."""

import math

import pytest

from rolecall.config import Opaque
from rolecall.core import Refusal, Revocation
from rolecall.identity.guard import Jws, Presented
from rolecall.identity.signals import lifetime, logout, security_event

from .parts.gate import ISSUER, LEEWAY, NOW, settings

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
DAY = 86_400
TRUSTED = settings(logout_audience=("ui",), event_audience=("gw",), max_lifetime=DAY)
LOGOUT_CLAIMS = {
    "iss": ISSUER,
    "aud": "ui",
    "iat": NOW - 5,
    "exp": NOW + 100,
    "jti": "j1",
    "sub": "jane",
    "events": {LOGOUT: {}},
}
SUBJECT = {"format": "iss_sub", "iss": ISSUER, "sub": "jane"}
EVENT_CLAIMS = {
    "iss": ISSUER,
    "aud": ["gw"],
    "iat": NOW - 5,
    "jti": "j1",
    "sub_id": SUBJECT,
    "events": {REVOKED: {"event_timestamp": NOW - 10}},
}


def presented(claims, typ):
    header = {} if typ is None else {"typ": typ}
    return Presented(Jws("ES256", "k1", header, b"", b"", b""), claims)


def changed(claims, changes):
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def logged_out(typ="logout+jwt", issuer=TRUSTED, **changes):
    return logout(presented(changed(LOGOUT_CLAIMS, changes), typ), issuer, NOW)


def happened(typ="secevent+jwt", issuer=TRUSTED, **changes):
    return security_event(presented(changed(EVENT_CLAIMS, changes), typ), issuer, NOW)


def about(subject, **event):
    return happened(sub_id=subject, events={REVOKED: event})


def until(moment, **names):
    """Everything that was issued until a moment, for a token's longest life."""
    return Revocation(ISSUER, **names, issued_before=moment + 1, expires=moment + DAY + 2 * LEEWAY)


def test_a_logout_is_about_a_subject_or_a_session():
    signal = logged_out()
    assert (signal.issuer, signal.jti, signal.until) == (ISSUER, "j1", NOW + 100 + LEEWAY)
    assert signal.revocation == until(NOW - 5, sub="jane")
    assert logged_out(sub=None, sid="s1").revocation == until(NOW - 5, sid="s1")
    assert logged_out(sid="s1").revocation == until(NOW - 5, sub="jane", sid="s1")


@pytest.mark.parametrize("typ", [None, "JWT", "logout+jwt", "Logout+JWT", "application/logout+jwt"])
def test_a_logout_token_s_type_may_be_left_out(typ):
    assert logged_out(typ).revocation == until(NOW - 5, sub="jane")


NO_LOGOUT = {
    "an access token's type": ({"typ": "at+jwt"}, "wrong_token_kind"),
    "a security event's type": ({"typ": "secevent+jwt"}, "wrong_token_kind"),
    "a type that is none": ({"typ": 1}, "wrong_token_kind"),
    "no events": ({"events": None}, "wrong_token_kind"),
    "events in a list": ({"events": [LOGOUT]}, "wrong_token_kind"),
    "an event that is no object": ({"events": {LOGOUT: True}}, "wrong_token_kind"),
    "another event": ({"events": {REVOKED: {}}}, "wrong_token_kind"),
    "a nonce": ({"nonce": ""}, "wrong_token_kind"),
    "for another": ({"aud": "other"}, "wrong_audience"),
    "for nobody": ({"aud": None}, "wrong_audience"),
    "expired": ({"exp": NOW - LEEWAY}, "expired"),
    "no exp": ({"exp": None}, "invalid_claim"),
    "a long life": ({"exp": NOW + 3600}, "invalid_claim"),
    "no iat": ({"iat": None}, "invalid_claim"),
    "iat to come": ({"iat": NOW + LEEWAY + 1}, "not_yet_valid"),
    "no jti": ({"jti": None}, "invalid_claim"),
    "jti that is none": ({"jti": 1}, "invalid_claim"),
    "nobody": ({"sub": None}, "invalid_claim"),
    "an empty sub": ({"sub": ""}, "invalid_claim"),
    "a sid that is none": ({"sid": 1}, "invalid_claim"),
}


@pytest.mark.parametrize(("changes", "reason"), NO_LOGOUT.values(), ids=NO_LOGOUT)
def test_what_is_no_logout_token_is_refused(changes, reason):
    with pytest.raises(Refusal) as caught:
        logged_out(**changes)
    assert caught.value.reason == reason


@pytest.mark.parametrize("read", [logged_out, happened])
def test_a_signal_for_nobody_is_told_whom_it_must_name(read):
    with pytest.raises(Refusal, match=r"The token has no aud; it must name \w+ .*\.$"):
        read(aud=None)


def test_an_issuer_without_an_audience_for_them_sends_none():
    for read, claims in ((logged_out, {}), (happened, {})):
        with pytest.raises(Refusal) as caught:
            read(issuer=settings(), **claims)
        assert caught.value.reason == "wrong_audience"


SUBJECTS = {
    "a subject": (SUBJECT, {"sub": "jane"}),
    "a token": ({"format": "jwt_id", "iss": ISSUER, "jti": "t1"}, {"jti": "t1"}),
    "a user": ({"format": "complex", "user": SUBJECT}, {"sub": "jane"}),
    "a session": (
        {"format": "complex", "session": {"format": "opaque", "id": "s1"}},
        {"sid": "s1"},
    ),
    "a user's session": (
        {"format": "complex", "user": SUBJECT, "session": {"format": "opaque", "id": "s1"}},
        {"sid": "s1", "sub": "jane"},
    ),
}


@pytest.mark.parametrize(("subject", "names"), SUBJECTS.values(), ids=SUBJECTS)
def test_a_session_that_is_revoked_is_somebody_s(subject, names):
    assert about(subject).revocation == until(NOW - 5, **names)
    assert about(subject, event_timestamp=NOW - 10.5).revocation == Revocation(
        ISSUER,
        **names,
        issued_before=NOW - 10,
        expires=NOW - 10.5 + DAY + 2 * LEEWAY,
    )


def test_the_subject_may_stand_within_the_event_as_drafts_had_it():
    signal = happened(sub_id=None, events={REVOKED: {"subject": SUBJECT}})
    assert signal.revocation == until(NOW - 5, sub="jane")


def test_an_event_of_another_kind_revokes_nothing():
    assert happened(events={"https://example.com/else": {}}, sub_id=None).revocation is None


NO_EVENT = {
    "a plain type": ({"typ": "JWT"}, "wrong_token_kind"),
    "no type": ({"typ": None}, "wrong_token_kind"),
    "a logout token's type": ({"typ": "logout+jwt"}, "wrong_token_kind"),
    "exp": ({"exp": NOW + 100}, "wrong_token_kind"),
    "sub": ({"sub": "jane"}, "wrong_token_kind"),
    "no events": ({"events": None}, "wrong_token_kind"),
    "for another": ({"aud": "other"}, "wrong_audience"),
    "no jti": ({"jti": None}, "invalid_claim"),
    "no iat": ({"iat": None}, "invalid_claim"),
    "iat to come": ({"iat": NOW + LEEWAY + 1}, "invalid_claim"),
    "milliseconds": ({"events": {REVOKED: {"event_timestamp": NOW * 1000}}}, "invalid_claim"),
    "a time that is none": ({"events": {REVOKED: {"event_timestamp": True}}}, "invalid_claim"),
    "nobody": ({"sub_id": None}, "invalid_claim"),
    "a name": ({"sub_id": "jane"}, "invalid_claim"),
    "an address": ({"sub_id": {"format": "email", "email": "a@b.c"}}, "invalid_claim"),
    "a format that is none": ({"sub_id": {"format": ["iss_sub"]}}, "invalid_claim"),
    "another issuer's": ({"sub_id": {**SUBJECT, "iss": "https://x.example"}}, "invalid_claim"),
    "a subject that is none": ({"sub_id": {**SUBJECT, "sub": 1}}, "invalid_claim"),
    "no subject": ({"sub_id": {"format": "iss_sub", "iss": ISSUER}}, "invalid_claim"),
    "a complex nobody": ({"sub_id": {"format": "complex"}}, "invalid_claim"),
    "a session of another form": (
        {"sub_id": {"format": "complex", "user": SUBJECT, "session": {"format": "uri"}}},
        "invalid_claim",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), NO_EVENT.values(), ids=NO_EVENT)
def test_an_event_that_is_not_as_it_should_be_is_refused(changes, reason):
    with pytest.raises(Refusal) as caught:
        happened(**changes)
    assert caught.value.reason == reason


def test_a_token_lives_as_long_as_its_issuer_may_let_it():
    userinfo = Opaque("https://login.example.com/userinfo", None)
    assert lifetime(TRUSTED) == DAY + 2 * LEEWAY
    assert lifetime(settings(max_lifetime=None)) == math.inf
    assert lifetime(settings(max_lifetime=DAY, opaque=userinfo)) == math.inf
