"""What leads to a role, and what keeps from it."""

import pytest

from rolecall.core import Caller, Condition, RoleClaim, RoleMapping, Source
from rolecall.policy import assign_roles, compile_policy, included_roles

AT = Source("gw.yaml", 1)


def mapping(**said):
    return RoleMapping(**{"role": "r", "any_of": (), "issuers": (), "source": AT, **said})


def when(text):
    return Condition(text, AT)


def held(*mappings, values=(), **said):
    claims = tuple(RoleClaim(("roles",), value) for value in values)
    caller = Caller(
        **{"issuer": "https://one.example", "subject": "ada", "role_claims": claims, **said}
    )
    assigned = assign_roles(compile_policy(mappings, []), caller)
    return assigned.roles, assigned.doubtful_roles


R, NONE = {"r"}, set()
CASES = {
    "one of the values": (mapping(any_of=("a", "b")), {"values": ["b"]}, R),
    "none of the values": (mapping(any_of=("a", "b")), {"values": ["c"]}, NONE),
    "a value of another claim": (mapping(any_of=("a",), claims=(("x",),)), {"values": ["a"]}, NONE),
    "a value of the claim": (mapping(any_of=("a",), claims=(("roles",),)), {"values": ["a"]}, R),
    "all of the values": (mapping(all_of=("a", "b")), {"values": ["b", "a", "c"]}, R),
    "some of all the values": (mapping(all_of=("a", "b")), {"values": ["a"]}, NONE),
    "a value too many": (
        mapping(any_of=("a",), none_of=("guest",)),
        {"values": ["a", "guest"]},
        NONE,
    ),
    "a group": (mapping(groups=("/ml",)), {"groups": frozenset({"/ml"})}, R),
    "a group within": (mapping(groups=("/ml",)), {"groups": frozenset({"/ml/x"})}, NONE),
    "a scope": (mapping(scopes=("llm",)), {"scopes": frozenset({"llm", "openid"})}, R),
    "a scope that goes on": (mapping(scopes=("llm",)), {"scopes": frozenset({"llm.x"})}, NONE),
    "a client": (mapping(clients=("ci",)), {"client": "ci"}, R),
    "no client": (mapping(clients=("ci",)), {}, NONE),
    "all kinds at once": (
        mapping(any_of=("a",), groups=("/ml",), clients=("ci",)),
        {"values": ["a"], "groups": frozenset({"/ml"}), "client": "ci"},
        R,
    ),
    "one kind missing": (
        mapping(any_of=("a",), groups=("/ml",), clients=("ci",)),
        {"values": ["a"], "groups": frozenset({"/ml"})},
        NONE,
    ),
    "a condition that holds": (
        mapping(when=when('claims.dept == "ml"')),
        {"claims": {"dept": "ml"}},
        R,
    ),
    "a condition that does not": (
        mapping(when=when('claims.dept == "ml"')),
        {"claims": {"dept": "hr"}},
        NONE,
    ),
    "a condition beside a value": (
        mapping(any_of=("a",), when=when('caller.kind == "workload"')),
        {"values": ["a"], "kind": "workload"},
        R,
    ),
    "a condition over all claims": (
        mapping(when=when('claims.exists(name, name.startsWith("acme_"))')),
        {"claims": {"acme_x": 1}},
        R,
    ),
}


@pytest.mark.parametrize(("role", "caller", "roles"), CASES.values(), ids=CASES)
def test_a_role_is_held_by_those_who_meet_all_of_it(role, caller, roles):
    assert held(role, **caller) == (roles, NONE)


def test_a_condition_that_fails_leaves_the_role_in_doubt():
    role = mapping(when=when('claims.dept == "ml"'), includes=("s",))
    included = mapping(role="s", any_of=("nobody",))
    assert held(role, included) == (NONE, {"r", "s"})


def test_a_role_that_is_held_for_another_reason_is_in_no_doubt():
    failing = mapping(when=when('claims.dept == "ml"'))
    assert held(failing, mapping(any_of=("a",)), values=["a"]) == (R, NONE)


def test_a_condition_is_asked_only_where_all_else_is_met():
    assert held(mapping(any_of=("a",), when=when("claims.dept == 1"))) == (NONE, NONE)


def test_included_roles_are_held_too_through_any_number_of_steps():
    roles = [
        mapping(role="lead", any_of=("l",), includes=("staff",)),
        mapping(role="staff", any_of=("s",), includes=("guest",)),
        mapping(role="guest", any_of=("g",)),
    ]
    assert held(*roles, values=["l"])[0] == {"lead", "staff", "guest"}
    assert held(*roles, values=["s"])[0] == {"staff", "guest"}
    assert held(*roles, values=["g"])[0] == {"guest"}


def test_a_role_that_is_given_directly_includes_what_it_includes():
    """A static key's roles: a denial for an included role must hold for it too."""
    table = compile_policy(
        [
            mapping(role="lead", any_of=("l",), includes=("staff",)),
            mapping(role="staff", any_of=("s",), includes=("guest",)),
            mapping(role="guest", any_of=("g",)),
        ],
        [],
    )
    assert included_roles(table, ["lead"]) == {"lead", "staff", "guest"}
    assert included_roles(table, ["guest", "unmapped"]) == {"guest", "unmapped"}
