"""Why: the explanation is the evaluator's own decision, with the lines that led to it."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import (
    UNSAID,
    Actor,
    Authentication,
    Call,
    Caller,
    Circumstances,
    RoleClaim,
    RoleMapping,
    Rule,
    SignIn,
    Source,
)
from rolecall.policy import Explanation, Step, assign_roles, compile_policy, decide, explain


def at(line, text=""):
    return Source("gw.yaml", line, text)


STAFF = RoleMapping("staff", ("employee",), (), at(3, "- role: staff"))
LAB = RoleMapping("lab", ("employee",), ("https://lab.example",), at(4, "- role: lab"))
ALLOW = Rule("allow", ("staff",), ("a", "b"), ("chat",), at(6, "- allow: [staff]"))
DENY = Rule("deny", ("*",), ("*-x",), ("*",), at(8, '- deny: ["*"]'))
TABLE = compile_policy([STAFF, LAB], [ALLOW, DENY])


def caller(*values, issuer="https://login.example"):
    claims = tuple(RoleClaim(("realm_access", "roles"), value) for value in values)
    return assign_roles(TABLE, Caller(issuer, "ada", role_claims=claims))


STEPS = {
    "allowed": (
        caller("employee"),
        Call("chat", "a"),
        [
            Step("claim realm_access.roles = 'employee'", "gives role staff", STAFF.source),
            Step(
                "claim realm_access.roles = 'employee'",
                "gives role lab to callers of other issuers only",
                LAB.source,
            ),
            Step("allow staff: a, b at chat", "matches: allows", ALLOW.source),
            Step("deny *: *-x", "does not match: the model is 'a'", DENY.source),
        ],
    ),
    "denied": (
        caller("employee", issuer="https://lab.example"),
        Call("chat", "a-x"),
        [
            Step("claim realm_access.roles = 'employee'", "gives role staff", STAFF.source),
            Step("claim realm_access.roles = 'employee'", "gives role lab", LAB.source),
            Step("allow staff: a, b at chat", "does not match: the model is 'a-x'", ALLOW.source),
            Step("deny *: *-x", "matches: denies", DENY.source),
        ],
    ),
    "at another endpoint": (
        caller("employee", "?"),
        Call("messages", "a"),
        [
            Step("claim realm_access.roles = 'employee'", "gives role staff", STAFF.source),
            Step(
                "claim realm_access.roles = 'employee'",
                "gives role lab to callers of other issuers only",
                LAB.source,
            ),
            Step("claim realm_access.roles = '?'", "leads to no role"),
            Step(
                "allow staff: a, b at chat",
                "does not match: the endpoint is messages",
                ALLOW.source,
            ),
            Step("deny *: *-x", "does not match: the model is 'a'", DENY.source),
        ],
    ),
    "without a role": (
        caller(),
        Call("chat", "a"),
        [
            Step("role claims", "the token holds none"),
            Step(
                "allow staff: a, b at chat",
                "does not match: the caller's roles are none",
                ALLOW.source,
            ),
            Step("deny *: *-x", "does not match: the caller's roles are none", DENY.source),
        ],
    ),
}


@pytest.mark.parametrize(("who", "call", "steps"), STEPS.values(), ids=STEPS)
def test_every_claim_and_every_rule_is_a_step(who, call, steps):
    explanation = explain(TABLE, who, call)
    assert explanation == Explanation(decide(TABLE, who, call), tuple(steps), explanation.changes)


def test_c47_whoever_acts_for_the_caller_is_the_first_step():
    actors = (Actor("https://login.example", "planner"), Actor("https://a.example", client="c"))
    acted = replace(caller("employee"), actors=actors)
    first, *others = explain(TABLE, acted, Call("chat", "a")).steps
    assert first == Step(
        "caller",
        "'planner' of https://login.example acts for it, before that client 'c' of"
        " https://a.example",
    )
    assert others == STEPS["allowed"][2]


def test_the_json_form_names_file_line_and_text():
    shown = explain(TABLE, caller("employee"), Call("chat", "a-x")).as_json()
    assert json.loads(json.dumps(shown)) == {
        "decision": "deny",
        "reason": "denied_by_rule",
        "roles": ["staff"],
        "rule": {"file": "gw.yaml", "line": 8, "text": '- deny: ["*"]'},
        "ceilings": None,
        "exceeded": [],
        "authentication": None,
        "changes": [
            {
                "sentence": "no other rule allows it: the denial is not all that stands in the way",
                "source": {"file": "gw.yaml", "line": 8, "text": '- deny: ["*"]'},
            }
        ],
        "steps": [
            {
                "subject": "claim realm_access.roles = 'employee'",
                "outcome": "gives role staff",
                "source": {"file": "gw.yaml", "line": 3, "text": "- role: staff"},
            },
            {
                "subject": "claim realm_access.roles = 'employee'",
                "outcome": "gives role lab to callers of other issuers only",
                "source": {"file": "gw.yaml", "line": 4, "text": "- role: lab"},
            },
            {
                "subject": "allow staff: a, b at chat",
                "outcome": "does not match: the model is 'a-x'",
                "source": {"file": "gw.yaml", "line": 6, "text": "- allow: [staff]"},
            },
            {
                "subject": "deny *: *-x",
                "outcome": "matches: denies",
                "source": {"file": "gw.yaml", "line": 8, "text": '- deny: ["*"]'},
            },
        ],
    }


AUTHENTICATED = Rule(
    "allow",
    ("staff",),
    ("a",),
    ("*",),
    at(5, "- allow: [staff]"),
    authentication=Authentication(("gold", "silver"), 300),
)
NOW = 1_800_000_000.0
DEMANDED = "it demands a sign-in with acr gold or silver, at most 300 s ago; the token says"
SIGN_INS = {
    "nothing is said of it": (
        UNSAID,
        f"does not admit the call: {DEMANDED} no acr and no auth_time",
    ),
    "it is too old, and of another class": (
        SignIn("1", NOW - 400),
        (
            f"does not admit the call: {DEMANDED} acr '1' and auth_time 2027-01-15T07:53:20Z, 400 s"
            " before the call"
        ),
    ),
    "it will do": (SignIn("gold", NOW - 300), "matches: allows"),
}


@pytest.mark.parametrize(("said", "outcome"), SIGN_INS.values(), ids=SIGN_INS)
def test_a_sign_in_that_will_not_do_is_told_with_what_the_token_says(said, outcome):
    table = compile_policy([STAFF], [AUTHENTICATED])
    told = explain(
        table, replace(caller("employee"), sign_in=said), Call("chat", "a"), Circumstances(NOW)
    )
    assert told.steps[-1].outcome == outcome
    if not told.decision.allowed:
        assert [change.sentence for change in told.changes] == [
            "sign in again, with acr gold or silver, at most 300 s ago"
        ]
    assert told.as_json()["authentication"] == {"acr_values": ["gold", "silver"], "max_age": 300}


def test_another_s_role_and_a_sign_in_are_both_told_as_lacking():
    told = explain(
        compile_policy([STAFF], [AUTHENTICATED]), caller("?"), Call("chat", "a"), Circumstances(NOW)
    )
    (change,) = told.changes
    assert change.sentence == (
        "staff allows it; you have no role; sign in again, with acr gold or silver, at most 300 s"
        " ago"
    )


def test_the_json_form_of_silence():
    shown = explain(TABLE, caller(), Call("chat", "a")).as_json()
    assert (shown["decision"], shown["reason"]) == ("deny", "no_role")
    assert (shown["roles"], shown["rule"]) == ([], None)
    assert shown["steps"][0] == {
        "subject": "role claims",
        "outcome": "the token holds none",
        "source": None,
    }


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        (ALLOW, "allow staff: a, b at chat"),
        (DENY, "deny *: *-x"),
        (Rule("allow", ("r", "s"), (), ("*",), at(1)), "allow r, s: no model"),
        (Rule("allow", ("r",), ("a",), (), at(1)), "allow r: a at no endpoint"),
        (
            Rule("allow", ("r",), ("a",), ("chat", "messages"), at(1)),
            "allow r: a at chat, messages",
        ),
    ],
)
def test_a_rule_is_told_in_one_line(rule, title):
    (_, step) = explain(compile_policy([], [rule]), caller(), Call("chat", "a")).steps
    assert (step.subject, step.source) == (title, rule.source)


rules = st.lists(
    st.builds(
        Rule,
        effect=st.sampled_from(["allow", "deny"]),
        roles=st.sampled_from([("staff",), ("lab",), ("*",), ("s*", "x")]),
        models=st.sampled_from([("a",), ("*",), ("a*", "b"), ()]),
        endpoints=st.sampled_from([("*",), ("chat",), ("messages",), ()]),
        source=st.integers(1, 99).map(at),
    ),
    max_size=5,
)


@given(
    rules,
    st.frozensets(st.sampled_from(["staff", "lab"])),
    st.builds(Call, st.sampled_from(["chat", "messages"]), st.sampled_from(["a", "b", "ab"])),
)
def test_the_steps_agree_with_the_decision(rules, roles, call):
    table = compile_policy([], rules)
    who = Caller("https://login.example", "ada", roles=roles)
    explanation = explain(table, who, call)
    outcomes = [step.outcome for step in explanation.steps]
    decision = decide(table, who, call)

    assert explanation.decision == decision
    assert len(outcomes) == 1 + len(rules)
    assert decision.allowed == ("matches: allows" in outcomes and "matches: denies" not in outcomes)
    if decision.rule:
        place = [rule is decision.rule for rule in rules].index(True)
        assert outcomes[1 + place] == ("matches: allows" if decision.allowed else "matches: denies")
