"""Conditions: CEL expressions (https://cel.dev), compiled and type-checked."""

from rolecall.config.conditions.language import (
    MAX_LENGTH,
    ROLE_VARIABLES,
    RULE_VARIABLES,
    ConditionError,
    NotACondition,
    Program,
    Subject,
    compile_condition,
)

__all__ = [
    "MAX_LENGTH",
    "ROLE_VARIABLES",
    "RULE_VARIABLES",
    "ConditionError",
    "NotACondition",
    "Program",
    "Subject",
    "compile_condition",
]
