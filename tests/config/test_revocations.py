"""``revocations:``."""

import math

import pytest

from rolecall.core import KEYS_ISSUER, Revocation

ISSUER = "https://login.example.com"
BASE = (
    "rules: [{allow: ['*'], models: ['*']}]\nmodels: [{name: a, model: gpt-4o, api_key: k}]\n"
    f"issuers: [{{issuer: {ISSUER}, aliases: [https://alias.example], audience: gw}}]\n"
)


def one(text):
    return f"{BASE}revocations: {{entries: [{text}]}}"


ENTRIES = {
    "jti": (f"issuer: {ISSUER}, jti: t1", Revocation(ISSUER, jti="t1")),
    "sid": (f"issuer: {ISSUER}, sid: s1", Revocation(ISSUER, sid="s1")),
    "sub": (f"issuer: {ISSUER}, sub: jane", Revocation(ISSUER, sub="jane")),
    "client": (f"issuer: {ISSUER}, client: ui", Revocation(ISSUER, client="ui")),
    "a moment": (
        f"issuer: {ISSUER}, issued_before: '2100-01-01T02:00:00+02:00'",
        Revocation(ISSUER, issued_before=4_102_444_800),
    ),
    "for a while": (
        f"issuer: {ISSUER}, sub: jane, expires: 2100-01-01",
        Revocation(ISSUER, sub="jane", expires=4_102_444_800),
    ),
    "an alias": ("issuer: https://alias.example, sub: jane", Revocation(ISSUER, sub="jane")),
    "a static key": (f"issuer: '{KEYS_ISSUER}', sub: ci", Revocation(KEYS_ISSUER, sub="ci")),
}


@pytest.mark.parametrize(("text", "entry"), ENTRIES.values(), ids=ENTRIES)
def test_an_entry_names_what_is_revoked(settings, text, entry):
    assert settings(one(f"{{{text}}}")).revocations.entries == (entry,)


def test_nothing_is_revoked_unless_it_says_so(settings):
    assert settings(BASE).revocations.entries == ()
    assert Revocation(ISSUER).expires == math.inf


NO_TIME = "is neither a date (2027-01-31) nor a time with its offset (2027-01-31T12:00:00Z)."
FAULTS = {
    "no issuer": ("sub: jane", "revocations.entries[0].issuer: is missing."),
    "a stranger": (
        "issuer: https://evil.example, sub: jane",
        "revocations.entries[0].issuer: is not a configured issuer: nothing would be revoked.",
    ),
    "nothing": (
        f"issuer: {ISSUER}, expires: 2100-01-01",
        "revocations.entries[0]: says of no token that it is revoked: write jti, sid, sub,",
    ),
    "no time": (
        f"issuer: {ISSUER}, issued_before: soon",
        f"revocations.entries[0].issued_before: {NO_TIME}",
    ),
    "no expiry": (
        f"issuer: {ISSUER}, sub: a, expires: never",
        f"revocations.entries[0].expires: {NO_TIME}",
    ),
    "a number": (f"issuer: {ISSUER}, sub: 1", "revocations.entries[0].sub: should be a valid str"),
}


@pytest.mark.parametrize(("text", "said"), FAULTS.values(), ids=FAULTS)
def test_an_entry_that_would_revoke_nothing_is_an_error(told, text, said):
    (line,) = [line for line in told(one(f"{{{text}}}")) if "error" in line]
    assert said in line


KEPT = BASE.replace("audience: gw", "audience: gw, logout_audience: ui, event_audience: [gw]")


def test_where_revocations_are_kept_and_who_may_revoke(settings, tmp_path):
    file = tmp_path / "revocations.db"
    text = f"{KEPT}revocations: {{administrators: [security], file: {file}, end_streams: true}}"
    found = settings(text)
    kept = found.revocations
    assert (kept.administrators, kept.file, kept.end_streams) == ({"security"}, str(file), True)
    (issuer,) = found.issuers
    assert (issuer.logout_audience, issuer.event_audience) == (("ui",), ("gw",))
    assert not file.exists()


NO_FILE = {
    "administrators": (
        f"{BASE}revocations: {{administrators: [security]}}",
        "revocations.file: is missing: what administrators revoke is kept there.",
    ),
    "signals": (KEPT, "revocations.file: is missing: what an issuer revokes (logout_audience,"),
    "no folder": (
        f"{BASE}revocations: {{file: /nowhere/at/all/revocations.db}}",
        "revocations.file: is in a folder that does not exist.",
    ),
}


@pytest.mark.parametrize(("text", "said"), NO_FILE.values(), ids=NO_FILE)
def test_what_is_revoked_later_needs_a_file(told, text, said):
    (line,) = [line for line in told(text) if "error" in line]
    assert said in line
