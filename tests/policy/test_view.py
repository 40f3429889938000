"""What a table remembers has its bounds, whoever chooses the names, and changes no decision."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.core import Call, Caller, Decision, Reason, Rule, Source
from rolecall.policy import callable_models, compile_policy, decide
from rolecall.policy.view import MOST_BYTES, MOST_CELLS, MOST_VIEWS, Cell, View, Views

NOBODY = frozenset[str]()
NO = Decision(allowed=False, reason=Reason.MODEL_NOT_ALLOWED, rule=None, roles=NOBODY)
CELL = Cell(NO, (), (), (), None, NO)


def rule(roles=("*",), models=("open/*",)):
    return Rule("allow", roles, models, ("*",), Source("gw.yaml", 1))


def caller(role):
    return Caller("https://sso.example.com", "ada", roles=frozenset({role}))


def view(role, rules=0):
    return View(frozenset({role}), frozenset(range(rules)), looks_at_the_call=False, silent=NO)


def kept(views):
    return list(views._views.values())


def test_as_many_sets_of_roles_are_remembered_as_there_is_room_for():
    table = compile_policy([], [])
    for number in range(MOST_VIEWS + 100):
        table.view(frozenset({f"role-{number}"}))
    assert len(table._views) == MOST_VIEWS
    assert table._views.find((frozenset({"role-100"}), NOBODY)) is not None
    assert table._views.find((frozenset({"role-99"}), NOBODY)) is None


@pytest.mark.parametrize("model", ["open/{}", "closed/{}"])
def test_names_that_callers_choose_take_no_more_room_than_there_is(model):
    table = compile_policy([], [rule()])
    for number in range(MOST_CELLS + 100):
        call = Call("chat", model.format(number))
        assert decide(table, caller("r"), call).allowed == model.startswith("open")
    (one,) = kept(table._views)
    assert len(one.cells) <= MOST_CELLS
    assert one.size == table._views.size <= MOST_BYTES


def test_a_flood_of_names_by_many_roles_stays_within_the_bytes_of_all():
    """4,096 sets of roles times 8,192 names would be no bound."""
    views = Views(most_bytes=100_000)
    for number in range(200):
        one = view(f"role-{number}")
        views.keep(one.roles, NOBODY, one)
        for name in range(20):
            views.keep_cell(one, ("chat", f"open/{name}"), CELL)
            assert views.size <= 100_000
    assert len(kept(views)) > 3


def test_a_flood_of_names_by_one_role_leaves_the_others_alone():
    views = Views(most_bytes=100_000)
    good = view("good")
    views.keep(good.roles, NOBODY, good)
    views.keep_cell(good, ("chat", "open/gpt"), CELL)
    bad = view("bad")
    views.keep(bad.roles, NOBODY, bad)
    for name in range(10_000):
        views.keep_cell(bad, ("chat", f"open/{name}"), CELL)
    assert good.kept
    assert good.cells == {("chat", "open/gpt"): CELL}


def test_rules_count_where_thousands_speak_of_every_name():
    views = Views(most_bytes=1_000_000)
    for number in range(10):
        one = view(f"role-{number}", rules=10_000)
        views.keep(one.roles, NOBODY, one)
    assert len(views) == 2
    table = compile_policy([], [rule() for _ in range(2000)])
    for number in range(3000):
        decide(table, caller("r"), Call("chat", f"open/{number}"))
        assert table._views.size <= MOST_BYTES


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["cell", "unspoken", "listing"]),
        st.text(max_size=9),
        st.integers(0, 40),
    ),
    max_size=60,
)


@given(STEPS)
def test_what_is_counted_is_what_is_there(steps):
    views = Views(most=4, most_bytes=20_000)
    for number, what, name, length in steps:
        roles = frozenset({f"{number}"})
        one = views.find((roles, NOBODY))
        if one is None:
            one = view(f"{number}", rules=length)
            views.keep(roles, NOBODY, one)
        if what == "listing":
            views.keep_listing(one, {}, [(name, None)] * length)
        else:
            keep = views.keep_cell if what == "cell" else views.keep_unspoken
            keep(one, ("chat", name), CELL)
        assert views.size == sum(one.size for one in kept(views))
        assert len(views) <= 4
        assert views.size <= 20_000 or len(views) == 1
        assert one.kept


def test_a_view_that_is_remembered_no_more_still_answers():
    table = compile_policy([], [rule()])
    old = table.view(frozenset({"old"}))
    for number in range(MOST_VIEWS):
        table.view(frozenset({f"role-{number}"}))
    before = table._views.size
    assert table.cell(old, "chat", "open/gpt").settled.allowed
    assert table._views.size == before


def test_lists_of_models_count_too():
    table = compile_policy([], [rule()])
    doors = {f"open/{number}": ("chat",) for number in range(100)}
    decide(table, caller("r"), Call("chat", "open/1"))
    before = table._views.size
    assert callable_models(table, caller("r"), doors) == list(doors)
    assert table._views.size > before + 100 * 256
