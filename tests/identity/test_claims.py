"""The claims of a well signed token: for whom, by whom, from when, until when.

Every token here is signed with the issuer's key, so that nothing but the claim decides.
"""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.config import Limits
from rolecall.core import Refusal
from rolecall.identity import caller_from
from rolecall.identity.claim_values import (
    MOST_SHARED,
    MOST_SHARED_TEXT,
    MOST_SHARED_VALUES,
)

from .parts.gate import (
    AUDIENCE,
    CLAIMS,
    ISSUER,
    LEEWAY,
    NOW,
    SIGNER,
    Clock,
    gate,
    settings,
    verdict,
)

MISSING = object()


class Text(str):
    """JSON as it is to stand in the payload, also where no encoder would write it."""

    __slots__ = ()


def claims_with(name, value):
    """The payload with one claim changed, in JSON."""
    rest = {key: there for key, there in CLAIMS.items() if key != name}
    if value is MISSING:
        return json.dumps(rest).encode()
    text = value if isinstance(value, Text) else json.dumps(value)
    return f"{json.dumps(rest)[:-1]}, {json.dumps(name)}: {text}}}".encode()


async def verdict_of(name, value, *, now=NOW, **changes):
    async with gate(settings(**changes), clock=Clock(now)) as verifier:
        return await verdict(verifier, SIGNER.token(claims_with(name, value)))


# exp, nbf, iat (RFC 7519 4.1.4 to 4.1.6)

TIMES = {
    "a string of digits": (str(NOW + 300), "invalid_claim"),
    "a word": ("tomorrow", "invalid_claim"),
    "a date": ("2027-01-15T08:00:00Z", "invalid_claim"),
    "an empty string": ("", "invalid_claim"),
    "null": (None, "invalid_claim"),
    "true": (True, "invalid_claim"),
    "false": (False, "invalid_claim"),
    "a list": ([NOW + 300], "invalid_claim"),
    "an object": ({"exp": NOW + 300}, "invalid_claim"),
    "negative": (-1, "invalid_claim"),
    "very negative": (-(10**30), "invalid_claim"),
    "in milliseconds": (NOW * 1000, "invalid_claim"),
    "1e18": (Text("1e18"), "invalid_claim"),
    "10 to the 400th": (10**400, "invalid_claim"),
    "NaN": (Text("NaN"), "malformed_token"),
    "Infinity": (Text("Infinity"), "malformed_token"),
    "-Infinity": (Text("-Infinity"), "malformed_token"),
    "1e400": (Text("1e400"), "malformed_token"),
    "5,000 digits": (Text("9" * 5000), "malformed_token"),
}


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(("value", "expected"), TIMES.values(), ids=TIMES)
async def test_c19_c20_t16_t17_a_time_is_a_plausible_number(name, value, expected):
    assert await verdict_of(name, value) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("exp", "invalid_claim"), ("nbf", "accepted"), ("iat", "accepted")]
)
async def test_c19_c20_t16_only_exp_is_required(name, expected):
    assert await verdict_of(name, MISSING) == expected


@pytest.mark.parametrize("leeway", [0, LEEWAY, 300])
@pytest.mark.parametrize(
    ("beyond", "expected"),
    [(-0.5, "accepted"), (0, "expired"), (0.5, "expired"), (1e6, "expired")],
)
async def test_c19_a_token_expires_when_exp_and_the_leeway_are_over(leeway, beyond, expected):
    now = CLAIMS["exp"] + leeway + beyond
    assert await verdict_of("exp", CLAIMS["exp"], now=now, leeway=leeway) == expected


@pytest.mark.parametrize("leeway", [0, LEEWAY, 300])
@pytest.mark.parametrize("name", ["nbf", "iat"])
@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(-0.5, "accepted"), (0, "accepted"), (0.5, "not_yet_valid"), (1e6, "not_yet_valid")],
)
async def test_c20_t17_a_token_begins_when_nbf_and_iat_are_at_most_a_leeway_ahead(
    name, leeway, ahead, expected
):
    assert await verdict_of(name, NOW + leeway + ahead, leeway=leeway) == expected


@pytest.mark.parametrize("value", [0, Text("0.0"), Text("-0.0"), 1, NOW - 86400])
async def test_c19_t16_what_has_expired_long_ago_has_expired(value):
    assert await verdict_of("exp", value) == "expired"


@pytest.mark.parametrize("value", [NOW + 300.75, Text(f"{NOW + 300}.0"), Text("1.9e9")])
async def test_a_time_may_have_a_fraction_or_an_exponent(value):
    assert await verdict_of("exp", value) == "accepted"


@pytest.mark.parametrize("skew", [-600, 600])
async def test_a_clock_that_is_ten_minutes_off_is_not_forgiven(skew):
    expected = {-600: "not_yet_valid", 600: "expired"}[skew]
    assert await verdict_of("iat", NOW, now=NOW + skew) == expected


LIFETIMES = {
    "an hour": ({"iat": NOW, "exp": NOW + 3600}, "accepted"),
    "a day": ({"iat": NOW, "exp": NOW + 86400}, "accepted"),
    "a day and a second": ({"iat": NOW, "exp": NOW + 86401}, "invalid_claim"),
    "a year, as Kubernetes mounts": ({"iat": NOW, "exp": NOW + 31536000}, "invalid_claim"),
    "a year, nearly over": ({"iat": NOW - 31535000, "exp": NOW + 1000}, "invalid_claim"),
    "a day, without iat": ({"iat": MISSING, "exp": NOW + 86400}, "accepted"),
    "a day and a second, without iat": ({"iat": MISSING, "exp": NOW + 86401}, "invalid_claim"),
    "a thousand years": ({"iat": NOW, "exp": 33_000_000_000}, "invalid_claim"),
}


@pytest.mark.parametrize(("times", "expected"), LIFETIMES.values(), ids=LIFETIMES)
async def test_c19_t16_a_token_lives_no_longer_than_its_issuer_may_grant(times, expected):
    claims = {key: value for key, value in {**CLAIMS, **times}.items() if value is not MISSING}
    async with gate(settings(max_lifetime=86400)) as verifier:
        assert await verdict(verifier, SIGNER.token(claims)) == expected


# iss (RFC 7519 4.1.1): the same, code point by code point

ISSUERS = {
    "missing": (MISSING, "unknown_issuer"),
    "null": (None, "invalid_claim"),
    "empty": ("", "invalid_claim"),
    "a number": (1, "invalid_claim"),
    "true": (True, "invalid_claim"),
    "a list": ([ISSUER], "invalid_claim"),
    "an object": ({"iss": ISSUER}, "invalid_claim"),
    "1,025 characters": ("x" * 1025, "invalid_claim"),
    "a slash after": (f"{ISSUER}/", "unknown_issuer"),
    "a suffix": (f"{ISSUER}2", "unknown_issuer"),
    "a path after": (f"{ISSUER}/x", "unknown_issuer"),
    "a prefix of it (CVE-2024-53861)": (ISSUER[:-1], "unknown_issuer"),
    "its host": ("https://login.example.com", "unknown_issuer"),
    "upper case": (ISSUER.upper(), "unknown_issuer"),
    "an upper case host": ("https://LOGIN.example.com/realms/acme", "unknown_issuer"),
    "plain http": ("http://login.example.com/realms/acme", "unknown_issuer"),
    "no scheme": ("login.example.com/realms/acme", "unknown_issuer"),
    "the default port": ("https://login.example.com:443/realms/acme", "unknown_issuer"),
    "a user name": (
        "https://login.example.com@evil.example/realms/acme",
        "unknown_issuer",
    ),
    "a query": (f"{ISSUER}?x", "unknown_issuer"),
    "a fragment": (f"{ISSUER}#x", "unknown_issuer"),
    "dot segments": ("https://login.example.com/realms/x/../acme", "unknown_issuer"),
    "percent-encoding": ("https://login.example.com/realms/%61cme", "unknown_issuer"),
    "a Cyrillic letter": ("https://login.ex\u0430mple.com/realms/acme", "unknown_issuer"),
    "a zero width space": (f"{ISSUER}\u200b", "unknown_issuer"),
    "a space before": (f" {ISSUER}", "unknown_issuer"),
    "a line feed after": (f"{ISSUER}\n", "unknown_issuer"),
    "a NUL after": (f"{ISSUER}\x00", "unknown_issuer"),
    "escaped in JSON": (Text(json.dumps(ISSUER).replace("acme", "\\u0061cme")), "accepted"),
}


@pytest.mark.parametrize(("value", "expected"), ISSUERS.values(), ids=ISSUERS)
async def test_c17_t19_the_issuer_is_compared_character_by_character(value, expected):
    assert await verdict_of("iss", value) == expected


# aud (RFC 7519 4.1.3)

AUDIENCES = {
    "the right one": (AUDIENCE, "accepted"),
    "a list of it": ([AUDIENCE], "accepted"),
    "a list with it": (["account", AUDIENCE], "accepted"),
    "missing": (MISSING, "wrong_audience"),
    "null": (None, "wrong_audience"),
    "empty": ("", "wrong_audience"),
    "an empty list": ([], "wrong_audience"),
    "another": ("account", "wrong_audience"),
    "a list of others": (["account", "chat-ui"], "wrong_audience"),
    "a prefix": (AUDIENCE[:-1], "wrong_audience"),
    "a suffix": (f"{AUDIENCE}2", "wrong_audience"),
    "a slash after": (f"{AUDIENCE}/", "wrong_audience"),
    "another case": (AUDIENCE.upper(), "wrong_audience"),
    "a space after": (f"{AUDIENCE} ", "wrong_audience"),
    "words, one of them right": (f"account {AUDIENCE}", "wrong_audience"),
    "any": ("*", "wrong_audience"),
    "a list in a list": ([[AUDIENCE]], "invalid_claim"),
    "an object": ({AUDIENCE: True}, "invalid_claim"),
    "a number": (1, "invalid_claim"),
    "true": (True, "invalid_claim"),
    "a list with a number": ([AUDIENCE, 1], "invalid_claim"),
    "a list with null": ([AUDIENCE, None], "invalid_claim"),
    "a list with an object": ([AUDIENCE, {}], "invalid_claim"),
}


@pytest.mark.parametrize(("value", "expected"), AUDIENCES.values(), ids=AUDIENCES)
async def test_c18_t18_one_audience_is_exactly_one_of_those_accepted(value, expected):
    assert await verdict_of("aud", value) == expected


@pytest.mark.parametrize(("value", "expected"), AUDIENCES.values(), ids=AUDIENCES)
async def test_c18_t18_where_the_check_is_waived_aud_must_still_be_well_formed(value, expected):
    waived = "accepted" if expected == "wrong_audience" else expected
    assert await verdict_of("aud", value, audience=None) == waived


@pytest.mark.parametrize("value", [AUDIENCE, "second", ["second"]])
async def test_an_issuer_may_have_several_audiences(value):
    assert await verdict_of("aud", value, audience=(AUDIENCE, "second")) == "accepted"


async def test_no_audience_accepted_is_not_the_same_as_the_check_waived():
    assert await verdict_of("aud", AUDIENCE, audience=()) == "wrong_audience"


# Claims that name somebody

NAMES = {
    "a list": ["john"],
    "an object": {"id": "john"},
    "a number": 1,
    "true": True,
    "null": None,
    "empty": "",
    "1,025 characters": "j" * 1025,
}


@pytest.mark.parametrize("name", ["sub", "jti", "client_id", "azp"])
@pytest.mark.parametrize("value", NAMES.values(), ids=NAMES)
async def test_c21_t20_a_name_is_a_string_of_a_sensible_length(name, value):
    assert await verdict_of(name, value) == "invalid_claim"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sub", "invalid_claim"),
        ("jti", "accepted"),
        ("client_id", "accepted"),
        ("azp", "accepted"),
    ],
)
async def test_c21_only_sub_is_required(name, expected):
    assert await verdict_of(name, MISSING) == expected


# whatever a profile reads of them
UNREAD = {
    "sub where another claim names the caller": ({"subject": ("email",)}, "sub"),
    "azp of Okta": ({"profile": "okta"}, "azp"),
    "client_id of Okta": ({"profile": "okta"}, "client_id"),
    "jti of Okta": ({"profile": "okta"}, "jti"),
    "the second name of a client": ({}, "cid"),
    "the last name of a client": ({}, "appid"),
}


@pytest.mark.parametrize(("changes", "name"), UNREAD.values(), ids=UNREAD)
async def test_c21_t20_a_name_that_is_not_read_is_still_one(changes, name):
    whole = {**CLAIMS, "email": "john@a.example", "client_id": "ui", "cid": "ui", "uid": "00u1"}
    async with gate(settings(**changes)) as verifier:
        assert await verdict(verifier, SIGNER.token(whole)) == "accepted"
        for value in (1, "", ["ui"], None):
            token = SIGNER.token({**whole, name: value})
            assert await verdict(verifier, token) == "invalid_claim"


# What the configuration requires of a claim

REQUIRED = {
    "the value": ("acme", "accepted"),
    "the other value": ("acme-labs", "accepted"),
    "one of a list": (["x", "acme"], "accepted"),
    "another": ("other", "invalid_claim"),
    "more than the value": ("acme-evil", "invalid_claim"),
    "a part of the value": ("acm", "invalid_claim"),
    "another case": ("ACME", "invalid_claim"),
    "a list of others": (["x"], "invalid_claim"),
    "an empty list": ([], "invalid_claim"),
    "a list in a list": ([["acme"]], "invalid_claim"),
    "an object": ({"acme": True}, "invalid_claim"),
    "null": (None, "invalid_claim"),
    "a number": (1, "invalid_claim"),
    "nothing": (MISSING, "invalid_claim"),
}


@pytest.mark.parametrize(("value", "expected"), REQUIRED.values(), ids=REQUIRED)
async def test_a_claim_that_is_required_has_exactly_one_of_its_values(value, expected):
    required = settings(require=((("org",), ("acme", "acme-labs")),))
    claims = {**CLAIMS, "org": value} if value is not MISSING else CLAIMS
    async with gate(required) as verifier:
        assert await verdict(verifier, SIGNER.token(claims)) == expected


@pytest.mark.parametrize("value", ["j" * 1024, "f:1:john", "ジョン", "a\x00b", "../x", " "])
async def test_a_name_is_taken_as_it_is(value):
    async with gate() as verifier:
        caller = await verifier.authenticate(SIGNER.token({**CLAIMS, "sub": value}))
    assert (caller.issuer, caller.subject) == (ISSUER, value)


# cnf (RFC 9449 7.1, RFC 8705 3): a bound token is no bearer token

BOUND = {
    "to a DPoP key": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
    "to a certificate": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"},
    "to a key": {"jwk": SIGNER.jwk()},
    "to nothing known": {"other": "x"},
    "to nothing": {},
    "null": None,
    "a string": "jkt",
}


@pytest.mark.parametrize("value", BOUND.values(), ids=BOUND)
async def test_a_token_that_is_bound_to_a_key_is_refused(value):
    assert await verdict_of("cnf", value) == "sender_mismatch"


# Roles: values out of lists of strings, as they are

ROLES = {
    "a list of strings": (["user", "admin"], ("user", "admin")),
    "an empty list": ([], ()),
    "missing": (MISSING, ()),
    "a string": ("admin", ()),
    "words": ("user admin", ()),
    "null": (None, ()),
    "true": (True, ()),
    "a number": (1, ()),
    "an object": ({"admin": True}, ()),
    "a list in a list": ([["admin"]], ()),
    "a list with a number": (["admin", 1], ()),
    "a list with null": (["admin", None], ()),
    "a list with true": (["admin", True], ()),
    "a list with an object": (["admin", {}], ()),
    "spaces around": ([" admin "], (" admin ",)),
    "upper case": (["ADMIN"], ("ADMIN",)),
    "a Cyrillic letter": (["\u0430dmin"], ("\u0430dmin",)),
    "a zero width space": (["admin\u200b"], ("admin\u200b",)),
    "fullwidth letters": (["\uff41dmin"], ("\uff41dmin",)),
    "not composed": (["u\u0308ser"], ("u\u0308ser",)),
    "a wildcard": (["*"], ("*",)),
    "a comma": (["user,admin"], ("user,admin",)),
    "twice": (["user", "user"], ("user", "user")),
    "1,000 values": (["r"] * 1000, ("r",) * 1000),
}


@pytest.mark.parametrize(("value", "expected"), ROLES.values(), ids=ROLES)
def test_c26_t25_role_claims_are_the_strings_of_a_list_and_nothing_else(value, expected):
    roles = {} if value is MISSING else {"roles": value}
    caller = caller_from(settings(), {**CLAIMS, **roles})
    assert tuple(found.value for found in caller.role_claims) == expected
    assert all(found.path == ("roles",) for found in caller.role_claims)


@pytest.mark.parametrize("name", ["roles", "groups"])
async def test_c26_how_many_values_a_claim_may_hold_can_be_set(name):
    async with gate(settings(max_claim_values=3)) as verifier:
        for number, expected in ((3, "accepted"), (4, "invalid_claim")):
            token = SIGNER.token({**CLAIMS, name: ["r"] * number})
            assert await verdict(verifier, token) == expected


async def test_c26_words_of_a_scope_count_as_values_do():
    async with gate(settings(max_claim_values=3)) as verifier:
        for scope, expected in (("a b c", "accepted"), ("a b c d", "invalid_claim")):
            assert await verdict(verifier, SIGNER.token({**CLAIMS, "scope": scope})) == expected


@pytest.mark.parametrize("name", ["roles", "groups"])
async def test_c26_t25_more_than_a_thousand_values_are_refused(name):
    async with gate(limits=Limits(token=65536)) as verifier:
        for number, expected in ((1000, "accepted"), (1001, "invalid_claim")):
            token = SIGNER.token({**CLAIMS, name: ["r"] * number})
            assert await verdict(verifier, token) == expected


# Claim paths are literal keys

PAYLOAD = {
    "sub": "john",
    "roles": ["top"],
    "realm_access": {"roles": ["nested"]},
    "realm_access.roles": ["dotted"],
    "resource_access": {
        "gw": {"roles": ["gw"]},
        "com.example.gw": {"roles": ["dots"]},
        "com": {"example": {"gw": {"roles": ["steps"]}}},
        "a/b": {"roles": ["slash"]},
        "": {"roles": ["empty"]},
    },
    "https://example.com/roles": ["url"],
    "kubernetes.io": {"namespace": ["ns"]},
    "list": [{"roles": ["in a list"]}],
    "Roles": ["case"],
}
PATHS = {
    ("roles",): ["top"],
    ("realm_access", "roles"): ["nested"],
    ("realm_access.roles",): ["dotted"],
    ("resource_access", "gw", "roles"): ["gw"],
    ("resource_access", "com.example.gw", "roles"): ["dots"],
    ("resource_access", "com", "example", "gw", "roles"): ["steps"],
    ("resource_access", "a/b", "roles"): ["slash"],
    ("resource_access", "", "roles"): ["empty"],
    ("https://example.com/roles",): ["url"],
    ("kubernetes.io", "namespace"): ["ns"],
    ("Roles",): ["case"],
    ("ROLES",): [],
    ("realm_access",): [],
    ("realm_access", "roles", "0"): [],
    ("roles", "0"): [],
    ("list", "0", "roles"): [],
    ("list", "roles"): [],
    ("sub", "roles"): [],
    ("__class__",): [],
    ("__proto__",): [],
    ("resource_access", "*", "roles"): [],
    ("nowhere", "to", "be", "found"): [],
}


@pytest.mark.parametrize(("path", "expected"), PATHS.items(), ids=map(str, PATHS))
def test_c26_t26_a_claim_path_is_a_row_of_literal_keys(path, expected):
    caller = caller_from(settings(roles=(path,), groups=(path,)), PAYLOAD)
    assert [(found.path, found.value) for found in caller.role_claims] == [
        (path, value) for value in expected
    ]
    assert caller.groups == frozenset(expected)


def test_the_values_of_all_paths_are_united():
    paths = (("roles",), ("realm_access", "roles"), ("nowhere",))
    found = caller_from(settings(roles=paths, groups=paths), PAYLOAD)
    assert [claim.value for claim in found.role_claims] == ["top", "nested"]
    assert found.groups == {"top", "nested"}


# Scopes (RFC 9068 2.2.3, RFC 6749 3.3)

SCOPES = {
    "words": ("openid llm:invoke", {"openid", "llm:invoke"}),
    "words with many spaces": ("  openid   email ", {"openid", "email"}),
    "only spaces end words": ("openid\temail", {"openid\temail"}),
    "a list": (["openid", "llm.invoke"], {"openid", "llm.invoke"}),
    "empty": ("", set()),
    "an empty list": ([], set()),
    "a list with a number": (["openid", 1], set()),
    "a number": (1, set()),
    "null": (None, set()),
    "an object": ({"openid": True}, set()),
}


@pytest.mark.parametrize(("value", "expected"), SCOPES.values(), ids=SCOPES)
def test_scopes_are_words_or_a_list(value, expected):
    assert caller_from(settings(), {"sub": "john", "scope": value}).scopes == expected


def test_a_payload_without_sub_names_nobody():
    with pytest.raises(Refusal, match="sub"):
        caller_from(settings(), {"roles": ["admin"]})


# Whatever comes

KEYS = st.sampled_from(["a", "b", "a.b", "", "0", "roles", "__class__"])
PAYLOADS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)


def literally(value, path):
    """What stands at a path, read the slow way."""
    for key in path:
        if type(value) is not dict or key not in value:
            return None
        value = value[key]
    return value


@given(
    payload=st.dictionaries(KEYS, PAYLOADS, max_size=4),
    path=st.lists(KEYS, min_size=1, max_size=4).map(tuple),
)
def test_c26_t25_t26_any_claim_gives_its_own_strings_or_none(payload, path):
    issuer = settings(roles=(path,), role_words=(path,), role_values=(path,), groups=(path,))
    caller = caller_from(issuer, {**payload, "sub": "john"})
    value = literally(payload, path)
    listed = value if isinstance(value, list) and all(type(v) is str for v in value) else []
    words = [word for word in value.split(" ") if word] if isinstance(value, str) else []
    single = [value] if isinstance(value, str) and value else []
    found = [claim.value for claim in caller.role_claims]
    assert found == [*listed, *words, *single]
    assert caller.groups == frozenset(listed)
    assert bool(caller.notes) is (value is not None)


def test_c26_a_role_claim_that_gives_nothing_is_noted():
    issuer = settings(
        roles=(("roles",), ("absent",)), role_words=(("scope",),), role_values=(("dept",),)
    )
    claims = {"sub": "john", "roles": "admin", "scope": ["a"], "dept": ["ml"]}
    caller = caller_from(issuer, claims)
    assert caller.role_claims == ()
    assert caller.notes == (
        "roles is not a list of strings, and gives no role",
        "scope is not a string of words, and gives no role",
        "dept is not a string, and gives no role",
    )


# What describes a caller

DESCRIBED = {
    "a team": ({"team": "ml"}, {"teams": {"ml"}}),
    "teams": ({"team": ["ml", "ai"]}, {"teams": {"ml", "ai"}}),
    "teams of another type": ({"team": {"ml": True}}, {"teams": set()}),
    "an address": ({"email": "j@example.com"}, {"email": "j@example.com"}),
    "an address of another type": ({"email": ["j@example.com"]}, {"email": None}),
    "a long address": ({"email": "j" * 1025}, {"email": None}),
    "an organization": ({"org": {"id": "acme"}}, {"organization": "acme"}),
    "an organization elsewhere": ({"org": "acme"}, {"organization": None}),
    "on behalf of": ({"act": {"sub": "jane"}}, {"end_user": "jane"}),
}


@pytest.mark.parametrize(("claims", "expected"), DESCRIBED.values(), ids=DESCRIBED)
def test_what_describes_a_caller_is_read_and_never_refused(claims, expected):
    issuer = settings(teams=(("team",),), organization=("org", "id"), end_user=("act", "sub"))
    caller = caller_from(issuer, {"sub": "john", **claims})
    assert {name: getattr(caller, name) for name in expected} == expected


SUBJECTS = {
    "named": ({"ids": {"uid": "u1"}}, "u1"),
    "missing": ({}, None),
    "at a place that is no object": ({"ids": "u1"}, None),
}


@pytest.mark.parametrize(("claims", "expected"), SUBJECTS.values(), ids=SUBJECTS)
def test_c25_the_caller_is_named_by_the_claim_of_the_configuration(claims, expected):
    issuer = settings(subject=("ids", "uid"))
    if expected is None:
        with pytest.raises(Refusal, match=r"ids\.uid"):
            caller_from(issuer, {"sub": "john", **claims})
    else:
        assert caller_from(issuer, {"sub": "john", **claims}).subject == expected


@pytest.mark.parametrize("value", [1, ["u1"], None, "", {"x": 1}])
def test_c21_t20_a_claim_that_names_the_caller_is_a_string(value):
    with pytest.raises(Refusal, match="uid"):
        caller_from(settings(subject=("uid",)), {"sub": "john", "uid": value})


DOMAINS = {
    "the domain": ({"email": "j@example.com"}, "accepted"),
    "in capitals": ({"email": "J@EXAMPLE.com", "email_verified": True}, "accepted"),
    "another domain": ({"email": "j@evil.example"}, "invalid_claim"),
    "a domain below": ({"email": "j@evil.example.com"}, "invalid_claim"),
    "two signs": ({"email": "j@evil.example@example.com"}, "invalid_claim"),
    "not verified": ({"email": "j@example.com", "email_verified": False}, "invalid_claim"),
    "verified in words": ({"email": "j@example.com", "email_verified": "true"}, "invalid_claim"),
    "none": ({}, "invalid_claim"),
    "no address": ({"email": "example.com"}, "invalid_claim"),
}


@pytest.mark.parametrize(("claims", "expected"), DOMAINS.values(), ids=DOMAINS)
async def test_a_domain_admits_verified_addresses_of_its_own(claims, expected):
    async with gate(settings(email_domains=("example.com",))) as verifier:
        assert await verdict(verifier, SIGNER.token({**CLAIMS, **claims})) == expected


@pytest.mark.parametrize(
    ("row", "shared"),
    [
        (["gold", "silver"], True),
        (["x" * 32] * MOST_SHARED_VALUES, True),
        (["x"] * (MOST_SHARED_VALUES + 1), False),
        (["x" * MOST_SHARED_TEXT], True),
        (["x" * MOST_SHARED_TEXT, "y"], False),
    ],
    ids=["two", "many", "too many", "long", "too long"],
)
def test_rows_of_values_are_shared_if_they_are_short(row, shared):
    one, other = (
        caller_from(settings(), json.loads(json.dumps({**CLAIMS, "roles": row, "groups": row})))
        for _ in range(2)
    )
    assert one == other
    assert (one.role_claims is other.role_claims) == shared
    assert (one.groups is other.groups) == shared


def test_rows_of_values_that_nobody_shares_take_little_memory():
    """A provider may give each person a thousand groups of their own."""
    tracemalloc.start()
    for person in range(2 * MOST_SHARED):
        caller_from(settings(), {**CLAIMS, "groups": [f"{person}-{n}" for n in range(1000)]})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1 << 20
