import pytest

from rolecall.core import Rule, Source
from rolecall.policy import compile_policy


def rule(line, effect="allow", roles=("r",), models=("a",), endpoints=("*",)):
    return Rule(effect, roles, models, endpoints, Source("gw.yaml", line))


@pytest.mark.parametrize(
    ("rules", "name", "line"),
    [
        ([rule(1), rule(2)], "a", 1),
        ([rule(1, models=("*",)), rule(2)], "a", 1),
        ([rule(1), rule(2, models=("*",))], "a", 1),
        ([rule(1), rule(2, models=("*",))], "b", 2),
        ([rule(1, models=("b*",)), rule(2), rule(3, models=("*",))], "a", 2),
        ([rule(1, models=("*", "a"))], "a", 1),
        ([rule(1)], "b", None),
        ([], "a", None),
    ],
    ids=[
        "two exact names",
        "a pattern first",
        "a pattern last",
        "only the pattern",
        "between patterns",
        "both in one rule",
        "no match",
        "no rules",
    ],
)
def test_the_first_rule_of_the_file_that_speaks_of_a_name_counts(rules, name, line):
    table = compile_policy([], rules)
    settled = table.cell(table.view(frozenset({"r"})), "chat", name).settled
    assert (settled.rule and settled.rule.source.line) == line


def test_a_view_holds_the_rules_that_concern_its_roles():
    table = compile_policy(
        [],
        [
            rule(1, roles=("r",)),
            rule(2, roles=("s",)),
            rule(3, roles=("*",), models=("b",), endpoints=("chat",)),
            rule(4, effect="deny", roles=("r*",), endpoints=("messages",)),
        ],
    )
    view = table.view(frozenset({"r"}))

    def line(endpoint, model):
        rule = table.cell(view, endpoint, model).settled.rule
        return rule and rule.source.line

    assert line("messages", "a") == 4
    assert line("chat", "a") == 1
    assert line("chat", "b") == 3
    assert line("messages", "b") is None


def test_a_view_is_made_once_for_a_set_of_roles():
    table = compile_policy([], [rule(1)])
    assert table.view(frozenset({"r", "s"})) is table.view(frozenset({"s", "r"}))
