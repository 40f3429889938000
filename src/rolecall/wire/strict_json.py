"""Strict JSON (RFC 8259): what two readers could understand differently is refused.

jiter reads (duplicate names at any depth, escaped ones too, NaN, byte order marks, lone
surrogates and trailing data are errors there); what it lets through is caught here.
"""

import json
from typing import Any, Final

import jiter
import orjson

from rolecall.core import Reason, Refusal

MAX_DEPTH: Final = 64


def loads(data: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read one JSON text.

    Args:
        data: UTF-8, without a byte order mark.
        max_depth: the deepest nesting of arrays and objects that is accepted.

    Raises:
        Refusal: ``duplicate_key`` for a name that stands twice in one object,
            ``invalid_request`` for everything else that is not strict JSON.
    """
    try:
        value = jiter.from_json(
            data, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys"
        )
    except ValueError as error:
        text = str(error)
        if text.startswith("Detected duplicate key"):
            raise Refusal(
                Reason.DUPLICATE_KEY,
                f"The JSON names one member twice ({text}); send each name once.",
            ) from None
        raise Refusal(Reason.INVALID_REQUEST, f"Not valid JSON: {text}.") from None
    _check(value, max_depth)
    return value


def _check(root: Any, max_depth: int) -> None:
    """Refuse depth and infinity, which jiter makes of numbers like 1e999.

    A walk over the values: looking at the text for what could overflow costs as much for a short
    body, and many times as much for a long one, which is mostly strings.
    """
    level: list[Any] = [[root]]
    depth = -1
    while level:
        depth += 1
        if depth > max_depth:
            raise Refusal(
                Reason.INVALID_REQUEST, f"The JSON is nested deeper than {max_depth} levels."
            )
        below: list[Any] = []
        for container in level:
            for value in container.values() if type(container) is dict else container:
                kind = type(value)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(value)
                # infinity less itself is not a number
                elif kind is float and value - value != 0.0:
                    raise Refusal(
                        Reason.INVALID_REQUEST,
                        "Not valid JSON: a number is too large to represent.",
                    )
        level = below


def dumps(value: Any) -> bytes:
    """Write a parsed value as compact UTF-8 JSON; integers of any size keep their value."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # orjson stops at 64 bits; a longer integer is rare and must arrive as it was sent
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
