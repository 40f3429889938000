"""A decision that is written down can be decided again."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import (
    UNSAID,
    Actor,
    Call,
    Caller,
    Circumstances,
    Decision,
    Parameters,
    Reason,
    RoleClaim,
    SignIn,
)
from rolecall.record import call_of, caller_of, circumstances_of, entry_of, outcome_of

CALLER = Caller(
    issuer="https://login.example.com",
    subject="ada",
    client="web",
    kind="workload",
    role_claims=(RoleClaim(("realm_access", "roles"), "x"),),
    roles=frozenset({"staff"}),
    scopes=frozenset({"s"}),
    groups=frozenset({"/g"}),
    claims={"dept": "ml", "org": {"unit": "lab", "boss": "eve"}, "secret": "S3CRET"},
    teams=frozenset({"t"}),
    email="ada@example.com",
    organization="acme",
    actors=(Actor("https://login.example.com", "planner"), Actor("https://a.example", client="c")),
    sign_in=SignIn("gold", 12.5, 5),
)
DENIED = Decision(allowed=False, reason=Reason.NO_ROLE, rule=None, roles=frozenset())
PATHS = (("dept",), ("org", "unit"), ("absent",), ("dept", "x"))

calls = st.builds(
    Call,
    endpoint=st.sampled_from(["chat", "messages"]),
    model=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    stream=st.booleans(),
    parameters=st.none()
    | st.builds(
        Parameters,
        max_tokens=st.none() | st.integers(0, 10**12),
        n=st.integers(1, 9),
        reasoning_effort=st.none() | st.just("low"),
        thinking_budget=st.none() | st.integers(0, 9).map(float) | st.just(math.inf),
        tools=st.lists(st.sampled_from("fg")).map(tuple),
        inputs=st.frozensets(st.just("image")),
        web_search=st.booleans(),
        service_tier=st.none() | st.just("flex"),
        temperature=st.none() | st.floats(0, 2),
        size=st.integers(0, 9),
    ),
)
surroundings = st.builds(
    Circumstances,
    now=st.integers(0, 4_000_000_000).map(float),
    source_ip=st.none() | st.just("10.0.0.1"),
    headers=st.sampled_from([{}, {"x-team": "blue"}]),
)


@given(calls, surroundings)
def test_what_is_read_is_what_was_written(call, around):
    text = json.dumps(entry_of("id", CALLER, call, around, DENIED, PATHS))
    entry = json.loads(text)
    assert call_of(entry) == call
    assert circumstances_of(entry) == around
    caller = caller_of(entry)
    assert caller.claims == {"dept": "ml", "org": {"unit": "lab"}}
    for name in Caller.__slots__:
        if name not in {"claims", "expires", "doubtful_roles", "end_user", "notes"}:
            assert getattr(caller, name) == getattr(CALLER, name), name


def test_claims_that_are_not_included_are_not_written():
    entry = entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ())
    assert entry["caller"]["claims"] == {}
    assert "S3CRET" not in json.dumps(entry)


def test_c47_whoever_acts_stands_right_behind_the_subject_and_whoever_did_before_behind_it():
    text = json.dumps(entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ()))
    assert '"subject": "ada", "actors": [{"subject": "planner", "client": null, "issuer"' in text
    assert [actor["client"] for actor in json.loads(text)["caller"]["actors"]] == [None, "c"]


def test_an_entry_of_a_former_version_says_nothing_of_actors():
    entry = entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ())
    del entry["caller"]["actors"]
    assert caller_of(entry).actors == ()


@pytest.mark.parametrize("actors", [None, 1, "planner", [{}], [{"sub": "planner"}], [["planner"]]])
def test_actors_that_are_none_are_no_entry_of_ours(actors):
    entry = entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ())
    entry["caller"]["actors"] = actors
    with pytest.raises((KeyError, TypeError, ValueError)):
        caller_of(entry)


def test_an_entry_of_former_times_says_nothing_of_a_sign_in():
    entry = entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ())
    del entry["caller"]["sign_in"]
    assert caller_of(entry).sign_in == UNSAID


@pytest.mark.parametrize(
    "said", [{}, [], "gold", {"acr": 1}, {"auth_time": "12"}, {"auth_time": True}, {"leeway": None}]
)
def test_a_sign_in_that_is_none_is_no_entry_of_ours(said):
    entry = entry_of("id", CALLER, Call("chat", "m"), Circumstances(0.0), DENIED, ())
    whole = {"acr": "gold", "auth_time": 12, "leeway": 5}
    entry["caller"]["sign_in"] = {**whole, **said} if said and isinstance(said, dict) else said
    with pytest.raises((KeyError, TypeError, ValueError)):
        caller_of(entry)


def test_an_outcome_names_reason_and_rule():
    assert outcome_of(DENIED) == {
        "decision": "deny",
        "reason": "no_role",
        "rule": None,
        "exceeded": [],
    }
