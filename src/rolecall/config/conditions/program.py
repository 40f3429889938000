"""A compiled condition, and what can be wrong with one.

This much of the language needs no CEL: a gateway without conditions goes without the library, which
takes 6 MiB.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from rolecall.config.conditions.syntax import Node

if TYPE_CHECKING:
    from cel_expr_python import cel

Subject = Literal["role", "rule"]

MAX_LENGTH: Final = 4096
STATUS: Final = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
"""What CEL writes around a message."""

_ERROR: Final = "ERROR"


class NotACondition(ValueError):
    """The text is not a condition: why, and where in it, line and column from 1 if it is known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


class ConditionError(Exception):
    """A condition could not be evaluated; what it says does not quote what it was asked about."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled condition.

    Attributes:
        text: as it was written.
        reads: the variables that it reads.
        claims: the claims that it reads; None where that shows only when it is evaluated.
        headers: the headers that it reads; None likewise.
        scopes: the OAuth scopes that it looks for by their names, if it looks for any.
        tree: its syntax.
    """

    text: str
    reads: frozenset[str]
    claims: frozenset[str] | None
    headers: frozenset[str] | None
    scopes: frozenset[str]
    tree: Node
    _expression: "cel.Expression"

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Evaluate.

        Args:
            values: every variable that it ``reads``.

        Raises:
            ConditionError: it cannot be evaluated, costs too much, or is neither true nor false.
        """
        try:
            result = self._expression.eval(data=values)
            value = result.value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise ConditionError(_without_values(str(error))) from None
        if value is True or value is False:
            return value
        if result.type().name() == _ERROR:
            raise ConditionError(_without_values(str(value)))
        raise ConditionError("it is neither true nor false")

    def constant(self) -> bool | None:
        """What it always says, if that depends on nothing."""
        # && and || absorb the errors of their other side, so that what is said without any
        # variable is said with all of them
        try:
            return self.holds({})
        except ConditionError:
            return None


def _without_values(message: str) -> str:
    """CEL's message without values out of a token: the name of a key that is missing may stay."""
    text = STATUS.sub("", message)
    if missing := re.match(r'Key not found in map : ("[^"]{1,256}")', text):
        return f"there is no {missing[1]}"
    if "No matching overloads" in text:
        return "a value has another type than the condition expects"
    if "Iteration budget" in text:
        return "it costs too much"
    if text.startswith(("No value with name", "Unexpected value type")):
        return "a variable has no value"
    return "a value cannot be used"
