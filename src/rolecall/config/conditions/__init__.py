"""Conditions: CEL expressions (https://cel.dev), compiled and type-checked."""

from rolecall.config.conditions.program import (
    MAX_LENGTH,
    ConditionError,
    NotACondition,
    Program,
    Subject,
)


def compile_condition(text: str, subject: Subject) -> Program:
    """Compile and type-check a condition.

    Args:
        text: a CEL expression.
        subject: whether a role or a rule depends on it; they may read different variables.

    Raises:
        NotACondition: it does not compile, or can never be true or false.
    """
    # where there are no conditions there is no need of CEL
    from rolecall.config.conditions.language import compiled  # noqa: PLC0415

    return compiled(text, subject)


__all__ = [
    "MAX_LENGTH",
    "ConditionError",
    "NotACondition",
    "Program",
    "Subject",
    "compile_condition",
]
