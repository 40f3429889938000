"""An explanation as people read it: a tree."""

import io
from typing import Final

from rich.markup import escape
from rich.tree import Tree

from rolecall.cli.terminal import place, plain, plain_text, stdout
from rolecall.core import Call, Caller, Excess
from rolecall.policy import Explanation

_MOST_STEPS: Final = 12


def show(explanation: Explanation, caller: Caller, call: Call) -> None:
    """Print the tree; plain text where standard output is no terminal."""
    stdout().print(tree_of(explanation, caller, call))


def text_of(explanation: Explanation, caller: Caller, call: Call) -> str:
    """The tree as plain text."""
    text = io.StringIO()
    plain_text(text).print(tree_of(explanation, caller, call))
    return text.getvalue()


def tree_of(explanation: Explanation, caller: Caller, call: Call) -> Tree:
    """The tree of an explanation."""
    decision = explanation.decision
    verdict = "[green]allow[/]" if decision.allowed else f"[red]deny[/] {decision.reason}"
    tree = Tree(f"{verdict}: {plain(caller.subject)} calls {plain(call.model)} at {call.endpoint}")
    roles = ", ".join(sorted(decision.roles)) or "none"
    tree.add(f"roles: {escape(roles)}")
    if decision.rule is not None:
        source = decision.rule.source
        tree.add(f"rule: {escape(str(source))}: {escape(source.text)}")
    if decision.exceeded:
        told = tree.add("lowered" if decision.allowed else "ceilings")
        for excess in decision.exceeded:
            told.add(escape(_beyond(excess)))
    steps = tree.add("steps")
    shown = [step for step in explanation.steps if not (step.of_others or step.beside)]
    if len(explanation.steps) <= _MOST_STEPS:
        shown = list(explanation.steps)
    for step in shown:
        where = place(step.source) if step.source else ""
        steps.add(f"{plain(step.subject)}: {plain(step.outcome)}{where}")
    if left_out := len(explanation.steps) - len(shown):
        steps.add(f"{left_out} rules of other roles or models do not match")
    if explanation.changes:
        nearest = tree.add("what would allow it")
        for change in explanation.changes:
            nearest.add(f"{plain(change.sentence)}{place(change.source)}")
    return tree


def _beyond(excess: Excess) -> str:
    return f"{excess.parameter} is {excess.asked}, allowed is {excess.allowed}"
