"""Where roles come from, as their holder is told."""

import pytest

from rolecall.core import KEYS_ISSUER, Caller, Condition, RoleClaim, RoleMapping, Source
from rolecall.policy import assign_roles, compile_policy, role_origins

AT = Source("gw.yaml", 1)
ISSUER = "https://one.example"


def mapping(role="r", **said):
    return RoleMapping(**{"role": role, "any_of": (), "issuers": (), "source": AT, **said})


def origins(*mappings, values=(), **said):
    claims = tuple(RoleClaim(("realm", "roles"), value) for value in values)
    table = compile_policy(mappings, [])
    caller = Caller(**{"issuer": ISSUER, "subject": "ada", "role_claims": claims, **said})
    return role_origins(table, assign_roles(table, caller))


WHEN = Condition("caller.kind == 'person'", AT)
NEVER = Condition("caller.kind == 'workload'", AT)
DOUBTFUL = Condition("claims.absent == 1", AT)
CASES = {
    "a claim": (mapping(any_of=("a", "b")), {"values": ["b", "c"]}, ["claim realm.roles = 'b'"]),
    "the claims that count": (
        mapping(any_of=("a",), claims=(("realm", "roles"),)),
        {
            "role_claims": (
                RoleClaim(("other", "roles"), "a"),
                RoleClaim(("realm", "roles"), "a"),
            )
        },
        ["claim realm.roles = 'a'"],
    ),
    "two claims": (
        mapping(all_of=("a", "b")),
        {"values": ["b", "a"]},
        ["claim realm.roles = 'b'", "claim realm.roles = 'a'"],
    ),
    "a group": (mapping(groups=("/ml", "/x")), {"groups": frozenset({"/ml"})}, ["group '/ml'"]),
    "a scope": (mapping(scopes=("llm",)), {"scopes": frozenset({"llm", "b"})}, ["scope 'llm'"]),
    "the client": (mapping(clients=("ui",)), {"client": "ui"}, ["client 'ui'"]),
    "a condition": (mapping(when=WHEN), {}, ["a condition over the caller"]),
    "a claim and a condition": (
        mapping(any_of=("a",), when=WHEN),
        {"values": ["a"]},
        ["claim realm.roles = 'a'", "a condition over the caller"],
    ),
    "nothing in particular": (mapping(none_of=("guest",)), {}, ["every caller"]),
}


@pytest.mark.parametrize(("given", "said", "expected"), CASES.values(), ids=CASES)
def test_a_role_comes_from_what_its_mapping_asks_for(given, said, expected):
    assert origins(given, **said) == {"r": expected}


def test_all_of_its_origins_are_told_once():
    found = origins(
        mapping(any_of=("a",)), mapping(any_of=("a",), groups=("/ml",)), mapping(clients=("ui",)),
        values=["a"], groups=frozenset({"/ml"}), client="ui",
    )  # fmt: skip
    assert found == {"r": ["claim realm.roles = 'a'", "group '/ml'", "client 'ui'"]}


def test_an_included_role_comes_from_the_role_that_includes_it():
    found = origins(
        mapping("boss", any_of=("a",), includes=("user",)), mapping("user"), values=["a"]
    )
    assert found["boss"] == ["claim realm.roles = 'a'"]
    assert found["user"] == ["role boss", "every caller"]


@pytest.mark.parametrize("condition", [NEVER, DOUBTFUL], ids=["that fails", "in doubt"])
def test_a_condition_gives_nothing(condition):
    assert origins(mapping(when=condition), mapping("user")) == {"user": ["every caller"]}


def test_a_static_key_has_its_roles_of_itself():
    caller = Caller(issuer=KEYS_ISSUER, subject="nightly", roles=frozenset({"batch"}))
    table = compile_policy([mapping("batch", any_of=("a",))], [])
    assert role_origins(table, caller) == {"batch": ["the static key"]}
