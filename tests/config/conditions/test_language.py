"""CEL as conditions speak it: what may be read, what is refused, what an evaluation may cost."""

from datetime import UTC, datetime

import pytest

from rolecall.config.conditions import (
    MAX_LENGTH,
    ConditionError,
    NotACondition,
    compile_condition,
)
from rolecall.config.conditions.language import ROLE_VARIABLES, RULE_VARIABLES

CLAIMS = {
    "dept": "ml",
    "level": 7,
    "ratio": 7.0,
    "flag": True,
    "none": None,
    "nested": {"a": ["b"]},
    "https://acme.example/team": "blue",
    "many": list(range(10_001)),
}
HOLDS = {
    'claims.dept == "ml"': True,
    "claims.level == 7": True,
    "claims.level == claims.ratio": True,
    "claims.level > 6.5": True,
    "claims.flag": True,
    "!claims.flag": False,
    "claims.none == null": True,
    "has(claims.dept)": True,
    "has(claims.absent)": False,
    '"absent" in claims': False,
    'claims.nested.a[0] == "b"': True,
    'claims["https://acme.example/team"] == "blue"': True,
    # && and || need only the side that decides
    "has(claims.absent) && claims.absent == 1": False,
    'claims.absent == 1 || claims.dept == "ml"': True,
    'claims.absent == 1 && claims.dept == "x"': False,
    'claims.dept.matches("^m")': True,
    'claims.dept in ["ml", "bi"]': True,
    "claims.many.exists(n, n == 9)": True,
    "size(claims.nested) == 1": True,
}
FAILS = {
    'claims.absent == "x"': 'there is no "absent"',
    'claims.level > "6"': "a value has another type than the condition expects",
    '"m" in claims.dept': "a value has another type than the condition expects",
    "claims.dept": "it is neither true nor false",
    "claims.level": "it is neither true nor false",
    "claims.many.all(n, n >= 0)": "it costs too much",
    "claims.many.exists(n, claims.many.exists(m, n + m < 0))": "it costs too much",
    "claims.level / 0 == 1": "a value cannot be used",
    'claims.dept.matches(claims.dept + "(")': "a value cannot be used",
}
REFUSED = {
    "": ("does not compile: the expression ends too early", 1, 1),
    'claims.a == "x" &&': ("does not compile: the expression ends too early", 1, 19),
    "caller.rols == []": (
        "does not compile: undeclared reference to 'caller.rols' (did you mean caller.roles?)",
        1,
        7,
    ),
    "calls.model == 'x'": (
        "does not compile: undeclared reference to 'calls.model' (did you mean call.model?)",
        1,
        6,
    ),
    "roll(call.model)": ("does not compile: undeclared reference to 'roll'", 1, 5),
    "true &&\n  call.modle == 'x'": (
        "does not compile: undeclared reference to 'call.modle' (did you mean call.model?)",
        2,
        7,
    ),
    "call.model == 1": (
        "does not compile: found no matching overload for '_==_' applied to '(string, int)'",
        1,
        12,
    ),
    "true &&\n has( caller.actor )": (
        "does not compile: has() is for claims; write caller.actor != null",
        2,
        2,
    ),
    "has(call.max_tokens) && call.max_tokens < 9": (
        "does not compile: has() is for claims; write call.max_tokens != null",
        1,
        1,
    ),
    'caller.actor.sujbect == "x"': (
        "does not compile: there is no caller.actor.sujbect (did you mean caller.actor.subject?)",
        None,
        None,
    ),
    "call.model": ("is neither true nor false, but of type string", None, None),
    "1 + 1": ("is neither true nor false, but of type int", None, None),
    'source_ip.inCidr("10.0.0.1/8")': (
        "names no network: 10.0.0.1/8 has host bits set",
        None,
        None,
    ),
    'now.getHours("Europe/berlin") < 6': (
        "names no time zone that this machine knows: 'Europe/berlin'",
        None,
        None,
    ),
    'call.model.matches("(")': ("holds no pattern of RE2: missing ): (", None, None),
    "true " * MAX_LENGTH: (f"is longer than {MAX_LENGTH} characters", None, None),
}


@pytest.mark.parametrize(("text", "value"), HOLDS.items(), ids=HOLDS)
def test_a_condition_over_claims_holds_or_does_not(text, value):
    assert compile_condition(text, "role").holds({"claims": CLAIMS}) is value


@pytest.mark.parametrize(("text", "why"), FAILS.items(), ids=FAILS)
def test_a_condition_that_cannot_be_evaluated_says_why_without_a_value(text, why):
    with pytest.raises(ConditionError) as caught:
        compile_condition(text, "role").holds({"claims": CLAIMS})
    assert str(caught.value) == why


@pytest.mark.parametrize(("text", "fault"), REFUSED.items(), ids=lambda value: str(value)[:30])
def test_a_text_that_is_no_condition_is_refused_with_its_place(text, fault):
    with pytest.raises(NotACondition) as caught:
        compile_condition(text, "rule")
    assert (caught.value.message, caught.value.line, caught.value.column) == fault


@pytest.mark.parametrize("depth", [33, 500, 4000])
def test_an_expression_that_is_nested_too_deeply_is_refused(depth):
    with pytest.raises(NotACondition):
        compile_condition("(" * depth + "true" + ")" * depth, "rule")


@pytest.mark.parametrize("name", sorted(set(RULE_VARIABLES) - set(ROLE_VARIABLES)))
def test_a_role_depends_on_the_token_alone(name):
    with pytest.raises(NotACondition, match="a role depends on the token alone"):
        compile_condition(f"{name} == {name}", "role")


@pytest.mark.parametrize(
    ("address", "network", "inside"),
    [
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("::ffff:10.1.2.3", "10.0.0.0/8", True),
        ("2001:db8::1", "2001:db8::/32", True),
        ("2001:db8::1", "10.0.0.0/8", False),
    ],
)
def test_an_address_is_in_a_network(address, network, inside):
    program = compile_condition(f'source_ip.inCidr("{network}")', "rule")
    assert program.holds({"source_ip": address}) is inside


@pytest.mark.parametrize("address", ["", "localhost", "10.1.2", "/run/socket"])
def test_what_is_no_address_is_in_no_network_and_outside_of_none(address):
    for text in ['source_ip.inCidr("10.0.0.0/8")', '!source_ip.inCidr("10.0.0.0/8")']:
        with pytest.raises(ConditionError):
            compile_condition(text, "rule").holds({"source_ip": address})


def test_time_is_compared_and_taken_apart():
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
    for text in [
        'now < timestamp("2026-12-31T00:00:00Z")',
        "now.getHours() == 12",
        'now.getHours("Asia/Tokyo") == 21',
        "now.getDayOfWeek() == 1",
    ]:
        assert compile_condition(text, "rule").holds({"now": noon})


@pytest.mark.parametrize(
    ("text", "reads", "claims"),
    [
        ("caller.groups.exists(g, g == claims.a.b)", {"caller.groups", "claims"}, {"a"}),
        ('"z" in claims && has(claims.y) && claims["x"] == 1', {"claims"}, {"x", "y", "z"}),
        ("claims[caller.kind] == 1", {"claims", "caller.kind"}, None),
        ("claims == {}", {"claims"}, None),
        ('claims.exists(name, name == "a")', {"claims"}, None),
        ("[1].exists(claims, claims == 1)", set(), set()),
    ],
)
def test_what_a_condition_reads_is_known_beforehand(text, reads, claims):
    program = compile_condition(text, "rule")
    assert program.reads == reads
    if claims is None or "claims" in reads:
        assert program.claims == claims


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ('"a" in caller.scopes', {"a"}),
        ('!("a" in caller.scopes) || "b" in caller.scopes', {"a", "b"}),
        ('["a", "b"].exists(s, s in caller.scopes)', set()),
        ('caller.scopes.exists(s, s == "a")', set()),
        ('"a" in caller.groups && size(caller.scopes) > 1', set()),
        ("true", set()),
    ],
)
def test_the_scopes_that_a_condition_looks_for_by_their_names_are_known(text, scopes):
    assert compile_condition(text, "rule").scopes == scopes


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("true", True),
        ("1 > 2", False),
        ("claims.a == 1 || true", True),
        ("claims.a == 1 && false", False),
        ("claims.a == 1", None),
        ("claims.a == 1 || false", None),
    ],
)
def test_a_condition_that_depends_on_nothing_is_known(text, constant):
    assert compile_condition(text, "rule").constant() is constant


def test_nothing_that_does_io_can_be_called():
    for call in ['open("/etc/passwd")', '__import__("os")', 'claims.a.open("x")']:
        with pytest.raises(NotACondition, match="undeclared reference"):
            compile_condition(f"{call} == null", "role")
