"""Rules are asked whether they hold: each condition once, however many rules have it."""

from dataclasses import dataclass, field

from rolecall.config.conditions import ConditionError, Program
from rolecall.core import Call, Caller, Circumstances, Rule
from rolecall.policy.facts import OF_THE_CALL, holds_for_call, holds_whatever_the_body
from rolecall.policy.view import Cell, Entry

Outcome = bool | ConditionError


@dataclass(slots=True)
class Question:
    """Who asks, under which circumstances, and the answers so far.

    Answers of conditions that depend on the call are not kept: a question may be about several.
    """

    caller: Caller
    around: Circumstances | None
    _answers: dict[Program, Outcome] = field(default_factory=dict)

    def outcome(self, entry: Entry, call: Call) -> Outcome:
        """Whether a rule that speaks of this call counts now and its condition holds."""
        now = in_force(entry.rule, self.around)
        program = entry.program
        if now is not True or program is None:
            return now
        if not program.reads.isdisjoint(OF_THE_CALL):
            return self._ask(program, call)
        answer = self._answers.get(program)
        if answer is None:
            answer = self._answers[program] = self._ask(program, call)
        return answer

    def outcome_whatever_the_body(self, entry: Entry, call: Call) -> Outcome | None:
        """The same as far as the body does not matter; None where it does."""
        if entry.program is None or not entry.open:
            return self.outcome(entry, call)
        now = in_force(entry.rule, self.around)
        if now is not True:
            return now
        try:
            return holds_whatever_the_body(entry.program, self.caller, call, self.around)
        except ConditionError:
            return None

    def signed_in(self, rule: Rule) -> bool:
        """Whether the caller has signed in as a rule demands."""
        if rule.authentication is None:
            return True
        now = None if self.around is None else self.around.now
        return rule.authentication.met_by(self.caller.sign_in, now)

    def _ask(self, program: Program, call: Call) -> Outcome:
        try:
            return holds_for_call(program, self.caller, call, self.around)
        except ConditionError as error:
            return error


def in_force(rule: Rule, around: Circumstances | None) -> Outcome:
    """Whether a rule counts at this time."""
    if rule.not_before is None and rule.expires is None:
        return True
    if around is None:
        return ConditionError("the time is not known here")
    if rule.not_before is not None and around.now < rule.not_before:
        return False
    return rule.expires is None or around.now < rule.expires


def possible(cell: Cell, question: Question, call: Call) -> bool:
    """Whether some call of this model at this endpoint is allowed, whatever its body."""
    if cell.settled is not None:
        return cell.settled.allowed
    for entry in cell.deny:
        held = question.outcome_whatever_the_body(entry, call)
        # what fails without the body fails with any, and never helps the caller
        if held is True or isinstance(held, ConditionError):
            return False
    return cell.free is not None or any(
        question.signed_in(entry.rule)
        and question.outcome_whatever_the_body(entry, call) in (True, None)
        for entry in cell.allow
    )
