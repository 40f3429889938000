import pytest

from rolecall.config.conditions import compile_condition
from rolecall.config.conditions.syntax import (
    Apply,
    Collection,
    Constant,
    Fold,
    Name,
    Select,
    walk,
)

CLAIM = Select(Name("claims"), "a", test=False)


def equals(one, other):
    return Apply("_==_", None, (one, other))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("false", Constant(value=False)),
        ("true", Constant(value=True)),
        ("has(claims.a)", Select(Name("claims"), "a", test=True)),
        ("claims.a == null", equals(CLAIM, Constant(None))),
        ("claims.a == -1", equals(CLAIM, Constant(-1))),
        ("claims.a == 9223372036854775807", equals(CLAIM, Constant(2**63 - 1))),
        ("claims.a == 18446744073709551615u", equals(CLAIM, Constant(2**64 - 1))),
        ("claims.a == 0", equals(CLAIM, Constant(0))),
        ("claims.a == 1.5", equals(CLAIM, Constant(1.5))),
        ('claims.a == ""', equals(CLAIM, Constant(""))),
        ('claims.a == "ü"', equals(CLAIM, Constant("ü"))),
        ('claims.a == b"\\xff"', equals(CLAIM, Constant(b"\xff"))),
        (
            "claims.a in [1, 2]",
            Apply("@in", None, (CLAIM, Collection("list", (Constant(1), Constant(2))))),
        ),
        (
            'claims.a == {"k": 1}',
            equals(CLAIM, Collection("map", (Constant("k"), Constant(1)))),
        ),
        (
            "claims.a.startsWith(caller.kind)",
            Apply("startsWith", CLAIM, (Name("caller.kind"),)),
        ),
    ],
)
def test_a_tree_is_read_out_of_the_serialised_form(text, tree):
    assert compile_condition(text, "rule").tree == tree


def test_a_macro_is_a_fold_with_its_variables():
    tree = compile_condition('caller.groups.exists(g, g == "a")', "rule").tree
    assert isinstance(tree, Fold)
    assert tree.variables[0] == "g"
    assert tree.parts[0] == Name("caller.groups")
    assert equals(Name("g"), Constant("a")) in list(walk(tree))


def test_spaces_and_line_breaks_are_no_part_of_the_tree():
    one, other = 'claims.a=="x"&&true', '( claims.a == "x" )\n  && true'
    assert compile_condition(one, "rule").tree == compile_condition(other, "rule").tree
