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
from rolecall.policy import assign_roles, callable_models, compile_policy, decide

ISSUERS = ["https://one.example", "https://two.example"]
ROLES = ["staff", "stuff", "lab"]
NAMES = ["a", "b", "ab", "ba", "aa", "A", "a*", ""]

patterns = st.sampled_from([*NAMES[:-1], "*", "*b", "*a*", "**", "a*b"])
role_patterns = st.sampled_from([*ROLES, "st*", "*", "*b"])
rules = st.lists(
    st.builds(
        Rule,
        effect=st.sampled_from(["allow", "deny"]),
        roles=st.lists(role_patterns, min_size=1, max_size=2).map(tuple),
        models=st.lists(patterns, max_size=3).map(tuple),
        endpoints=st.sampled_from([("*",), *((name,) for name in MODEL_ENDPOINTS), ()]),
        source=st.builds(Source, file=st.just("gw.yaml"), line=st.integers(1, 99)),
    ),
    max_size=6,
)
callers = st.builds(
    Caller,
    issuer=st.sampled_from(ISSUERS),
    subject=st.just("ada"),
    roles=st.frozensets(st.sampled_from(ROLES)),
)
calls = st.builds(
    Call,
    endpoint=st.sampled_from([*MODEL_ENDPOINTS, "embeddings"]),
    model=st.sampled_from(NAMES),
)


def naive_match(pattern, name):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(naive_match(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return name[:1] == pattern[0] and naive_match(pattern[1:], name[1:])


def naive_decision(rules, caller, call):
    """The design's sentences, one after the other, without any table."""

    def speaking(effect, endpoint):
        return [
            rule
            for rule in rules
            if rule.effect == effect
            and any(naive_match(p, role) for p in rule.roles for role in caller.roles)
            and any(naive_match(p, call.model) for p in rule.models)
            and (endpoint in rule.endpoints or "*" in rule.endpoints)
        ]

    if not caller.roles:
        return False, Reason.NO_ROLE, None
    if call.endpoint not in MODEL_ENDPOINTS:
        return False, Reason.ENDPOINT_NOT_ALLOWED, None
    if denying := speaking("deny", call.endpoint):
        return False, Reason.DENIED_BY_RULE, denying[0]
    if allowing := speaking("allow", call.endpoint):
        return True, None, allowing[0]
    if any(speaking("allow", endpoint) for endpoint in MODEL_ENDPOINTS):
        return False, Reason.ENDPOINT_NOT_ALLOWED, None
    return False, Reason.MODEL_NOT_ALLOWED, None


@given(rules, callers, calls)
def test_the_table_decides_as_the_sentences_of_the_design_do(rules, caller, call):
    decision = decide(compile_policy([], rules), caller, call)
    assert (decision.allowed, decision.reason, decision.rule) == naive_decision(rules, caller, call)
    assert decision.roles == caller.roles


@given(rules, rules, callers, calls)
def test_another_denial_never_widens(rules, more, caller, call):
    denials = [replace(rule, effect="deny") for rule in more]
    if decide(compile_policy([], [*rules, *denials]), caller, call).allowed:
        assert decide(compile_policy([], rules), caller, call).allowed


@given(rules, rules, callers, calls)
def test_another_allowance_never_narrows(rules, more, caller, call):
    allowances = [replace(rule, effect="allow") for rule in more]
    if decide(compile_policy([], rules), caller, call).allowed:
        assert decide(compile_policy([], [*rules, *allowances]), caller, call).allowed


@given(st.data(), rules, callers, calls)
def test_the_order_of_rules_changes_no_answer(data, rules, caller, call):
    shuffled = data.draw(st.permutations(rules))
    one, other = (decide(compile_policy([], r), caller, call) for r in (rules, shuffled))
    assert (one.allowed, one.reason) == (other.allowed, other.reason)


@given(rules, callers, callers, calls)
def test_without_denials_more_roles_never_narrow(rules, caller, other, call):
    allowances = [replace(rule, effect="allow") for rule in rules]
    table = compile_policy([], allowances)
    both = replace(caller, roles=caller.roles | other.roles)
    if decide(table, caller, call).allowed:
        assert decide(table, both, call).allowed


@given(
    rules,
    callers,
    st.dictionaries(
        st.sampled_from(NAMES), st.sets(st.sampled_from([*MODEL_ENDPOINTS, "embeddings"]))
    ),
)
def test_what_is_listed_is_exactly_what_can_be_called(rules, caller, doors):
    table = compile_policy([], rules)
    assert callable_models(table, caller, doors) == [
        name
        for name, endpoints in doors.items()
        if any(decide(table, caller, Call(endpoint, name)).allowed for endpoint in endpoints)
    ]


@given(rules, callers, calls)
def test_a_decision_names_a_rule_of_its_own_effect(rules, caller, call):
    decision = decide(compile_policy([], rules), caller, call)
    if decision.rule is None:
        assert not decision.allowed
    else:
        assert decision.rule.effect == ("allow" if decision.allowed else "deny")
    assert (decision.reason is None) == decision.allowed


@given(rules, st.lists(st.tuples(callers, calls), max_size=8))
def test_a_table_answers_the_same_whatever_it_was_asked_before(rules, questions):
    table = compile_policy([], rules)
    first = [decide(table, *question) for question in questions]
    assert [decide(table, *question) for question in questions] == first
    assert [decide(compile_policy([], rules), *question) for question in questions] == first


AT = Source("gw.yaml", 1)
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
