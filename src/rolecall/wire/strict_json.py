"""Strict JSON (RFC 8259): what two readers could understand differently is refused.

jiter reads (duplicate names at any depth, escaped ones too, NaN, byte order marks, lone
surrogates and trailing data are errors there); what it lets through is caught here.
"""

import json
import math
import re
from typing import Any, Final

import jiter
import orjson

from rolecall.core import Reason, Refusal

MAX_DEPTH: Final = 64

# 200 digits and a two-digit exponent stay below 1e300; what is longer is looked at
_CAN_OVERFLOW: Final = re.compile(rb"[eE]\+?0*[1-9][0-9][0-9]|[0-9]{200}")


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
    if data.count(b"{") + data.count(b"[") > max_depth or _CAN_OVERFLOW.search(data):
        _check(value, max_depth)
    return value


def _check(root: Any, max_depth: int) -> None:
    level = [root]
    depth = 0
    while level:
        below: list[Any] = []
        nested = False
        for value in level:
            if isinstance(value, dict):
                nested = True
                below.extend(value.values())
            elif isinstance(value, list):
                nested = True
                below.extend(value)
            elif isinstance(value, float) and not math.isfinite(value):
                raise Refusal(
                    Reason.INVALID_REQUEST, "Not valid JSON: a number is too large to represent."
                )
        depth += nested
        if depth > max_depth:
            raise Refusal(
                Reason.INVALID_REQUEST, f"The JSON is nested deeper than {max_depth} levels."
            )
        level = below


def dumps(value: Any) -> bytes:
    """Write a parsed value as compact UTF-8 JSON; integers of any size keep their value."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        # orjson stops at 64 bits; a longer integer is rare and must arrive as it was sent
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
