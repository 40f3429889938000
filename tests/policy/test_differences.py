"""Two policies compared: nothing that would change an answer is left out."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Authentication, Ceilings, Condition, RoleMapping, Rule, Source
from rolecall.policy import compile_policy, decide
from rolecall.policy.access import Level, access
from rolecall.policy.differences import Difference, differences

from .parts.worlds import callers, calls, circumstances, rules

AT = Source("gw.yaml", 1)
BOTH = ("chat", "messages")


def rule(effect="allow", roles=("r",), models=("m",), **said):
    return Rule(effect, roles, models, said.pop("endpoints", ("*",)), AT, **said)


def when(text):
    return Condition(text, AT)


def compare(old, new, mappings=((), ())):
    return differences(compile_policy(mappings[0], old), compile_policy(mappings[1], new), ((), ()))


LINES = {
    "a grant that is new": ([], [rule()], [("gains", "r", "m", BOTH, "no", "yes")]),
    "a grant that is gone": ([rule()], [], [("loses", "r", "m", BOTH, "yes", "no")]),
    "a grant at one endpoint": (
        [rule(endpoints=("chat",))],
        [rule()],
        [("gains", "r", "m", ("messages",), "no", "yes")],
    ),
    "a pattern that covers a name": (
        [rule(models=("m*",))],
        [rule(models=("m*",)), rule()],
        [],
    ),
    "a name instead of a pattern": (
        [rule(models=("m*",))],
        [rule(models=("m1",))],
        [("loses", "r", "m*", BOTH, "yes", "no")],
    ),
    "a denial": (
        [rule()],
        [rule(), rule("deny", roles=("*",))],
        [("loses", "r", "m", BOTH, "yes", "denied")],
    ),
    "a denial of a role that is allowed nothing": (
        [rule(roles=("s",))],
        [rule(roles=("s",)), rule("deny")],
        [("loses", "r", "m", BOTH, "no", "denied")],
    ),
    "a condition that is new": (
        [rule()],
        [rule(when=when("call.n == 1"))],
        [("changes", "r", "m", BOTH, "yes", "if call.n == 1")],
    ),
    "a condition that is spaced otherwise": (
        [rule(when=when("call.n==1&&true"))],
        [rule(when=when("(call.n == 1) && true"))],
        [],
    ),
    "a condition that is another": (
        [rule(when=when("call.n == 1"))],
        [rule(when=when("call.n == 2"))],
        [("changes", "r", "m", BOTH, "if call.n == 1", "if call.n == 2")],
    ),
    "a ceiling that is lower": (
        [rule(ceilings=Ceilings(max_tokens=10))],
        [rule(ceilings=Ceilings(max_tokens=5), on_exceed="clamp")],
        [("changes", "r", "m", BOTH, "within max_tokens 10", "lowered to max_tokens 5")],
    ),
    "a ceiling that another rule lifts": (
        [rule(), rule(ceilings=Ceilings(n=1))],
        [rule()],
        [],
    ),
    "a sign-in that is demanded": (
        [rule()],
        [rule(authentication=Authentication(("gold", "silver"), 300))],
        [
            (
                "changes",
                "r",
                "m",
                BOTH,
                "yes",
                "after a sign-in with acr gold or silver, at most 300 s ago",
            )
        ],
    ),
    "a sign-in that may be older": (
        [rule(authentication=Authentication(max_age=60))],
        [rule(authentication=Authentication(max_age=300))],
        [
            (
                "changes",
                "r",
                "m",
                BOTH,
                "after a sign-in at most 60 s ago",
                "after a sign-in at most 300 s ago",
            )
        ],
    ),
    "a grant that will end": (
        [rule()],
        [rule(expires=0.0)],
        [("changes", "r", "m", BOTH, "yes", "until 1970-01-01T00:00:00Z")],
    ),
    "a condition of a denial": (
        [rule(), rule("deny", when=when("call.stream"))],
        [rule()],
        [("gains", "r", "m", BOTH, "yes; not if call.stream", "yes")],
    ),
    "a condition of a denial of a role that is allowed nothing": (
        [rule("deny", when=when("call.stream"))],
        [rule("deny", when=when("!call.stream"))],
        [("changes", "r", "m", BOTH, "no; not if call.stream", "no; not if !call.stream")],
    ),
    "a condition that is told in words": (
        [rule(), rule("deny", when=replace(when("call.stream"), meaning="closed for streams"))],
        [rule()],
        [("gains", "r", "m", BOTH, "yes; closed for streams", "yes")],
    ),
    "the order of rules": ([rule(), rule(models=("n",))], [rule(models=("n",)), rule()], []),
}


@pytest.mark.parametrize(("old", "new", "lines"), LINES.values(), ids=LINES)
def test_who_gains_and_who_loses_is_told(old, new, lines):
    assert compare(old, new) == [Difference(*line) for line in lines]


def mapping(**said):
    return RoleMapping(**{"role": "r", "any_of": (), "issuers": (), "source": AT, **said})


WAYS = {
    "a value more": (
        [mapping(any_of=("a",))],
        [mapping(any_of=("a", "b"))],
        ("changes", "a role claim a", "a role claim a or b"),
    ),
    "the order of values": ([mapping(any_of=("a", "b"))], [mapping(any_of=("b", "a"))], None),
    "a role that is new": ([], [mapping(groups=("/g",))], ("gains", "", "the group /g")),
    "a role that is gone": (
        [mapping(when=when('claims.a == "b"'))],
        [],
        ("loses", 'claims.a == "b"', ""),
    ),
    "by another role": (
        [mapping(any_of=("a",)), mapping(role="s", any_of=("s",))],
        [mapping(any_of=("a",)), mapping(role="s", any_of=("s",), includes=("r",))],
        ("changes", "a role claim a", "a role claim a; or with s, by a role claim s"),
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), WAYS.values(), ids=WAYS)
def test_another_way_to_a_role_is_told(old, new, told):
    found = compare([], [], (old, new))
    assert found == ([] if told is None else [Difference(told[0], "r", "", (), *told[1:])])


@given(rules, st.none() | rules, callers, calls, circumstances)
def test_where_nothing_is_told_no_answer_changes(one, other, caller, call, around):
    new = list(reversed(one)) if other is None else other
    old_table, new_table = compile_policy([], one), compile_policy([], new)
    # a role that no rule names and no claim gives is known to neither policy
    caller = replace(caller, doubtful_roles=frozenset())
    named = [RoleMapping(role, (role,), (), AT) for role in sorted(caller.roles)]
    served = ([call.model], [call.model])
    told = differences(compile_policy(named, one), compile_policy(named, new), served)
    before = decide(old_table, caller, call, around).allowed
    if not told:
        assert decide(new_table, caller, call, around).allowed == before


@given(rules, callers, calls)
def test_access_is_what_a_role_by_itself_is_told(rules, caller, call):
    table = compile_policy([], rules)
    for role in caller.roles:
        level = access(table, role, call.model, call.endpoint).level
        alone = replace(caller, roles=frozenset({role}), doubtful_roles=frozenset())
        decision = decide(table, alone, call)
        if level is Level.ALLOWED:
            assert decision.allowed
        if level <= Level.DENIED and call.endpoint != "embeddings":
            assert not decision.allowed
