"""Reads the fields of a caller's JSON by type; a wrong type is a refusal that names the field."""

from typing import Any

from rolecall.core import Reason, Refusal


def invalid(path: str, sentence: str) -> Refusal:
    """The refusal of one field, by its path in the body: ``messages[0].content``."""
    return Refusal(Reason.INVALID_REQUEST, sentence, param=path)


def _wrong_type(path: str, wanted: str) -> Refusal:
    return invalid(path, f"{path} must be {wanted}.")


def an_object(value: Any, path: str) -> dict[str, Any]:
    """The value as an object, or a refusal."""
    if not isinstance(value, dict):
        raise _wrong_type(path, "an object")
    return value


def a_list(value: Any, path: str) -> list[Any]:
    """The value as an array, or a refusal."""
    if not isinstance(value, list):
        raise _wrong_type(path, "an array")
    return value


def a_string(value: Any, path: str) -> str:
    """The value as a string, or a refusal."""
    if not isinstance(value, str):
        raise _wrong_type(path, "a string")
    return value


def a_name(value: Any, path: str) -> str:
    """The value as a string that is not empty, or a refusal."""
    if not isinstance(value, str) or not value:
        raise _wrong_type(path, "a string that is not empty")
    return value


def a_boolean(value: Any, path: str) -> bool:
    """The value as true or false, or a refusal."""
    if not isinstance(value, bool):
        raise _wrong_type(path, "true or false")
    return value


def a_positive_integer(value: Any, path: str) -> int:
    """The value as an integer of at least 1, or a refusal."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong_type(path, "an integer of at least 1")
    return value


def a_fraction(value: Any, path: str) -> float:
    """The value as a number from 0 to 1, or a refusal."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _wrong_type(path, "a number from 0 to 1, the range of this model")
    return value


def one_of(value: Any, path: str, choices: tuple[str, ...]) -> str:
    """The value as one of some strings, or a refusal that lists them."""
    if not isinstance(value, str) or value not in choices:
        raise _wrong_type(path, "one of " + ", ".join(choices))
    return value
