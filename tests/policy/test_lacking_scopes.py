"""The scopes that a challenge names: with them the call is allowed, and none of them is in vain."""

from dataclasses import replace

import pytest
from hypothesis import given

from rolecall.core import (
    KEYS_ISSUER,
    Authentication,
    Call,
    Caller,
    Ceilings,
    Circumstances,
    Condition,
    Parameters,
    RoleMapping,
    Rule,
    Source,
)
from rolecall.policy import assign_roles, compile_policy, decide, lacking_scopes
from rolecall.policy.lacking_scopes import MOST

from .parts.worlds import callers, calls, circumstances, mappings, rules

AT = Source("gw.yaml", 1)
STAFF = RoleMapping("staff", (), (), AT, when=Condition('caller.subject == "ada"', AT))
LAB = RoleMapping("lab", (), (), AT, scopes=("lab.read", "lab.all"))
ADMIN = RoleMapping("admin", (), (), AT, scopes=("admin",))
BY_CONDITION = RoleMapping("lab", (), (), AT, when=Condition('"lab.when" in caller.scopes', AT))
ADA = Caller("https://login.example", "ada", scopes=frozenset({"openid"}))
ASKED = Call("chat", "gpt", parameters=Parameters())
AROUND = Circumstances(0.0)


def allow(role="staff", models=("gpt",), when=None, **said):
    endpoints = said.pop("endpoints", ("*",))
    condition = Condition(when, AT) if when else None
    return Rule("allow", (role,), models, endpoints, AT, when=condition, **said)


def deny(when, models=("*",)):
    return Rule("deny", ("*",), models, ("*",), AT, when=Condition(when, AT))


TOLD = {
    "what a condition looks for": ([allow(when='"big" in caller.scopes')], ("big",)),
    "one of two": ([allow(when='"b" in caller.scopes || "a" in caller.scopes')], ("a",)),
    "both": ([allow(when='"b" in caller.scopes && "a" in caller.scopes')], ("a", "b")),
    "one beside a scope that is there": (
        [allow(when='"openid" in caller.scopes && "a" in caller.scopes')],
        ("a",),
    ),
    "the fewest of two rules": (
        [
            allow(when='"a" in caller.scopes && "b" in caller.scopes'),
            allow(when='"c" in caller.scopes'),
        ],
        ("c",),
    ),
    "what a denial looks for": ([allow(), deny('!("a" in caller.scopes)')], ("a",)),
    "what both look for": (
        [allow(when='"a" in caller.scopes'), deny('!("b" in caller.scopes)')],
        ("a", "b"),
    ),
    "what gives a role": ([allow("lab")], ("lab.all",)),
    "the caller's own role first": (
        [allow("lab"), allow(when='"own" in caller.scopes')],
        ("own",),
    ),
    "what gives a role, and what its rule looks for": (
        [allow("lab", when='"a" in caller.scopes')],
        ("a", "lab.all"),
    ),
    "a pattern that singles models out": ([allow("lab", ("gp*",))], ("lab.all",)),
    "higher ceilings": (
        [
            allow(ceilings=Ceilings(max_tokens=1)),
            allow(when='"a" in caller.scopes', ceilings=Ceilings(max_tokens=None, n=1)),
        ],
        ("a",),
    ),
    "nothing, where nobody is told what opens everything": ([allow("admin", ("*",))], ()),
    "nothing, where a scope alone would not do": (
        [allow(when='"a" in caller.scopes && caller.subject == "eve"')],
        (),
    ),
    "nothing, where it is the scope that denies": (
        [allow(when='"a" in caller.scopes'), deny('"a" in caller.scopes')],
        (),
    ),
    "nothing, where the sign-in lacks too": (
        [allow(when='"a" in caller.scopes', authentication=Authentication(("gold",)))],
        (),
    ),
    "nothing, where it is still too much": (
        [allow(when='"a" in caller.scopes', ceilings=Ceilings(max_tokens=1))],
        (),
    ),
    "nothing of another model": ([allow(models=("o3",), when='"a" in caller.scopes')], ()),
    "nothing of another endpoint": (
        [allow(endpoints=("messages",), when='"a" in caller.scopes')],
        (),
    ),
    "nothing of another role": ([allow("guest", when='"a" in caller.scopes')], ()),
    "nothing that is looked for in another way": (
        [allow(when='caller.scopes.exists(s, s == "a")')],
        (),
    ),
    "nothing, where the claim is read as it is": (
        [allow(when='"a" in caller.scopes'), allow("lab", when='claims.scope == "x"')],
        (),
    ),
    "nothing that is no scope": ([allow(when='"a b" in caller.scopes')], ()),
    "nothing that would end its quotation": ([allow(when="'a\"' in caller.scopes")], ()),
    "nothing, where there are too many to try": (
        [allow(when=f'"s{n}" in caller.scopes') for n in range(MOST + 1)],
        (),
    ),
    "nothing, where no rule looks for any": ([allow("guest")], ()),
}


@pytest.mark.parametrize(("rules", "scopes"), TOLD.values(), ids=TOLD)
def test_c34_the_scopes_that_would_do_are_told(rules, scopes):
    for order in (rules, rules[::-1]):
        table = compile_policy([STAFF, LAB, ADMIN], order)
        caller = assign_roles(table, ADA)
        assert not decide(table, caller, ASKED, AROUND).allowed
        assert lacking_scopes(table, caller, ASKED, AROUND) == scopes


def test_c34_a_condition_of_a_role_may_look_for_a_scope():
    table = compile_policy([BY_CONDITION], [allow("lab")])
    assert lacking_scopes(table, ADA, ASKED, AROUND) == ("lab.when",)


def test_c34_a_role_may_be_included_in_the_one_that_a_scope_gives():
    table = compile_policy([replace(LAB, includes=("inner",))], [allow("inner")])
    assert lacking_scopes(table, ADA, ASKED, AROUND) == ("lab.all",)


def test_c34_a_static_key_has_no_scopes():
    table = compile_policy([LAB], [allow("lab")])
    assert lacking_scopes(table, replace(ADA, issuer=KEYS_ISSUER), ASKED, AROUND) == ()


@given(mappings, rules, callers, calls, circumstances)
def test_c34_with_what_is_told_the_call_is_allowed_and_with_less_it_is_not(
    mappings, rules, caller, call, around
):
    table = compile_policy(mappings, rules)
    caller = assign_roles(table, caller)
    if decide(table, caller, call, around).allowed:
        return
    told = lacking_scopes(table, caller, call, around)
    assert caller.scopes.isdisjoint(told)
    for left_out in (None, *told) if told else ():
        scopes = caller.scopes.union(told) - {left_out}
        asked = assign_roles(table, replace(caller, scopes=scopes))
        assert decide(table, asked, call, around).allowed == (left_out is None)
