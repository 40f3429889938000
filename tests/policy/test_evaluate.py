"""What holds for every policy: checked on small worlds, in which rules and calls meet often."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import (
    MODEL_ENDPOINTS,
    Call,
    Caller,
    Decision,
    Reason,
    RoleClaim,
    RoleMapping,
    Rule,
    Source,
)
from rolecall.policy import assign_roles, callable_models, compile_policy, decide, explain, may_call

from .parts import naive
from .parts.worlds import (
    ISSUERS,
    NAMES,
    ROLES,
    bodies,
    callers,
    calls,
    ceilings,
    circumstances,
    denial,
    mappings,
    rules,
)

AT = Source("gw.yaml", 1)


@given(rules, callers, calls, circumstances)
def test_the_table_decides_as_the_sentences_of_the_design_do(rules, caller, call, around):
    decision = decide(compile_policy([], rules), caller, call, around)
    assert (decision.allowed, decision.reason) == naive.decision(rules, caller, call, around)
    assert decision.roles == caller.roles


@given(mappings, callers)
def test_roles_are_held_as_their_mappings_say(mappings, caller):
    assigned = assign_roles(compile_policy(mappings, []), caller)
    held, doubtful = naive.roles(mappings, caller)
    assert (assigned.roles, assigned.doubtful_roles) == (held, doubtful)


@given(rules, rules, callers, calls, circumstances)
def test_another_denial_never_widens(rules, more, caller, call, around):
    denials = [denial(rule) for rule in more]
    if decide(compile_policy([], [*rules, *denials]), caller, call, around).allowed:
        assert decide(compile_policy([], rules), caller, call, around).allowed


@given(rules, rules, callers, calls, circumstances)
def test_another_allowance_never_narrows(rules, more, caller, call, around):
    allowances = [replace(rule, effect="allow") for rule in more]
    if decide(compile_policy([], rules), caller, call, around).allowed:
        assert decide(compile_policy([], [*rules, *allowances]), caller, call, around).allowed


@given(st.data(), mappings, rules, st.tuples(callers, calls, circumstances))
def test_the_order_of_roles_and_rules_changes_no_answer(data, mappings, rules, asked):
    caller, call, around = asked
    answers = set()
    for _ in range(2):
        table = compile_policy(
            data.draw(st.permutations(mappings)), data.draw(st.permutations(rules))
        )
        decision = decide(table, assign_roles(table, caller), call, around)
        answers.add((decision.allowed, decision.reason, decision.roles, decision.exceeded))
    assert len(answers) == 1


@given(
    st.data(),
    st.lists(ceilings, min_size=2, max_size=4),
    st.sampled_from(["deny", "clamp"]),
    calls,
)
def test_the_order_of_bounds_changes_nothing_of_what_is_forwarded(data, bounds, on_exceed, call):
    caller = Caller(ISSUERS[0], "ada", roles=frozenset({"staff"}))
    rules = [
        Rule("allow", ("staff",), ("*",), ("*",), AT, ceilings=bound, on_exceed=on_exceed)
        for bound in bounds
    ]
    answers = {
        decide(compile_policy([], data.draw(st.permutations(rules))), caller, call).exceeded
        for _ in range(2)
    }
    assert len(answers) == 1


@given(rules, callers, st.sampled_from(ROLES), calls, circumstances)
def test_a_role_that_no_denial_speaks_of_never_narrows(rules, caller, more, call, around):
    """Of other roles there may be denials, as long as none of them looks for this one."""
    plain = [
        rule
        for rule in rules
        if rule.effect == "allow"
        or not (
            any(naive.match(pattern, more) for pattern in rule.roles)
            or (rule.when is not None and "caller.roles" in rule.when.text)
        )
    ]
    table = compile_policy([], plain)
    both = replace(caller, roles=caller.roles | {more})
    if decide(table, caller, call, around).allowed:
        assert decide(table, both, call, around).allowed


doors = st.dictionaries(
    st.sampled_from(NAMES), st.sets(st.sampled_from([*MODEL_ENDPOINTS, "embeddings"]))
)


@given(rules, callers, doors, circumstances, bodies)
def test_what_can_be_called_is_listed(rules, caller, doors, around, body):
    table = compile_policy([], rules)
    listed = callable_models(table, caller, doors, around)
    stream, parameters = body
    for name, endpoints in doors.items():
        for endpoint in endpoints:
            call = Call(endpoint, name, stream, parameters)
            if decide(table, caller, call, around).allowed:
                assert name in listed


@given(rules, callers, doors, circumstances)
def test_what_is_listed_can_be_called_where_no_rule_looks_at_the_body(rules, caller, doors, around):
    plain = [
        replace(rule, ceilings=None)
        for rule in rules
        if rule.when is None or "call." not in rule.when.text
    ]
    table = compile_policy([], plain)
    assert callable_models(table, caller, doors, around) == [
        name
        for name, endpoints in doors.items()
        if any(
            decide(table, caller, Call(endpoint, name), around).allowed for endpoint in endpoints
        )
    ]


@given(rules, callers, calls, circumstances)
def test_a_decision_names_a_rule_of_its_own_effect(rules, caller, call, around):
    decision = decide(compile_policy([], rules), caller, call, around)
    if decision.rule is None:
        assert not decision.allowed
    elif decision.reason in {Reason.CEILING_EXCEEDED, Reason.CONDITION_ERROR}:
        assert decision.rule.ceilings or decision.rule.when
    elif decision.reason is Reason.INSUFFICIENT_USER_AUTHENTICATION:
        assert (decision.rule.effect, bool(decision.rule.authentication)) == ("allow", True)
    else:
        assert decision.rule.effect == ("allow" if decision.allowed else "deny")
    assert (decision.reason is None) == decision.allowed
    assert bool(decision.exceeded) == (
        decision.reason is Reason.CEILING_EXCEEDED
        or (decision.allowed and bool(naive.beyond(decision.rule.ceilings, call)))
    )


@given(mappings, rules, callers, calls, circumstances)
def test_an_explanation_is_of_the_decision_that_is_made(mappings, rules, caller, call, around):
    table = compile_policy(mappings, rules)
    caller = assign_roles(table, caller)
    explanation = explain(table, caller, call, around)
    assert explanation.decision == decide(table, caller, call, around)
    told = [step.outcome for step in explanation.steps[-len(rules) :]] if rules else []
    if explanation.decision.allowed:
        assert any(outcome.startswith("matches") for outcome in told)
    if explanation.decision.reason is Reason.DENIED_BY_RULE:
        assert any(outcome.startswith("matches: denies") for outcome in told)


@given(mappings, rules, callers, calls, circumstances)
def test_what_cannot_be_evaluated_never_helps(mappings, rules, caller, call, around):
    """Whatever a failing condition would have said, the caller gets no more than with the worst."""
    table = compile_policy(mappings, rules)
    caller = assign_roles(table, caller)
    if caller.doubtful_roles and decide(table, caller, call, around).allowed:
        without = replace(caller, doubtful_roles=frozenset())
        assert decide(table, without, call, around).allowed


@given(rules, st.lists(st.tuples(callers, calls), max_size=8), circumstances)
def test_a_table_answers_the_same_whatever_it_was_asked_before(rules, questions, around):
    table = compile_policy([], rules)
    first = [decide(table, *question, around) for question in questions]
    assert [decide(table, *question, around) for question in questions] == first
    assert [decide(compile_policy([], rules), *question, around) for question in questions] == first


@given(rules, callers, calls)
def test_what_is_not_known_helps_nobody(rules, caller, call):
    """Without circumstances and parameters, nothing is allowed that they could forbid."""
    table = compile_policy([], rules)
    decision = decide(table, caller, replace(call, parameters=None))
    if decision.allowed:
        rule = decision.rule
        assert rule.ceilings is None
        assert rule.not_before is rule.expires is None
        timed = [r for r in rules if r.effect == "deny" and (r.expires or r.not_before)]
        assert not any(
            naive.match(p, call.model)
            for r in timed
            for p in r.models
            if r.endpoints in (("*",), (call.endpoint,))
            and any(naive.match(q, role) for q in r.roles for role in caller.roles)
        )


MAPPINGS = [
    RoleMapping("staff", ("employee", "boss"), (), AT),
    RoleMapping("lab", ("boss",), (ISSUERS[0],), AT),
    RoleMapping("staff", ("guest",), (ISSUERS[1],), AT),
]


@pytest.mark.parametrize(
    ("issuer", "values", "roles"),
    [
        (ISSUERS[0], [], set()),
        (ISSUERS[0], ["employee"], {"staff"}),
        (ISSUERS[0], ["boss"], {"staff", "lab"}),
        (ISSUERS[1], ["boss"], {"staff"}),
        (ISSUERS[0], ["guest"], set()),
        (ISSUERS[1], ["guest"], {"staff"}),
        (ISSUERS[0] + "/", ["boss"], {"staff"}),
        (ISSUERS[0], ["staff"], set()),
        (ISSUERS[0], ["Employee", "employee ", "emp*", ""], set()),
        (ISSUERS[0], ["employee", "employee", "boss", "?"], {"staff", "lab"}),
    ],
)
def test_claims_lead_to_roles_by_the_mappings_alone(issuer, values, roles):
    claims = tuple(RoleClaim(("roles",), value) for value in values)
    caller = Caller(issuer, "ada", role_claims=claims, roles=frozenset({"forged"}))
    assigned = assign_roles(compile_policy(MAPPINGS, []), caller)
    assert assigned == replace(caller, roles=frozenset(roles))


def test_roles_of_several_claims_are_united():
    claims = (RoleClaim(("a",), "employee"), RoleClaim(("b", "c"), "boss"))
    caller = Caller(ISSUERS[0], "ada", role_claims=claims)
    assert assign_roles(compile_policy(MAPPINGS, []), caller).roles == {"staff", "lab"}


def test_a_caller_without_a_role_may_call_nothing():
    table = compile_policy([], [Rule("allow", ("*",), ("*",), ("*",), AT)])
    assert not may_call(table, Caller(ISSUERS[0], "ada"), Call("chat", "a"))


def test_without_a_policy_nothing_is_allowed():
    caller = Caller(ISSUERS[0], "ada", roles=frozenset({"staff"}))
    assert decide(compile_policy([], []), caller, Call("chat", "a")) == Decision(
        allowed=False, reason=Reason.MODEL_NOT_ALLOWED, rule=None, roles=caller.roles
    )


def test_the_order_of_the_list_is_the_order_of_what_is_served():
    table = compile_policy([], [Rule("allow", ("staff",), ("*",), ("*",), AT)])
    caller = Caller(ISSUERS[0], "ada", roles=frozenset({"staff"}))
    doors = {"b": ["chat"], "a": ["messages"], "c": []}
    assert callable_models(table, caller, doors) == ["b", "a"]
